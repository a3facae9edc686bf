"""Who searches: our engines, and the peers as their documentation says to use them.

All are asked for the same values, and told the best epoch of a training. Keras Tuner's engines and
ours are asked by `hp.Choice([16, 32, 64])`, as their users write it. The documentation of the peers
asks for numbers by ranges (`suggest_int`, `hp.uniformint`, `randint`, `(low, high, int)`), and for
choices only where there is no order: so they choose the step of a number, from 0 on, which is their
easier question. Ray and bayesian-optimization are asked for all, and what a condition leaves out is
not looked at. Keras Tuner's random numbers of one seed are those of the seed before, shifted, so
`run` gives seeds far apart.
"""

from __future__ import annotations

import itertools
import logging
import tempfile
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any

import keras_tuner
import numpy as np
import optuna
from keras_tuner.engine.trial import Trial, TrialStatus

from benchmarks.quality.task import Exhausted, Task
from benchmarks.spaces import Dimension, Space, Values
from kt_hpo import oracles
from kt_hpo.engines.proposals.acquisition import quicken
from kt_hpo.engines.proposals.gaussian_process import GaussianProcess
from kt_hpo.pruning import make_pruner

# More trials than any search comes to: its budget ends it.
MOST = 100_000
OBJECTIVE = keras_tuner.Objective("score", "min")
Search = Callable[..., None]


@dataclass(frozen=True)
class Library:
    """A library with one of its algorithms.

    Attributes:
        search: Searches until the budget is spent or the library has no more to try.
        needs_curves: Whether it looks at trainings before they end.
        takes_choices: Whether it searches choices too.
        thinks: About how many seconds a trial.
    """

    search: Search
    needs_curves: bool = False
    takes_choices: bool = True
    thinks: float = 0.0


class KerasTunersProcess(keras_tuner.oracles.BayesianOptimizationOracle):
    """Keras Tuner's, with our arithmetic: the same proposals, in a tenth of the time."""

    _proposal = oracles.BayesianOptimizationOracle._proposal

    def _make_gpr(self) -> GaussianProcess:
        return GaussianProcess(alpha=self.alpha, random_state=self.seed)

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Proposes the values of a trial."""
        values = self._proposal(self._random_state)
        status = TrialStatus.STOPPED if values is None else TrialStatus.RUNNING
        return {"status": status, "values": values}


def with_oracle(
    kind: type[Any], task: Task, seed: int, pruner: Any = None, at_once: int = 1, **options: Any
) -> None:
    """Keras Tuner's oracles and ours, asked for so many trials before the first of them ends."""
    if "max_epochs" not in options:
        options["max_trials"] = task.problem.trials if pruner is None else MOST
    oracle = kind(objective=OBJECTIVE, seed=seed, hyperparameters=task.space.hyperparameters(),
                  **options)  # fmt: skip
    oracle.verbose = 0
    with tempfile.TemporaryDirectory() as folder:
        if isinstance(oracle, oracles.RecordedOracle):
            oracle.storage = optuna.storages.InMemoryStorage()
            oracle.pruner = make_pruner(pruner)
        oracle._set_project_dir(folder, "search")
        if isinstance(oracle, oracles.RecordedOracle):
            oracle.reload()
        is_over = False
        while not is_over:
            trials = [oracle.create_trial(f"tuner{number}") for number in range(at_once)]
            running = [trial for trial in trials if trial.status == TrialStatus.RUNNING]
            is_over = len(running) < at_once
            for trial, score in [(trial, _trained(task, oracle, trial)) for trial in running]:
                oracle.update_trial(trial.trial_id, {"score": score})
                trial.status = TrialStatus.COMPLETED
                oracle.end_trial(trial)


def _trained(task: Task, oracle: Any, trial: Trial) -> float:
    """Trains a trial, and gives its best value."""
    values = trial.hyperparameters.values
    best = np.inf
    epochs = range(values.get("tuner/initial_epoch", 0), values.get("tuner/epochs", task.epochs))
    for epoch in epochs:
        value = task.epoch(values, epoch)
        best = min(best, value)
        if isinstance(oracle, oracles.RecordedOracle) and task.epochs > 1:
            goes_on = oracle.report(trial.trial_id, epoch, {"score": value})
            if not goes_on:
                break
    return best


def with_hyperband(kind: type[Any], task: Task, seed: int) -> None:
    """Hyperband, again and again."""
    with_oracle(kind, task, seed, max_epochs=task.epochs, hyperband_iterations=1000)


def with_freeze_thaw(task: Task, seed: int) -> None:
    """Our search that pauses trainings; its epochs are those of the task."""
    with_oracle(oracles.FreezeThawSearchOracle, task, seed, max_trials=MOST, max_epochs=task.epochs)


def with_optuna(
    sampler: Callable[..., Any], pruner: Callable[[], Any], task: Task, seed: int
) -> None:
    """Optuna: `study.optimize` of a function that suggests, reports, and asks whether to prune."""

    def suggested(trial: optuna.Trial, one: Dimension) -> Any:
        if one.ordered:
            return one.levels[trial.suggest_int(one.name, 0, len(one.levels) - 1)]
        return trial.suggest_categorical(one.name, one.levels)

    def objective(trial: optuna.Trial) -> float:
        values = task.space.asked(partial(suggested, trial))
        shown: list[float] = []
        for epoch, value in enumerate(task.train(values)):
            shown.append(value)
            if task.epochs > 1:
                trial.report(value, epoch)
                if trial.should_prune():
                    raise optuna.TrialPruned
        return min(shown)

    study = optuna.create_study(sampler=sampler(seed=seed % 2**32), pruner=pruner())
    study.optimize(objective)


def with_hyperopt(algorithm: str, task: Task, seed: int) -> None:
    """Hyperopt: `fmin`."""
    import hyperopt

    hyperopt.fmin(
        lambda steps: min(task.train(at_steps(task, _flat(steps)))),
        expressions(task.space),
        algo=getattr(hyperopt, algorithm).suggest,
        max_evals=MOST,
        rstate=np.random.default_rng(seed),
        show_progressbar=False,
        verbose=False,
    )


def expressions(space: Space) -> dict[str, Any]:
    """A space in Hyperopt's words: what is there on a condition is within a choice's branch."""
    from hyperopt import hp

    made: dict[str, Any] = {}
    for one in reversed(space.dimensions):
        below = [child for child in space.dimensions if child.when and child.when[0] == one.name]
        names = range(len(one.levels)) if one.ordered else one.levels
        branches = [
            {one.name: name}
            | {child.name: made[child.name] for child in below if level in child.when[1]}
            for name, level in zip(names, one.levels, strict=True)
        ]
        for child in below:
            del made[child.name]
        if below or not one.ordered:
            made[one.name] = hp.choice(one.name, branches if below else one.levels)
        else:
            made[one.name] = hp.uniformint(one.name, 0, len(one.levels) - 1)
    return made


def _flat(steps: Mapping[str, Any]) -> Values:
    flat: Values = {}
    for name, step in steps.items():
        flat |= step if isinstance(step, dict) else {name: step}
    return flat


def with_ray(task: Task, seed: int) -> None:
    """Ray Tune: random values, ended by its ASHA; the actors it trains in would change nothing."""
    from ray import tune
    from ray.tune.schedulers import ASHAScheduler, TrialScheduler

    stream = np.random.RandomState(seed % 2**32)
    space = {
        one.name: tune.randint(0, len(one.levels)) if one.ordered else tune.choice(list(one.levels))
        for one in task.space.dimensions
    }
    scheduler = ASHAScheduler(metric="score", mode="min", max_t=task.epochs)
    for number in itertools.count():
        trial = SimpleNamespace(trial_id=str(number))
        scheduler.on_trial_add(None, trial)
        steps = {name: domain.sample(random_state=stream) for name, domain in space.items()}
        for epoch, value in enumerate(task.train(at_steps(task, steps)), start=1):
            shown = {"training_iteration": epoch, "score": value}
            if scheduler.on_trial_result(None, trial, shown) == TrialScheduler.STOP:
                break


def with_bayesian_optimization(task: Task, seed: int) -> None:
    """bayesian-optimization: `maximize`, with its typed parameters.

    It looks for its next point by our arithmetic: point by point it takes up to 12 seconds a trial.
    """
    from bayes_opt import BayesianOptimization

    bounds: Mapping[str, Any] = {
        one.name: (0, len(one.levels) - 1, int) if one.ordered else one.levels
        for one in task.space.dimensions
    }
    optimizer = BayesianOptimization(
        lambda **steps: -min(task.train(at_steps(task, steps))),
        bounds,
        random_state=seed % 2**32,
        verbose=0,
        allow_duplicate_points=True,
    )
    quicken(optimizer.acquisition_function)
    optimizer.maximize(init_points=5, n_iter=task.problem.trials)


def at_steps(task: Task, steps: Mapping[str, Any]) -> Values:
    """The values of a configuration whose numbers are given by their steps."""

    def value(one: Dimension) -> Any:
        return one.levels[int(steps[one.name])] if one.ordered else steps[one.name]

    return task.space.asked(value)


def ours(kind: type[Any], pruner: str | None = None, **options: Any) -> Search:
    return partial(with_oracle, kind, pruner=pruner, **options)


def of_optuna(sampler: Any, pruner: Any = optuna.pruners.NopPruner) -> Search:
    return partial(with_optuna, sampler, pruner)


TPE, ASHA = optuna.samplers.TPESampler, optuna.pruners.SuccessiveHalvingPruner
OURS = {
    "kt_hpo TPE": Library(ours(oracles.OptunaSearchOracle)),
    "kt_hpo random": Library(ours(oracles.RandomSearchOracle)),
    "kt_hpo evolution": Library(ours(oracles.EvolutionarySearchOracle)),
    "kt_hpo CMA-ES": Library(
        ours(oracles.OptunaSearchOracle, sampler="cmaes"), takes_choices=False
    ),
    "kt_hpo NSGA-II": Library(ours(oracles.OptunaSearchOracle, sampler="nsga2")),
    "kt_hpo Hyperopt's TPE": Library(ours(oracles.HyperoptSearchOracle)),
    "kt_hpo Gaussian process": Library(ours(oracles.BayesianOptimizationOracle), thinks=0.1),
    "kt_hpo bayesopt": Library(ours(oracles.BayesOptSearchOracle), thinks=0.5),
    "kt_hpo GaussianProcessSearch": Library(ours(oracles.GaussianProcessSearchOracle), thinks=0.02),
    "kt_hpo freeze-thaw": Library(with_freeze_thaw, True, thinks=0.05),
    "kt_hpo Hyperband": Library(partial(with_hyperband, oracles.HyperbandOracle), True),
    **{
        f"kt_hpo {name}, {pruner}": Library(ours(kind, pruner), True)
        for pruner in ("median", "asha", "hyperband")
        for name, kind in {
            "TPE": oracles.OptunaSearchOracle,
            "random": oracles.RandomSearchOracle,
        }.items()
    },
}
PEERS = {
    "Keras Tuner random": Library(partial(with_oracle, keras_tuner.oracles.RandomSearchOracle)),
    "Keras Tuner grid": Library(partial(with_oracle, keras_tuner.oracles.GridSearchOracle)),
    "Keras Tuner Gaussian process": Library(partial(with_oracle, KerasTunersProcess), thinks=0.1),
    "Keras Tuner Hyperband": Library(
        partial(with_hyperband, keras_tuner.oracles.HyperbandOracle), True
    ),
    "Optuna TPE": Library(of_optuna(TPE)),
    "Optuna random": Library(of_optuna(optuna.samplers.RandomSampler)),
    "Optuna TPE, median": Library(of_optuna(TPE, optuna.pruners.MedianPruner), True),
    "Optuna TPE, ASHA": Library(of_optuna(TPE, ASHA), True),
    "Optuna TPE, Hyperband": Library(of_optuna(TPE, optuna.pruners.HyperbandPruner), True),
    "Hyperopt TPE": Library(partial(with_hyperopt, "tpe")),
    "Hyperopt annealing": Library(partial(with_hyperopt, "anneal")),
    "Ray random, ASHA": Library(with_ray, True),
    "bayesian-optimization": Library(with_bayesian_optimization, thinks=0.5),
}
LIBRARIES = OURS | PEERS


def search(name: str, task: Task, seed: int, **options: Any) -> None:
    """Lets a library search a task until its budget is spent."""
    logging.getLogger("hyperopt").setLevel(logging.CRITICAL)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings(), suppress(Exhausted):
        warnings.simplefilter("ignore")
        LIBRARIES[name].search(task, seed, **options)
