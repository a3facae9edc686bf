"""The progress of a search, shown where the user is: terminal, notebook or log."""

from __future__ import annotations

import os
import sys

from kt_hpo.record.counts import Counts
from kt_hpo.tracking.events import BestSoFar, Progress
from kt_hpo.tracking.plain import PlainDisplay

__all__ = ["BestSoFar", "Counts", "Progress", "make_progress"]


def make_progress(
    verbose: int | str, objective_name: str, direction: str | None = None
) -> Progress:
    """Choose how a search shows its progress.

    Args:
        verbose: Integer or string, as Keras' `verbose`. 0 shows nothing. 1 and `"auto"` draw in
            one place in a terminal or a notebook, and print a line a trial elsewhere. 2 prints a
            line a trial everywhere, so that what else is printed does not fight with it.
        objective_name: String, the objective's name.
        direction: String or None. `"min"` or `"max"`, `"minimize"` or `"maximize"`, if any.

    Returns:
        The `Progress` to tell about the search.

    Raises:
        ValueError: If `verbose` is none of these.

    Example:
        >>> progress = make_progress(2, "val_accuracy", "max")
        >>> progress.start(10, Counts())
        Search to maximize val_accuracy: 10 trials.
        >>> progress.trial_ended(0, "COMPLETE", 0.9, BestSoFar(0, 0.9))
        [1/10] trial 0 complete | val_accuracy 0.9 | best 0.9 in trial 0
    """
    if verbose not in (0, 1, 2, "auto"):
        raise ValueError(f'verbose is 0, 1, 2 or "auto", not {verbose!r}.')
    if verbose == 0:
        return Progress()
    # Each of these loads a library that the others do without.
    if verbose != 2 and _in_notebook():
        from kt_hpo.tracking.notebook import NotebookDisplay

        return NotebookDisplay(objective_name, direction)
    if verbose != 2 and _in_terminal():
        from kt_hpo.tracking.terminal import TerminalDisplay

        return TerminalDisplay(objective_name, direction)
    return PlainDisplay(objective_name, direction)


def _in_notebook() -> bool:
    """Return whether a notebook's kernel runs this; Colab's shell is a subclass of Jupyter's."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return any(base.__name__ == "ZMQInteractiveShell" for base in type(shell).__mro__)


def _in_terminal() -> bool:
    """Return whether the standard output is a terminal that can move its cursor."""
    try:
        is_terminal = sys.stdout.isatty()
    except (AttributeError, ValueError):
        return False
    encoding = (sys.stdout.encoding or "").lower()
    return is_terminal and "utf" in encoding and os.environ.get("TERM") not in ("dumb", "unknown")
