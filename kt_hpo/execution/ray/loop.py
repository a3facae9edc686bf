"""Ray Tune's loop, beside the search that answers it."""

from __future__ import annotations

import threading
from typing import Any


class Loop(threading.Thread):
    """Runs `tune.Tuner.fit`.

    In a thread it leaves Ctrl-C to the search; connected to a cluster as a client, it is on the
    head, and the thread waits for it.

    Args:
        tuner: A `ray.tune.Tuner`.
    """

    def __init__(self, tuner: Any) -> None:
        super().__init__(name="ray-tune", daemon=True)
        self._tuner = tuner
        self._error: BaseException | None = None

    def run(self) -> None:
        """Runs it to its end."""
        try:
            self._tuner.fit()
        except BaseException as error:
            self._error = error

    def check(self) -> None:
        """Raises what has ended the loop, if it was an error."""
        if self._error is not None:
            raise self._error
