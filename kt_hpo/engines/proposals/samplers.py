"""Optuna's samplers: by name, with random numbers of every trial's own, over a space they know."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras_tuner
import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import (
    BaseSampler,
    BruteForceSampler,
    CmaEsSampler,
    GPSampler,
    NSGAIIISampler,
    NSGAIISampler,
    QMCSampler,
    RandomSampler,
    TPESampler,
)

from kt_hpo._private_apis.optuna import cmaes_population
from kt_hpo.arguments import did_you_mean
from kt_hpo.optional import require
from kt_hpo.record.record import quiet_optuna
from kt_hpo.space import domain
from kt_hpo.space.hyperparameters import HyperParameter
from kt_hpo.space.kinds import corrected
from kt_hpo.space.scopes import recorded_names


def tpe(num_initial_points: int = 10) -> TPESampler:
    """Makes kt_hpo's default: TPE over groups of conditional hyperparameters, fit for parallel use.

    Multivariate TPE (Falkner et al. 2018, section 3.2) over the groups of hyperparameters that
    occur together; running trials count as bad ones, so that parallel trials spread out.

    Args:
        num_initial_points: How many random trials come first.

    Returns:
        The sampler.
    """
    with quiet_optuna():
        return TPESampler(
            n_startup_trials=num_initial_points, multivariate=True, group=True, constant_liar=True
        )


SAMPLERS: dict[str, Callable[[], BaseSampler]] = {
    "tpe": tpe,
    "cmaes": CmaEsSampler,
    "nsga2": NSGAIISampler,
    "nsga3": NSGAIIISampler,
    "qmc": lambda: QMCSampler(scramble=True, seed=0),
    "gp": GPSampler,
    "random": RandomSampler,
    "brute_force": BruteForceSampler,
}


def make_sampler(sampler: str | BaseSampler | None) -> BaseSampler:
    """Makes a sampler from its name.

    Args:
        sampler: An Optuna sampler; one of tpe, cmaes, nsga2, nsga3, qmc (scrambled Sobol points),
            gp, random, brute_force (every combination); or None for tpe.

    Returns:
        The sampler.

    Raises:
        ValueError: If the name is not known; the nearest is suggested.
        TypeError: If it is neither a name nor a sampler.
        ImportError: If the package it needs is not installed, with the install line.

    Example:
        >>> type(make_sampler("cmaes")).__name__
        'CmaEsSampler'
    """
    if isinstance(sampler, str) and sampler not in SAMPLERS:
        hint = did_you_mean(sampler, SAMPLERS)
        raise ValueError(
            f"sampler={sampler!r} is not one of {', '.join(SAMPLERS)}.{hint} Any object of "
            "optuna.samplers is taken as well."
        )
    with quiet_optuna():
        made = tpe() if sampler is None else sampler
        made = SAMPLERS[made]() if isinstance(made, str) else made
    if not isinstance(made, BaseSampler):
        raise TypeError(
            f"sampler={sampler!r} is neither a name ({', '.join(SAMPLERS)}) nor an optuna.samplers "
            "object, such as optuna.samplers.TPESampler()."
        )
    for kind, package, extra in ((GPSampler, "torch", "gp"), (CmaEsSampler, "cmaes", "cmaes")):
        if isinstance(made, kind):
            require(package, extra)
    return made


def reseed(sampler: BaseSampler, entropy: Sequence[int]) -> None:
    """Begins a stream of random numbers in all parts of a sampler.

    Args:
        sampler: The sampler.
        entropy: Numbers from 0 on that name the stream.
    """
    for index, state in enumerate(_random_states(sampler, set())):
        words = np.random.SeedSequence([*entropy, index]).generate_state(4)
        state.seed(words.tolist())


def seed_of(sampler: BaseSampler) -> int:
    """Draws a seed from a sampler: always the same from one that was made with a seed.

    Args:
        sampler: The sampler.

    Returns:
        A number below 2**31; 0 for a sampler without random numbers.
    """
    for state in _random_states(sampler, set()):
        return int(state.randint(2**31))
    return 0


def has_fixed_dimensions(sampler: BaseSampler) -> bool:
    """Tells whether a sampler works in one space of as many dimensions all along.

    Args:
        sampler: The sampler.

    Returns:
        True for CMA-ES and QMC.
    """
    return isinstance(sampler, CmaEsSampler | QMCSampler)


def is_own(sampler: BaseSampler) -> bool:
    """Tells whether a sampler is one of Optuna's that takes any space as it comes.

    Args:
        sampler: The sampler.

    Returns:
        False for what a user has written, and for samplers that are given values of their own, such
        as `GridSampler`.
    """
    return type(sampler) in (
        CmaEsSampler, GPSampler, NSGAIIISampler, NSGAIISampler, QMCSampler, RandomSampler,
        TPESampler,
    )  # fmt: skip


def population_of(sampler: BaseSampler) -> int | None:
    """Tells how many trials a generation of a sampler has that needs but the latest and the best.

    Args:
        sampler: The sampler.

    Returns:
        The number; 0 for TPE and the Gaussian process, which have no generations, and None for
        samplers that need to see all trials.
    """
    if type(sampler) in (GPSampler, TPESampler):
        return 0
    if type(sampler) in (NSGAIIISampler, NSGAIISampler):
        return getattr(sampler, "population_size", None)
    return cmaes_population(sampler) if type(sampler) is CmaEsSampler else None


def takes_no_choices(sampler: BaseSampler) -> bool:
    """Tells whether a sampler searches numbers only.

    Args:
        sampler: The sampler.

    Returns:
        True for CMA-ES.
    """
    return isinstance(sampler, CmaEsSampler)


def relative_space(
    sampler: BaseSampler,
    known: keras_tuner.HyperParameters,
    recorded: Sequence[str] | None,
    distribution_of: Callable[[HyperParameter], BaseDistribution] = domain.to_distribution,
) -> dict[str, BaseDistribution] | None:
    """Gives the space that a sampler of a fixed number of dimensions is to work in.

    CMA-ES and QMC take their space from the first trials. Where one of these had a conditional
    hyperparameter that later ones lack, they fall back on random sampling for good. The
    hyperparameters without conditions are in every trial.

    Args:
        sampler: The sampler.
        known: The search space.
        recorded: Names that the first trial has; later ones are never added. None before it.
        distribution_of: Gives the distribution that the sampler sees of a hyperparameter.

    Returns:
        Distributions by the names in the record; None for a sampler that infers its own.
    """
    if not has_fixed_dimensions(sampler):
        return None
    unconditional = {
        name: distribution_of(corrected(hyperparameter))
        for hyperparameter, name in recorded_names(known)
        if not hyperparameter.conditions and (recorded is None or name in recorded)
    }
    return {
        name: distribution
        for name, distribution in unconditional.items()
        if not distribution.single()
        and not (takes_no_choices(sampler) and isinstance(distribution, CategoricalDistribution))
    }


def _random_states(part: Any, seen: set[int]) -> Iterator[np.random.RandomState]:
    """The sources of random numbers of a sampler and all it is made of."""
    if id(part) in seen:
        return
    seen.add(id(part))
    state = part if isinstance(part, np.random.RandomState) else getattr(part, "rng", None)
    if isinstance(state, np.random.RandomState):
        yield state
    elif type(part).__module__.startswith("optuna.") or isinstance(part, BaseSampler):
        for _, value in sorted(getattr(part, "__dict__", {}).items()):
            yield from _random_states(value, seen)
