"""A problem with a budget, as a library meets it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.quality.problems import Problem
from benchmarks.regret import normalized_regret
from benchmarks.spaces import Values


class Exhausted(Exception):  # noqa: N818 - an end, no error
    """The budget is spent: a search ends with it."""


class Task:
    """Lets a library train, epoch by epoch, until the budget is spent.

    A configuration shows the curve of one of the table's seeds, the same throughout a search.

    Args:
        problem: What is searched.
        seed: Seed of what configurations show.

    Attributes:
        space: The problem's.
        epochs: Of a full training.
        spent: How many epochs were trained.
        improvements: What the search held from when on: pairs of the epochs spent and the
            normalized regret of the training that has shown the best value.
    """

    def __init__(self, problem: Problem, seed: int) -> None:
        self.problem = problem
        self.space = problem.space
        self.epochs = problem.epochs
        self.spent = 0
        self.improvements: list[tuple[int, float]] = []
        self._best = np.inf
        seeds, rows, _ = problem.curves.shape
        self._seeds: np.ndarray = np.random.default_rng(seed).integers(seeds, size=rows)

    def epoch(self, values: Values, epoch: int) -> float:
        """Trains an epoch.

        Args:
            values: The configuration.
            epoch: The epoch, counted from 0.

        Returns:
            What it shows, less is better.

        Raises:
            Exhausted: If the budget is spent.
        """
        if self.spent >= self.problem.budget:
            raise Exhausted
        self.spent += 1
        row = self.space.row(values)
        shown = float(self.problem.curves[self._seeds[row], row, epoch])
        if shown < self._best:
            self._best = shown
            truth = np.array(self.problem.truth(row, epoch))
            regret = float(normalized_regret(truth, *self.problem.range))
            self.improvements.append((self.spent, regret))
        return shown

    def train(self, values: Values) -> Iterator[float]:
        """Trains a configuration to the end.

        Yields:
            What each epoch shows.
        """
        for epoch in range(self.epochs):
            yield self.epoch(values, epoch)
