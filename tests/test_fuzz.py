"""Some inputs of every kind that nobody means; `fuzz.py` tries thousands."""

import fuzz
import pytest
from hypothesis import Phase


@pytest.mark.parametrize("target", fuzz.TARGETS, ids=lambda target: target.__name__)
def test_only_documented_errors_come_of_it(target):
    fuzz.run(target, 12, derandomize=True, phases=(Phase.generate, Phase.shrink))


def test_an_error_that_is_not_documented_is_found():
    def broken(data, folder):
        fuzz.attempt(lambda: {}["missing"])

    with pytest.raises(KeyError):
        fuzz.run(broken, 1)


def test_an_error_of_another_library_is_found():
    def broken(data, folder):
        fuzz.attempt(lambda: int("x"))

    with pytest.raises(ValueError, match="invalid literal"):
        fuzz.run(broken, 1)
