"""The states in which executions ended, for trials that go on from them without a file."""

from __future__ import annotations

from collections.abc import Collection

from kt_hpo.training.vectorized.stack import Row


class StateCache:
    """Keeps the latest states in memory, up to a size; older ones are read from their files.

    Args:
        most: Bytes to keep.

    Example:
        >>> import numpy as np
        >>> ends = StateCache(most=20)
        >>> for trial_id in ("0", "1", "2"):
        ...     ends.put(trial_id, 0, [np.zeros(2, "float32")])
        >>> [ends.get(trial_id, 0) is not None for trial_id in ("0", "1", "2")]
        [False, True, True]
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._rows: dict[tuple[str, int], Row] = {}

    def put(self, trial_id: str, execution: int, row: Row) -> None:
        """Keeps a state.

        Args:
            trial_id: The trial that ended in it.
            execution: The number of its execution.
            row: Its weights and its optimizer's state.
        """
        self._rows[trial_id, execution] = row
        sizes = {one: sum(array.nbytes for array in kept) for one, kept in self._rows.items()}
        for oldest in list(self._rows)[:-1]:
            if sum(sizes.values()) <= self._most:
                return
            del self._rows[oldest], sizes[oldest]

    def get(self, trial_id: str | None, execution: int) -> Row | None:
        """Gives the state in which an execution of a trial ended; None if it is not kept."""
        return None if trial_id is None else self._rows.get((trial_id, execution))

    def keep_only(self, needed: Collection[str]) -> None:
        """Lets go of the states of all trials that are not named."""
        self._rows = {one: row for one, row in self._rows.items() if one[0] in needed}
