"""Keras Tuner's module names, and older ones of ours, where programs import them from."""
