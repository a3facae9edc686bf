"""The progress of a search in a notebook: one small table, updated in place."""

from __future__ import annotations

import time
from html import escape
from typing import Any

from IPython.display import display

from kt_hpo.formatting import one_line, values_in_words
from kt_hpo.tracking.display import Display
from kt_hpo.tracking.progress_state import RunningTrial

MAX_RUNNING, MAX_NOTES = 8, 5
# Seconds between two redraws: more often only fills the notebook's channel.
MIN_INTERVAL = 0.25


class _Page:
    """What a notebook shows, with words for the front ends that show no HTML."""

    def __init__(self, html: str, text: str) -> None:
        self.html, self.text = html, text

    def _repr_html_(self) -> str:
        """Return the table."""
        return self.html

    def __repr__(self) -> str:
        return self.text


class NotebookDisplay(Display):
    """Updates one table of the counts, the best trial, the running ones and the last notes.

    Args:
        objective_name: String, the objective's name.
        direction: String or None. `"min"` or `"max"`, `"minimize"` or `"maximize"`, if any.

    Example:
        >>> notebook = NotebookDisplay("val_loss", "min")
        >>> notebook.trial_started(3, {"<units>": 64})
        >>> "&lt;units&gt;=64" in notebook.html()
        True
    """

    def __init__(self, objective_name: str, direction: str | None) -> None:
        super().__init__(objective_name, direction)
        self._handle: Any = None
        self._notes: list[str] = []
        self._drawn = 0.0

    def html(self) -> str:
        """Lay out what is known now.

        Returns:
            HTML as a string, in the notebook's own colors.
        """
        progress = self.progress_state
        bar = ""
        if progress.share:
            done, total = progress.share
            bar = f'<progress max="{total}" value="{done}"></progress> '
            bar += f"<b>{progress.share_in_words}</b> "
        head = f"{bar}{escape(self.aim)}: {progress.by_state}, "
        rows = []
        if progress.best:
            values = values_in_words(progress.telling(progress.best.values))
            rows.append(_row("<b>best</b>", f"<b>{escape(progress.best_in_words)}</b>", values))
        running = progress.rows
        for name, trial in running[:MAX_RUNNING]:
            words = escape(f"{trial.epoch_of} {trial.metric}") if trial else "idle"
            rows.append(
                _row(name, words, values_in_words(progress.telling(trial.values)) if trial else "")
            )
        if len(running) > MAX_RUNNING:
            rows.append(_row(f"and {len(running) - MAX_RUNNING} more", "", ""))
        table = f'<table style="margin:0.2em 0">{"".join(rows)}</table>'
        notes = "".join(f"<div>{escape(note)}</div>" for note in self._notes)
        return f'<div style="font-size:0.9em">{head}{progress.time_in_words}{table}{notes}</div>'

    def _begin(self) -> None:
        self._handle = display(self._page(), display_id=True)

    def _changed(self) -> None:
        if time.monotonic() - self._drawn >= MIN_INTERVAL:
            self._draw()

    def _ended(self, trial: RunningTrial, state: str, score: float | None) -> None:
        self._changed()

    def _write(self, text: str) -> None:
        self._notes = [*self._notes, *map(one_line, text.splitlines())][-MAX_NOTES:]
        self._draw()

    def _end(self) -> None:
        self._draw()

    def _draw(self) -> None:
        """Show the page in the place of the last."""
        if self._handle is not None:
            self._handle.update(self._page())
            self._drawn = time.monotonic()

    def _page(self) -> _Page:
        """Return the page as it is now."""
        return _Page(self.html(), self.progress_state.summary)


def _row(name: str, words: str, values: str) -> str:
    """Return a row of the table; the values, which may be many, are quiet and may break."""
    cell = '<td style="text-align:left;padding:0 1em 0 0'
    short, quiet = f"{cell};white-space:nowrap", f"{cell};opacity:0.7"
    return f'<tr>{short}">{name}</td>{short}">{words}</td>{quiet}">{escape(values)}</td></tr>'
