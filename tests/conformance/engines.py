"""The table of engines: a new one joins by one line here, and keeps the whole contract then."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from optuna.samplers import NSGAIISampler, TPESampler

from kt_hpo import oracles


@dataclass(frozen=True)
class Engine:
    """An engine, and what it promises.

    Attributes:
        oracle: Its class.
        options: Arguments that make it small.
        learns: Whether it proposes better values than random ones.
        any_order: Whether it proposes the same in whatever order trials are told.
        whole_space: Whether it takes ranges, not just finite spaces.
        enqueues: Whether it begins with the user's own values.
        prunes: Whether another pruner may stop its trials.
    """

    oracle: type[oracles.RecordedOracle]
    options: dict[str, Any] = field(default_factory=dict)
    learns: bool = False
    any_order: bool = False
    whole_space: bool = True
    enqueues: bool = True
    prunes: bool = True

    def __call__(self, **arguments: Any) -> oracles.RecordedOracle:
        """Makes the oracle."""
        made = {n: option() if callable(option) else option for n, option in self.options.items()}
        return self.oracle(**(made | arguments))


def hyperopt(algorithm: str, **promises: bool) -> Engine:
    """An engine of Hyperopt's."""
    options = {"max_trials": 24, "algorithm": algorithm}
    return Engine(oracles.HyperoptSearchOracle, options, **promises)


def optuna(sampler: Any, **promises: bool) -> Engine:
    """An engine of Optuna's, by the name of its sampler or a function that makes one."""
    options = {"max_trials": 14, "sampler": sampler}
    return Engine(oracles.OptunaSearchOracle, options, **promises)


ENGINES = {
    "random": Engine(oracles.RandomSearchOracle, {"max_trials": 12}, any_order=True),
    "grid": Engine(oracles.GridSearchOracle, whole_space=False, enqueues=False),
    "gaussian process": Engine(
        oracles.BayesianOptimizationOracle,
        {"max_trials": 7, "num_initial_points": 6},
        learns=True,
    ),
    "hyperband": Engine(oracles.HyperbandOracle, {"max_epochs": 9}, prunes=False),
    "freeze thaw": Engine(
        oracles.FreezeThawSearchOracle,
        {"max_trials": 8, "max_epochs": 5},
        learns=True,
        prunes=False,
    ),
    "gaussian process search": Engine(
        oracles.GaussianProcessSearchOracle, {"max_trials": 14}, learns=True
    ),
    "population based training": Engine(
        oracles.PopulationBasedTrainingOracle, {"population_size": 4, "max_epochs": 3}
    ),
    "evolution": Engine(
        oracles.EvolutionarySearchOracle, {"max_trials": 14, "population_size": 5}, learns=True
    ),
    "bayesopt": Engine(
        oracles.BayesOptSearchOracle,
        {"max_trials": 8, "num_initial_points": 6},
        learns=True,
    ),
    "hyperopt tpe": hyperopt("tpe", learns=True),
    "hyperopt anneal": hyperopt("anneal", learns=True),
    "hyperopt random": hyperopt("random", any_order=True),
    "tpe": optuna("tpe", learns=True),
    "plain tpe": optuna(lambda: TPESampler(n_startup_trials=5, seed=1), learns=True),
    "cmaes": optuna("cmaes", learns=True),
    "nsga2": optuna(lambda: NSGAIISampler(population_size=10, seed=1), learns=True),
    "qmc": optuna("qmc", any_order=True),
    "brute force": optuna("brute_force", whole_space=False, enqueues=False),
}
