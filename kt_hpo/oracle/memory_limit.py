"""Which values would run out of memory, from trials that did.

Memory grows with the batch size and with the whole numbers that models are made of. So a trial that
ran out of it speaks for all that are as large in every whole number, and alike in every choice;
floats, such as learning rates, count for nothing. Only where a batch size is searched: there a
smaller one is the way out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kt_hpo.space.continuation import own_values
from kt_hpo.space.kinds import Value

_BATCH_SIZE = "batch_size"


def exceeds_memory(values: Mapping[str, Value], failed: Iterable[Mapping[str, Value]]) -> bool:
    """Tells whether values are as large as some that ran out of memory.

    Args:
        values: Values by the names of hyperparameters.
        failed: Those of trials that ran out of memory.

    Returns:
        Whether one of these is nowhere larger; never without a `batch_size`.

    Example:
        >>> failed = [{"batch_size": 512, "units": 64, "rate": 0.1}]
        >>> exceeds_memory({"batch_size": 512, "units": 128, "rate": 0.01}, failed)
        True
        >>> exceeds_memory({"batch_size": 256, "units": 128, "rate": 0.01}, failed)
        False
    """
    if _BATCH_SIZE not in values:
        return False
    return any(_is_as_large(own_values(values), own_values(one)) for one in failed)


def _is_as_large(values: Mapping[str, Value], other: Mapping[str, Value]) -> bool:
    return values.keys() == other.keys() and all(
        _is_no_smaller(value, other[name]) for name, value in values.items()
    )


def _is_no_smaller(value: Value, other: Value) -> bool:
    if isinstance(value, float):
        return True
    if isinstance(value, bool | str) or isinstance(other, bool | str):
        return value == other
    return value >= other
