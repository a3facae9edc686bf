"""Measured comparisons with the peers; `make bench` runs them all and writes RESULTS.md."""
