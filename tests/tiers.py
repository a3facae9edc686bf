"""Which cases of a test the quick tier has."""

import pytest


def few(cases, *quick):
    """The names of cases: those named are quick, the rest is slow."""
    slow = pytest.mark.slow
    return [name if name in quick else pytest.param(name, marks=slow) for name in cases]
