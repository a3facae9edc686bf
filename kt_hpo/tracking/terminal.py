"""The progress of a search in a terminal: a few lines, drawn over and over in one place."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from kt_hpo.formatting import one_line, values_in_words
from kt_hpo.tracking.display import Display
from kt_hpo.tracking.progress_state import RunningTrial

MAX_RUNNING = 8
COLORS = {"complete": "green", "pruned": "yellow", "failed": "red", "running": "cyan"}


class _Console(Console):
    """A console that leaves the process alone when its pipe breaks."""

    def on_broken_pipe(self) -> None:
        """Write nothing more, where rich would end the process."""
        self.quiet = True


class TerminalDisplay(Display):
    """Draws the counts, the best trial and the running ones, and leaves one line behind.

    Args:
        objective_name: String, the objective's name.
        direction: String or None. `"min"` or `"max"`, `"minimize"` or `"maximize"`, if any.
        console: `rich.console.Console` or None. Where to draw; the standard output if None.

    Example:
        >>> import io
        >>> console = Console(file=io.StringIO(), width=60)
        >>> display = TerminalDisplay("val_loss", "min", console)
        >>> display.trial_started(3, {"units": 64})
        >>> console.print(display.page())
        >>> console.file.getvalue().splitlines()[-1].strip()
        'trial 3   starting  units=64'
    """

    def __init__(
        self, objective_name: str, direction: str | None, console: Console | None = None
    ) -> None:
        super().__init__(objective_name, direction)
        self._console = console or _Console(highlight=False)
        self._live = Live(
            console=self._console,
            get_renderable=self.page,
            refresh_per_second=4,
            transient=True,
        )

    def page(self) -> RenderableType:
        """Lay out what is known now.

        Returns:
            A renderable of rich. All words are `Text`, so that names with brackets stay names.
        """
        with self._lock:
            running = self.progress_state.rows
            rows = Table.grid(padding=(0, 2, 0, 0), expand=True)
            # Where it is narrow the values, the last column, give way.
            for ratio in (None, None, 1):
                rows.add_column(no_wrap=True, overflow="ellipsis", ratio=ratio, min_width=8)
            if best := self.progress_state.best:
                words = Text(self.progress_state.best_in_words, "bold")
                rows.add_row(Text("best", "bold green"), words, self._values(best.values))
            for name, trial in running[:MAX_RUNNING]:
                values = self._values(trial.values) if trial else Text()
                rows.add_row(Text(name), _state(trial), values)
            if len(running) > MAX_RUNNING:
                rows.add_row(Text(f"and {len(running) - MAX_RUNNING} more", "dim"))
            return Group(self._bar(), self._counts(), rows)

    def _bar(self) -> RenderableType:
        """Lay out how much is done, if it is known of how much."""
        row = Table.grid(padding=(0, 1, 0, 0), expand=True)
        row.add_column(no_wrap=True, overflow="ellipsis")
        row.add_column(ratio=1)
        row.add_column(no_wrap=True)
        known: list[RenderableType] = []
        if share := self.progress_state.share:
            done, total = share
            bar = ProgressBar(total, done, complete_style="cyan")
            known = [bar, Text(self.progress_state.share_in_words, "bold")]
        row.add_row(Text(self.aim), *known)
        return row

    def _counts(self) -> Text:
        """Write the trials by state, and the time."""
        words = Text(f"{self.progress_state.by_state}, {self.progress_state.time_in_words}")
        for state, color in COLORS.items():
            words.highlight_regex(rf"\d+ {state}", color)
        return words

    def _values(self, values: Mapping[str, object]) -> Text:
        """Write hyperparameters quietly."""
        return Text(values_in_words(self.progress_state.telling(values)), "dim")

    def _begin(self) -> None:
        self._live.start(refresh=True)

    def _write(self, text: str) -> None:
        for line in text.splitlines():
            self._console.print(Text(one_line(line)))

    def _end(self) -> None:
        self._live.stop()
        self._write(self.progress_state.summary)


def _state(trial: RunningTrial | None) -> Text:
    """Write how far a trial is."""
    if trial is None:
        return Text("idle", "dim")
    return Text(f"{trial.epoch_of}  {trial.metric}".strip())
