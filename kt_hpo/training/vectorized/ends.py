"""The states in which trials ended, for those that go on from them without reading a file."""

from __future__ import annotations

from collections.abc import Collection

from kt_hpo.training.vectorized.stack import Row


class Ends:
    """Keeps the latest states in memory, up to a size; older ones are read from their files.

    Args:
        most: Bytes to keep.

    Example:
        >>> import numpy as np
        >>> ends = Ends(most=20)
        >>> for trial_id in ("0", "1", "2"):
        ...     ends.put(trial_id, [np.zeros(2, "float32")])
        >>> [ends.get(trial_id) is not None for trial_id in ("0", "1", "2")]
        [False, True, True]
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._rows: dict[str, Row] = {}

    def put(self, trial_id: str, row: Row) -> None:
        """Keeps a state.

        Args:
            trial_id: The trial that ended in it.
            row: Its weights and its optimizer's state.
        """
        self._rows[trial_id] = row
        sizes = {one: sum(array.nbytes for array in kept) for one, kept in self._rows.items()}
        for oldest in list(self._rows)[:-1]:
            if sum(sizes.values()) <= self._most:
                return
            del self._rows[oldest], sizes[oldest]

    def get(self, trial_id: str | None) -> Row | None:
        """Gives the state in which a trial ended; None if it is not kept."""
        return None if trial_id is None else self._rows.get(trial_id)

    def keep_only(self, needed: Collection[str]) -> None:
        """Lets go of the states of all trials that are not named."""
        self._rows = {one: row for one, row in self._rows.items() if one in needed}
