"""Hyperopt's algorithms (Bergstra et al. 2011, "Algorithms for Hyper-Parameter Optimization")."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from heapq import nsmallest
from typing import Any, TypeAlias

import keras_tuner
from keras_tuner.engine.trial import Trial, TrialStatus

from kt_hpo.engines.proposals.observations import (
    Observation,
    dimensions,
    is_choice,
    observations,
    to_unit,
)
from kt_hpo.engines.proposals.recent_trials import RecentTrials
from kt_hpo.objectives import ObjectiveLike
from kt_hpo.optional import require
from kt_hpo.oracle.recorded import RecordedOracle
from kt_hpo.oracle.trials import PRUNED
from kt_hpo.space.hyperparameters import HyperParameter
from kt_hpo.space.kinds import Value
from kt_hpo.space.scopes import active_values, is_active
from kt_hpo.tuner import Tuner

# What `hyperopt.fmin` takes as `algo`.
Suggest: TypeAlias = Callable[..., list[dict[str, Any]]]

_ALGORITHMS = {"tpe": "hyperopt.tpe", "anneal": "hyperopt.anneal", "random": "hyperopt.rand"}


class HyperoptSearchOracle(RecordedOracle):
    """Asks one of Hyperopt's algorithms for the values of every trial.

    Hyperopt's trials are made from this search's own, and each trial has a seed of its own, so an
    interrupted search goes on as it would have.

    Args:
        objective: As in `keras_tuner.Oracle`.
        max_trials: How many trials to run at most.
        algorithm: "tpe", "anneal", "random", or a function that `hyperopt.fmin` takes as `algo`,
            such as `functools.partial(hyperopt.tpe.suggest, n_startup_jobs=10)`.
        seed: Seed of the algorithm. The same seed gives the same trials.
        **kwargs: As in `keras_tuner.Oracle`.

    Raises:
        ValueError: If the name of the algorithm is not known.
        ImportError: If Hyperopt is not installed, with the install line.

    Example:
        >>> HyperoptSearchOracle("val_loss", algorithm="anneal").suggest.__module__
        'hyperopt.anneal'
    """

    learns_from_trials = True

    def __init__(
        self,
        objective: Any = None,
        max_trials: int = 10,
        algorithm: str | Suggest = "tpe",
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        self.suggest = make_suggest(algorithm)
        self._recent = RecentTrials()
        self._names: list[str] = []
        self._written: list[tuple[Observation, dict[str, Any]]] = []
        super().__init__(objective=objective, max_trials=max_trials, seed=seed, **kwargs)

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Asks the algorithm for the values of a trial.

        Args:
            trial_id: The trial's id.

        Returns:
            `{"status": ..., "values": ...}`, as every oracle. A point that was tried already is
            replaced by a random one; a search that finds none ends.
        """
        return self._untried(self._ask())

    def _ask(self) -> dict[str, Value]:
        hyperopt = require("hyperopt", "hyperopt")
        known = self.hyperparameters
        if not dimensions(known):  # Of an empty space Hyperopt makes no domain.
            return from_numbers(known, {})
        domain = hyperopt.base.Domain(None, to_hyperopt(known))
        trials, options = self._told()
        seen = observations(trials, self.objective)
        documents = self._documents(seen, list(domain.params))
        written = hyperopt.trials_from_docs(documents, validate=False)
        seed = int(self._stream().integers(2**31))
        (suggested,) = self.suggest([len(seen)], domain, written, seed, **options)
        drawn = suggested["misc"]["vals"]
        return from_numbers(known, {name: each[0] for name, each in drawn.items() if len(each)})

    def _told(self) -> tuple[list[Trial], dict[str, float]]:
        """The trials that the algorithm is told of, and how it is to look at them.

        Hyperopt's own TPE is told of the latest of many and the best. It takes `gamma sqrt(trials)`
        of them for good ones, up to 25; these stay as many.
        """
        trials = self.known_trials()
        if self.suggest is not make_suggest("tpe"):
            return trials, {}
        recent = self._recent.pick(trials, self._best_of)
        if len(recent) == len(trials):
            return trials, {}
        gamma = inspect.signature(self.suggest).parameters["gamma"].default
        return recent, {"gamma": gamma * math.sqrt(len(trials) / len(recent))}

    def _best_of(self, trials: list[Trial], count: int) -> list[Trial]:
        sign = -1 if self.objective.direction == "max" else 1
        ended = [trial for trial in trials if trial.status in (TrialStatus.COMPLETED, PRUNED)]
        best = {id(one) for one in nsmallest(count, ended, key=lambda one: sign * one.score)}
        return [trial for trial in ended if id(trial) in best]

    def _documents(self, seen: list[Observation], names: list[str]) -> list[dict[str, Any]]:
        """The trials as Hyperopt keeps them; what has ended is written once."""
        before = self._written if names == self._names else []
        self._names, self._written = names, []
        for number, observation in enumerate(seen):
            ended = observation.loss is not None
            if ended and number < len(before) and before[number][0] == observation:
                self._written.append(before[number])
            else:
                numbers = to_numbers(self.hyperparameters, observation.values)
                document = _document(number, numbers, observation.loss, names)
                self._written.append((observation, document))
        return [document for _, document in self._written]


def make_suggest(algorithm: str | Suggest) -> Suggest:
    """Finds one of Hyperopt's algorithms.

    Args:
        algorithm: "tpe", "anneal", "random", or the function itself.

    Returns:
        What `hyperopt.fmin` takes as `algo`.

    Raises:
        ValueError: If the name is not known.
        ImportError: If Hyperopt is not installed, with the install line.

    Example:
        >>> make_suggest("random").__module__
        'hyperopt.rand'
    """
    if callable(algorithm):
        return algorithm
    if not isinstance(algorithm, str) or algorithm not in _ALGORITHMS:
        raise ValueError(
            f"algorithm={algorithm!r} is not one of {', '.join(_ALGORITHMS)}. A function that "
            "hyperopt.fmin takes as algo, such as hyperopt.tpe.suggest, is taken as well."
        )
    return require(_ALGORITHMS[algorithm], "hyperopt").suggest


def to_hyperopt(known: keras_tuner.HyperParameters) -> list[Any]:
    """Writes a search space as Hyperopt does.

    A choice is an index, as in `hyperopt.hp.choice`; anything else is uniform from 0 to 1 on the
    scale it is sampled on, which holds for logarithms, reverse logarithms, steps and orders alike.
    What stands in the scope of a choice is nested in the option of that choice. Hyperopt knows no
    conditions on numbers: what hangs on one is drawn always and used where it is active.

    Args:
        known: The search space.

    Returns:
        A Hyperopt expression for each hyperparameter of more than one value.

    Example:
        >>> hp = keras_tuner.HyperParameters()
        >>> hp.Float("rate", 1e-4, 1e-1, sampling="log")
        0.0001
        >>> [expression.name for expression in to_hyperopt(hp)]
        ['hyperopt_param']
    """
    scope = require("hyperopt.pyll", "hyperopt").scope
    choices: list[tuple[HyperParameter, Any]] = []
    expressions = []
    for hyperparameter, name in dimensions(known):
        if is_choice(hyperparameter):
            drawn = scope.hyperopt_param(name, scope.randint(len(hyperparameter.values)))
            choices.append((hyperparameter, drawn))
        else:
            drawn = scope.hyperopt_param(name, scope.uniform(0, 1))
        for choice, index in _enclosing(hyperparameter, choices):
            allowed = next(c.values for c in hyperparameter.conditions if c.name == choice.name)
            options = [drawn if value in allowed else None for value in choice.values]
            drawn = scope.switch(index, *options)
        expressions.append(drawn)
    return expressions


def _enclosing(
    hyperparameter: HyperParameter, choices: list[tuple[HyperParameter, Any]]
) -> list[tuple[HyperParameter, Any]]:
    """The choices that a hyperparameter is in the scopes of, the innermost first.

    Several scopes may have a choice of one name; the one meant is in no other scope than this.
    """
    names = [condition.name for condition in hyperparameter.conditions]
    return [
        (choice, index)
        for choice, index in reversed(choices)
        if choice.name in names and all(c in hyperparameter.conditions for c in choice.conditions)
    ]


def to_numbers(
    known: keras_tuner.HyperParameters, values: Mapping[str, Value]
) -> dict[str, int | float]:
    """Turns values into what Hyperopt would have drawn for them; see `to_hyperopt`.

    Args:
        known: The search space.
        values: Values by the names of hyperparameters.

    Returns:
        Indices of choices and numbers from 0 to 1, by the names in the record.
    """
    return {
        name: list(hyperparameter.values).index(values[hyperparameter.name])
        if is_choice(hyperparameter)
        else to_unit(hyperparameter, values[hyperparameter.name])
        for hyperparameter, name in dimensions(known)
        if hyperparameter.name in values and is_active(hyperparameter, values)
    }


def from_numbers(
    known: keras_tuner.HyperParameters, numbers: Mapping[str, int | float]
) -> dict[str, Value]:
    """Turns what Hyperopt has drawn into values.

    Args:
        known: The search space.
        numbers: Indices of choices and numbers from 0 to 1, by the names in the record.

    Returns:
        The active values by the names of hyperparameters.
    """

    def value_of(hyperparameter: HyperParameter, name: str) -> Value:
        if name in numbers and is_choice(hyperparameter):
            return list(hyperparameter.values)[int(numbers[name])]
        return hyperparameter.prob_to_value(float(numbers.get(name, 0.5)))

    return active_values(known, value_of)


def _document(
    number: int, numbers: Mapping[str, int | float], loss: float | None, names: Iterable[str]
) -> dict[str, Any]:
    """A trial as Hyperopt keeps it; without a loss, one that runs, it counts as a bad one."""
    base = require("hyperopt.base", "hyperopt")
    result = {"status": base.STATUS_NEW if loss is None else base.STATUS_OK, "loss": loss}
    misc = {
        "tid": number,
        "idxs": {name: [number] if name in numbers else [] for name in names},
        "vals": {name: [numbers[name]] if name in numbers else [] for name in names},
    }
    (document,) = base.Trials().new_trial_docs([number], [None], [result], [misc])
    return document


class HyperoptSearch(Tuner):
    """Search with one of Hyperopt's algorithms; needs `pip install "kt-hpo[hyperopt]"`.

    Its TPE looks at each hyperparameter by itself and begins with 20 random trials; its annealing
    draws ever closer to the best trials. Both answer in hundredths of a second.

    Args:
        hypermodel: A `keras_tuner.HyperModel` or a function `build(hp)`.
        objective: Name of a metric, a `keras_tuner.Objective`, or a list of them.
        max_trials: How many trials to run at most.
        algorithm: "tpe", "anneal", "random", or a function that `hyperopt.fmin` takes as `algo`,
            such as `functools.partial(hyperopt.tpe.suggest, n_startup_jobs=10)`.
        seed: Seed of values, weights and shuffling. The same seed gives the same trials.
        hyperparameters: Space to override or to prescribe.
        tune_new_entries: Whether hyperparameters that are not in `hyperparameters` are searched.
        allow_new_entries: Whether the hypermodel may ask for such.
        max_retries_per_trial: How often a trial that failed is tried again.
        max_consecutive_failed_trials: After how many failed trials in a row the search stops.
        **kwargs: The arguments of `kt_hpo.Tuner`.

    Example:
        >>> class Parabola(HyperoptSearch):
        ...     def run_trial(self, trial):
        ...         return trial.hyperparameters.Float("x", -1, 1) ** 2
        >>> tuner = Parabola(max_trials=25, seed=0, directory="runs", overwrite=True)
        >>> tuner.search(verbose=0)
        >>> tuner.study.best_value < 0.1
        True
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: ObjectiveLike = None,
        max_trials: int = 10,
        algorithm: str | Suggest = "tpe",
        seed: int | None = None,
        hyperparameters: keras_tuner.HyperParameters | None = None,
        tune_new_entries: bool = True,
        allow_new_entries: bool = True,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
        **kwargs: Any,
    ) -> None:
        oracle = HyperoptSearchOracle(
            objective=objective,
            max_trials=max_trials,
            algorithm=algorithm,
            seed=seed,
            hyperparameters=hyperparameters,
            tune_new_entries=tune_new_entries,
            allow_new_entries=allow_new_entries,
            max_retries_per_trial=max_retries_per_trial,
            max_consecutive_failed_trials=max_consecutive_failed_trials,
        )
        super().__init__(oracle, hypermodel, **kwargs)
