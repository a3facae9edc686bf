"""The progress of a search as lines of plain text: for pipes, files and logs."""

from __future__ import annotations

import sys
import textwrap

from kt_hpo.formatting import clock, one_line, short, values_in_words
from kt_hpo.space.continuation import Continuation
from kt_hpo.tracking.display import Display
from kt_hpo.tracking.progress_state import RunningTrial

WORDS = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}

# Characters of a line. What has no room are values; `results_summary` has all of the best trials.
# As many are theirs as a learning rate takes, before the time left and the best are told.
WIDTH, FEWEST_OF_VALUES = 120, 28


class PlainDisplay(Display):
    """Prints one line a trial, without colors or redrawing.

    Args:
        objective_name: String, the objective's name.
        direction: String or None. `"min"` or `"max"`, `"minimize"` or `"maximize"`, if any.

    Example:
        >>> PlainDisplay("val_loss", "min").note("The folder is new.")
        The folder is new.
    """

    def _begin(self) -> None:
        progress = self.progress_state
        planned = "as many trials as the budget allows"
        if progress.total is not None:
            planned = f"{progress.total} trials"
        done = f", {progress.counts.total} of them done: {progress.by_state}" * bool(
            progress.counts.total
        )
        self._write(f"Search to {self.aim}: {planned}{done}.")

    def _ended(self, trial: RunningTrial, state: str, score: float | None) -> None:
        progress, best = self.progress_state, self.progress_state.best
        # Of a training that goes on as several trials: how far it has come.
        end = Continuation.of(trial.values).epochs
        before = [
            f"[{progress.of_total}] trial {trial.number} {WORDS[state]}"
            + (f" in {clock(trial.seconds)}" if trial.seconds is not None else "")
            + (f" at epoch {end}" if end is not None else ""),
            f"{progress.objective} {short(score)}" if score is not None else "",
        ]
        after = [
            f"best {short(best.score)} in trial {best.trial_number}" if best else "",
            f"{clock(progress.left)} left" if progress.left is not None else "",
        ]
        values = values_in_words(progress.telling(trial.values))
        while after and _room(before + after) < min(len(values), FEWEST_OF_VALUES):
            after.pop()
        room = max(_room(before + after), FEWEST_OF_VALUES)
        shown = textwrap.shorten(values, room, placeholder=" ...")
        self._write(" | ".join(part for part in [*before, shown, *after] if part))

    def _write(self, text: str) -> None:
        lines = "\n".join(one_line(line) for line in text.splitlines())
        # A log may be in an encoding that has no letter for a hyperparameter's name.
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        print(lines.encode(encoding, "replace").decode(encoding), flush=True)

    def _end(self) -> None:
        self._write(self.progress_state.summary)


def _room(parts: list[str]) -> int:
    """How many characters are left for the values beside these parts of a line."""
    return WIDTH - sum(len(part) + len(" | ") for part in parts if part)
