"""Bayesian optimization with the package `bayesian-optimization` (`bayes_opt`), version 3."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping
from typing import Any

import keras_tuner
import numpy as np
from scipy.optimize import NonlinearConstraint
from threadpoolctl import threadpool_limits

from kt_hpo._private_apis.bayes_opt import set_process
from kt_hpo.arguments import check_whole
from kt_hpo.engines.proposals.acquisition import quicken
from kt_hpo.engines.proposals.gaussian_process import QuickProcess
from kt_hpo.engines.proposals.observations import (
    Observation,
    dimensions,
    is_choice,
    observations,
    to_unit,
)
from kt_hpo.objectives import ObjectiveLike
from kt_hpo.optional import require
from kt_hpo.oracle.recorded import RecordedOracle
from kt_hpo.space import domain
from kt_hpo.space.hyperparameters import HyperParameter
from kt_hpo.space.kinds import Value
from kt_hpo.space.scopes import active_values, is_active
from kt_hpo.tuner import Tuner

# Standardized losses make these scales fit every objective.
_ACQUISITIONS: dict[str, tuple[str, dict[str, float]]] = {
    "ei": ("ExpectedImprovement", {"xi": 0.01}),
    "ucb": ("UpperConfidenceBound", {"kappa": 2.576}),
    "poi": ("ProbabilityOfImprovement", {"xi": 0.01}),
}
# How often values that break the constraint are drawn again, and proposed again.
_DRAWS, _PROPOSALS = 1000, 5
# Where there are more, one is much like the next, and a slope finds the best sooner.
_MOST_LEVELS = 100


class BayesOptSearchOracle(RecordedOracle):
    """Proposes where a Gaussian process promises the most, with `bayes_opt`.

    Numbers are modeled from 0 to 1 on the scale they are sampled on: its kernel has one length for
    all, so that units up to 512 would drown a rate below 1. It knows which number is which value
    where they are at most 100. Choices are its categorical parameters. A hyperparameter that is not
    active stands in the middle of its range. A running trial counts as average ("constant liar",
    Ginsbourger et al. 2010, "Kriging Is Well-Suited to Parallelize Optimization", section 4.2), so
    that parallel trials spread out.

    Args:
        objective: As in `keras_tuner.Oracle`.
        max_trials: How many trials to run at most.
        acquisition: "ei" (expected improvement), "ucb" (upper confidence bound), "poi" (probability
            of improvement), or a `bayes_opt.acquisition` object. It is of a standardized objective;
            exploration that decays does so with every trial.
        num_initial_points: How many trials are drawn at random first; 5, as in bayes_opt.
        constraint: A `scipy.optimize.NonlinearConstraint` as `bayes_opt` takes it: its function is
            called with every hyperparameter by name and gives a number, or several. It is called
            often and should be quick. Values that break it are never proposed.
        seed: Seed of the proposals. The same seed gives the same trials.
        **kwargs: As in `keras_tuner.Oracle`.

    Raises:
        ValueError: If the acquisition is not known, or does not fit the constraint, or
            `num_initial_points` is below 1.
        TypeError: If the constraint is no `NonlinearConstraint`.
        ImportError: If the package is not installed, with the install line.

    Example:
        >>> oracle = BayesOptSearchOracle("val_loss", acquisition="ucb")
        >>> oracle.acquisition.kappa
        2.576
    """

    learns_from_trials = True

    def __init__(
        self,
        objective: Any = None,
        max_trials: int = 10,
        acquisition: Any = "ei",
        num_initial_points: int = 5,
        constraint: NonlinearConstraint | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        self.acquisition = make_acquisition(acquisition)
        _check_constraint(constraint, self.acquisition)
        check_whole(num_initial_points=num_initial_points)
        self.constraint = constraint
        self.num_initial_points = num_initial_points
        super().__init__(objective=objective, max_trials=max_trials, seed=seed, **kwargs)

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Proposes the values of a trial.

        Args:
            trial_id: The trial's id.

        Returns:
            `{"status": ..., "values": ...}`, as every oracle. A point that was tried already is
            replaced by a random one; a search that finds none ends.
        """
        seen = observations(self.known_trials(), self.objective)
        measured = [o for o in seen if o.loss is not None and np.isfinite(o.loss)]
        values: dict[str, Value] | None = None
        if dimensions(self.hyperparameters) and len(measured) >= self.num_initial_points:
            values = self._propose(seen)
        return self._untried(values)

    def _random_values(self) -> dict[str, Value] | None:
        if self.constraint is None:
            return super()._random_values()
        stream = self._stream()
        for _ in range(_DRAWS):
            values = domain.draw(self.hyperparameters, stream)
            if self._allows(values) and not self._is_refused(values):
                return values
        return None

    def _propose(self, seen: list[Observation]) -> dict[str, Value] | None:
        """The values that the model prefers among those allowed; None if it finds none."""
        optimizer = self._optimizer()
        for observation, target in zip(seen, _targets(seen), strict=True):
            self._register(optimizer, observation.values, target)
        for _ in range(_PROPOSALS):
            if optimizer.max is None:  # No trial so far keeps to the constraint.
                return None
            # Several threads wait for each other over matrices of a few numbers.
            with threadpool_limits(1):
                values = self._from_parameters(optimizer.suggest())
            if self._allows(values):
                return values
            # The model of the constraint learns from it. That of the objective does not: it is told
            # what it expects anyway ("kriging believer", Ginsbourger et al. 2010, section 4.2).
            expected = optimizer.predict(self._to_parameters(values), fit_gp=False)
            self._register(optimizer, values, float(expected))
        return None

    def _optimizer(self) -> Any:
        bayes_opt = require("bayes_opt", "bayesopt")
        acquisition = copy.deepcopy(self.acquisition)
        if hasattr(acquisition, "decay_exploration"):
            for number in range(len(self.trials)):
                acquisition.i = number + 1
                acquisition.decay_exploration()
        with warnings.catch_warnings(action="ignore"):  # Categories are called experimental.
            optimizer = bayes_opt.BayesianOptimization(
                f=None,
                pbounds={
                    name: _bounds(hyperparameter, name)
                    for hyperparameter, name in dimensions(self.hyperparameters)
                },
                acquisition_function=acquisition,
                constraint=self.constraint,
                random_state=int(self._stream().integers(2**31)),
                verbose=0,
                allow_duplicate_points=True,
            )
        # The same process, and the same search for its best point, but for the time they take.
        set_process(optimizer, QuickProcess)
        quicken(acquisition)
        return optimizer

    def _register(self, optimizer: Any, values: Mapping[str, Value], target: float) -> None:
        constraint_value = None if self.constraint is None else self._constraint_value(values)
        optimizer.register(self._to_parameters(values), target, constraint_value)

    def _to_parameters(self, values: Mapping[str, Value]) -> dict[str, float | str]:
        """A parameter for each hyperparameter: a number from 0 to 1, or the index of a choice."""
        parameters: dict[str, float | str] = {}
        for hyperparameter, name in dimensions(self.hyperparameters):
            active = hyperparameter.name in values and is_active(hyperparameter, values)
            value = values[hyperparameter.name] if active else hyperparameter.prob_to_value(0.5)
            if is_choice(hyperparameter):
                parameters[name] = str(list(hyperparameter.values).index(value))
            else:
                parameters[name] = to_unit(hyperparameter, value)
        return parameters

    def _from_parameters(self, parameters: Mapping[str, Any]) -> dict[str, Value]:
        def value_of(hyperparameter: HyperParameter, name: str) -> Value:
            if name in parameters and is_choice(hyperparameter):
                return list(hyperparameter.values)[int(parameters[name])]
            return hyperparameter.prob_to_value(float(parameters.get(name, 0.5)))

        return active_values(self.hyperparameters, value_of)

    def _allows(self, values: Mapping[str, Value]) -> bool:
        if self.constraint is None:
            return True
        value = self._constraint_value(values)
        return bool(np.all(value >= self.constraint.lb) and np.all(value <= self.constraint.ub))

    def _constraint_value(self, values: Mapping[str, Value]) -> Any:
        assert self.constraint is not None
        middle = {hp.name: hp.prob_to_value(0.5) for hp in self.hyperparameters.space}
        return self.constraint.fun(**(middle | dict(values)))


def _bounds(hyperparameter: HyperParameter, name: str) -> Any:
    """What `bayes_opt` knows of a hyperparameter: categories, levels, or the ends of a range."""
    from kt_hpo.engines.proposals.levels import Levels, level_count

    if is_choice(hyperparameter):
        return tuple(map(str, range(len(hyperparameter.values))))
    count = level_count(hyperparameter)
    return Levels(name, count) if count and count <= _MOST_LEVELS else (0.0, 1.0)


def make_acquisition(acquisition: Any) -> Any:
    """Makes an acquisition function from its name.

    Args:
        acquisition: "ei", "ucb", "poi", or a `bayes_opt.acquisition` object.

    Returns:
        The object.

    Raises:
        ValueError: If the name is not known, or it is a `GPHedge` or `ConstantLiar`.
        TypeError: If it is neither a name nor an acquisition function.
        ImportError: If the package is not installed, with the install line.

    Example:
        >>> make_acquisition("poi").xi
        0.01
    """
    functions = require("bayes_opt.acquisition", "bayesopt")
    names = ", ".join(_ACQUISITIONS)
    if isinstance(acquisition, str):
        if acquisition not in _ACQUISITIONS:
            raise ValueError(
                f"acquisition={acquisition!r} is not one of {names}. Any object of "
                "bayes_opt.acquisition but GPHedge and ConstantLiar is taken as well."
            )
        kind, arguments = _ACQUISITIONS[acquisition]
        return getattr(functions, kind)(**arguments)
    if not isinstance(acquisition, functions.AcquisitionFunction):
        raise TypeError(
            f"acquisition={acquisition!r} is neither a name ({names}) nor a bayes_opt.acquisition "
            "object, such as bayes_opt.acquisition.ExpectedImprovement(xi=0.1)."
        )
    if isinstance(acquisition, functions.GPHedge | functions.ConstantLiar):
        raise ValueError(
            f"acquisition={type(acquisition).__name__}(...) is not allowed: what it remembers is "
            "not in the record, so an interrupted search would go on differently. Give one of "
            f"{names}, or a function it is made of; parallel trials spread out with each of them."
        )
    return acquisition


def _check_constraint(constraint: Any, acquisition: Any) -> None:
    if constraint is None:
        return
    if not isinstance(constraint, NonlinearConstraint):
        raise TypeError(
            f"constraint={constraint!r} is not allowed; give a scipy.optimize.NonlinearConstraint, "
            "for example NonlinearConstraint(lambda units, layers: units * layers, 0, 256)."
        )
    functions = require("bayes_opt.acquisition", "bayesopt")
    if isinstance(acquisition, functions.UpperConfidenceBound):
        raise ValueError(
            "An upper confidence bound knows no constraints; with constraint= give "
            'acquisition="ei" or "poi".'
        )


def _targets(seen: list[Observation]) -> np.ndarray:
    """What is to be maximized: losses of mean 0 and deviation 1, their sign turned."""
    losses = np.array([np.nan if o.loss is None else o.loss for o in seen])
    finite = losses[np.isfinite(losses)]
    losses = np.where(np.isnan(losses), finite.mean(), losses)
    losses = np.clip(losses, finite.min(), finite.max())
    return (finite.mean() - losses) / (finite.std() or 1.0)


class BayesOptSearch(Tuner):
    """Search with a Gaussian process; needs `pip install "kt-hpo[bayesopt]"`.

    Good where a trial is long and hyperparameters are few and mostly numbers: it thinks for some
    tenths of a second a trial. A constraint keeps trials to values that are allowed, and its
    boundary is learned.

    Args:
        hypermodel: A `keras_tuner.HyperModel` or a function `build(hp)`.
        objective: Name of a metric, a `keras_tuner.Objective`, or a list of them.
        max_trials: How many trials to run at most.
        acquisition: "ei" (expected improvement), "ucb" (upper confidence bound), "poi" (probability
            of improvement), or a `bayes_opt.acquisition` object.
        num_initial_points: How many trials are drawn at random first; 5, as in bayes_opt.
        constraint: A `scipy.optimize.NonlinearConstraint` whose function takes hyperparameters by
            name and gives a number; it is called for values, before any training.
        seed: Seed of values, weights and shuffling. The same seed gives the same trials.
        hyperparameters: Space to override or to prescribe.
        tune_new_entries: Whether hyperparameters that are not in `hyperparameters` are searched.
        allow_new_entries: Whether the hypermodel may ask for such.
        max_retries_per_trial: How often a trial that failed is tried again.
        max_consecutive_failed_trials: After how many failed trials in a row the search stops.
        **kwargs: The arguments of `kt_hpo.Tuner`.

    Example:
        >>> class Parabola(BayesOptSearch):
        ...     def run_trial(self, trial):
        ...         return trial.hyperparameters.Float("x", -1, 1) ** 2
        >>> tuner = Parabola(max_trials=8, seed=1, directory="runs", overwrite=True)
        >>> tuner.search(verbose=0)
        >>> tuner.study.best_value < 0.1
        True
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: ObjectiveLike = None,
        max_trials: int = 10,
        acquisition: Any = "ei",
        num_initial_points: int = 5,
        constraint: NonlinearConstraint | None = None,
        seed: int | None = None,
        hyperparameters: keras_tuner.HyperParameters | None = None,
        tune_new_entries: bool = True,
        allow_new_entries: bool = True,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
        **kwargs: Any,
    ) -> None:
        oracle = BayesOptSearchOracle(
            objective=objective,
            max_trials=max_trials,
            acquisition=acquisition,
            num_initial_points=num_initial_points,
            constraint=constraint,
            seed=seed,
            hyperparameters=hyperparameters,
            tune_new_entries=tune_new_entries,
            allow_new_entries=allow_new_entries,
            max_retries_per_trial=max_retries_per_trial,
            max_consecutive_failed_trials=max_consecutive_failed_trials,
        )
        super().__init__(oracle, hypermodel, **kwargs)
