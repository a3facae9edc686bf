"""`model.fit` with each epoch as one graph around the trial's own model.

training    the epochs and callbacks, as `model.fit` has them
arguments   what `fit` is asked to do, and whether a program can do it
tensorflow  the program: steps in a loop of a graph
optimizers  TensorFlow's fused kernels in place of Keras' formulas
jax         the program of JAX, which compiles the loop and fuses by itself
reuse       those of earlier trainings, for models that calculate the same
pace        how many steps one call takes
"""

from kt_hpo.training.compiled.reuse import kept_programs
from kt_hpo.training.compiled.training import trained_by_programs

__all__ = ["kept_programs", "trained_by_programs"]
