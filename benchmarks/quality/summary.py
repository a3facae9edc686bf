"""What the searches have shown: regret and mean rank of every library over its budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.regret import anytime, bootstrap, ranks

POINTS = np.linspace(0.02, 1.0, 50)
Known = Mapping[str, Mapping[str, Mapping[str, list[tuple[float, float]]]]]


@dataclass(frozen=True)
class Summary:
    """What a group of problems shows of some libraries.

    Attributes:
        libraries: Their names.
        problems: How many problems there are.
        seeds: How many searches of each problem each library has made.
        regret: Anytime normalized regret, the mean: `(libraries, points)`.
        rank: Mean rank among these libraries, likewise.
        rank_over_budget: Mean rank over all points: `(libraries,)`.
        regret_interval: In which the regret at the end lies: `(libraries, 2)`.
        rank_interval: In which the mean rank over all points lies.
    """

    libraries: list[str]
    problems: int
    seeds: int
    regret: np.ndarray
    rank: np.ndarray
    rank_over_budget: np.ndarray
    regret_interval: np.ndarray
    rank_interval: np.ndarray

    def best_first(self) -> np.ndarray:
        """The libraries' places by their rank over the budget."""
        return np.argsort(self.rank_over_budget, kind="stable")

    def regret_at(self, share: float) -> np.ndarray:
        """The regret at a share of the budget: `(libraries,)`."""
        return self.regret[:, np.argmin(np.abs(POINTS - share))]


def summary(known: Known, budgets: Mapping[str, int], resamples: int = 1000) -> Summary | None:
    """Sums up the libraries that have searched all of some problems.

    Args:
        known: What searches held: by library, problem and seed, pairs of epochs and regret.
        budgets: The epochs of a search of each problem.
        resamples: Of the bootstrap.

    Returns:
        The summary over the seeds that all of them have; None if there are none.
    """
    libraries = [name for name, made in known.items() if all(made.get(p) for p in budgets)]
    seeds = _common([known[name][problem] for name in libraries for problem in budgets])
    if not seeds:
        return None
    # (libraries, problems, seeds, points)
    regret = np.array(
        [
            [
                [
                    # Who holds nothing yet is no better than the worst.
                    anytime(known[name][problem][seed], POINTS * budget, before=1.0)
                    for seed in seeds
                ]
                for problem, budget in budgets.items()
            ]
            for name in libraries
        ]
    )
    rank = ranks(regret)
    return Summary(
        libraries,
        len(budgets),
        len(seeds),
        regret.mean(axis=(1, 2)),
        rank.mean(axis=(1, 2)),
        rank.mean(axis=(1, 2, 3)),
        np.array([bootstrap(one[..., -1], resamples=resamples) for one in regret]),
        np.array([bootstrap(one.mean(axis=-1), resamples=resamples) for one in rank]),
    )


def _common(searches: list[Mapping[str, Any]]) -> list[str]:
    every = [set(one) for one in searches]
    return sorted(set.intersection(*every), key=int) if every else []
