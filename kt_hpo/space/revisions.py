"""A space whose ranges have changed since its search was begun.

Under one name Optuna takes other ends of a range of numbers, but no other choices and no other
scale: what has changed so is recorded under a further name.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from itertools import count

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial

from kt_hpo.space import domain
from kt_hpo.space.hyperparameters import HyperParameter, HyperParameters, asks_alike
from kt_hpo.space.kinds import in_words
from kt_hpo.space.scopes import all_recorded_names, first_names

OUTSIDE = "Its values are outside of the ranges that the hyperparameters have now."


def changes(
    known: HyperParameters, asked: Iterable[HyperParameter]
) -> list[tuple[HyperParameter, HyperParameter]]:
    """Lists the hyperparameters that are asked for with another range than the known one.

    Args:
        known: The space as it was.
        asked: Hyperparameters as they are asked for now.

    Returns:
        Each as it was and as it is.
    """
    pairs = [(known.entry(one), one) for one in asked]
    return [(old, new) for old, new in pairs if old is not None and not asks_alike(old, new)]


def revise(
    known: HyperParameters,
    changed: Sequence[HyperParameter],
    trials: Iterable[FrozenTrial],
    taken: Iterable[str] = (),
) -> None:
    """Gives hyperparameters of a space other ranges, and other names in the record where needed.

    Args:
        known: The space, which is changed.
        changed: Hyperparameters with their new ranges.
        trials: The trials that are recorded.
        taken: Names that are not to be used.
    """
    recorded: dict[str, list[BaseDistribution]] = {name: [] for name in taken}
    for trial in trials:
        for name, distribution in trial.distributions.items():
            if distribution not in (alike := recorded.setdefault(name, [])):
                alike.append(distribution)
    by_name = {(one.name, str(one.conditions)): one for one in changed}
    for old, first_name in list(first_names(known)):
        new = by_name.get((old.name, str(old.conditions)))
        if new is None:
            continue
        known.replace(new)
        distribution = domain.to_distribution(new)
        numbered = (first_name if n == 1 else f"{first_name} [{n}]" for n in count(1))
        name = next(
            name
            for name in numbered
            if name not in taken
            and all(_may_share_a_name(one, distribution) for one in recorded.get(name, []))
        )
        others = known.recorded_as.get(first_name, [first_name])
        known.recorded_as[first_name] = [name, *(other for other in others if other != name)]


def refusal(project: str, old: HyperParameter, new: HyperParameter) -> str | None:
    """Says why a search cannot go on with another hyperparameter under a name.

    Args:
        project: Name of the search.
        old: The hyperparameter as it is recorded.
        new: The hyperparameter as it is asked for.

    Returns:
        The reason, and how to go on; None where it has another range only.
    """
    if type(domain.to_distribution(old)) is type(domain.to_distribution(new)):
        return None
    return (
        f"In the search of project {project!r} {new.name!r} is {in_words(old)}, and is asked for "
        f"as {in_words(new)} now: another kind of hyperparameter. Give the hyperparameter another "
        "name, give the new search another project_name, or overwrite=True to begin anew."
    )


def notice(project: str, old: HyperParameter, new: HyperParameter) -> str:
    """Says that the range of a hyperparameter has changed.

    Args:
        project: Name of the search.
        old: The hyperparameter as it was recorded.
        new: The hyperparameter as it is asked for.

    Returns:
        A sentence with both ranges.
    """
    return (
        f"In the search of project {project!r} {new.name!r} was {in_words(old)}, and is "
        f"{in_words(new)} from now on. New trials keep to the new range; trials there are stay in "
        "the record, and the search learns from those whose values are in the new range."
    )


def as_now(trials: Sequence[FrozenTrial], known: HyperParameters | None) -> list[FrozenTrial]:
    """Gives recorded trials the names and ranges that a space has now.

    Args:
        trials: Trials of the record.
        known: The search space; None where it is not recorded.

    Returns:
        The trials in their order; those whose values are outside are as they were.

    Example:
        >>> import optuna
        >>> hp = HyperParameters()
        >>> hp.Int("units", 1, 1000)
        1
        >>> hp.recorded_as = {"units": ["units"]}
        >>> old = optuna.create_trial(
        ...     value=0.5, params={"units": 3}, distributions={"units": IntDistribution(1, 8)}
        ... )
        >>> as_now([old], hp)[0].distributions
        {'units': IntDistribution(high=1000, log=False, low=1, step=1)}
    """
    if known is None or not known.recorded_as:
        return list(trials)
    return [_as_now(trial, known) for trial in trials]


def is_as_now(trial: FrozenTrial, known: HyperParameters) -> bool:
    """Tells whether the values of a recorded trial are in the ranges that a space has now.

    Args:
        trial: A trial of the record.
        known: The search space.

    Returns:
        Whether they are.
    """
    return not known.recorded_as or domain.fits(
        known, domain.from_params(known, trial.params).values
    )


def _as_now(trial: FrozenTrial, known: HyperParameters) -> FrozenTrial:
    if not is_as_now(trial, known):
        return trial
    values = domain.from_params(known, trial.params).values
    params, distributions, _ = domain.to_params(known, values)
    former = {name for _, names in all_recorded_names(known) for name in names}
    kept = [name for name in trial.params if name not in former]
    made = copy.copy(trial)
    made.params = {name: trial.params[name] for name in kept} | params
    made.distributions = {name: trial.distributions[name] for name in kept} | distributions
    return made


def _may_share_a_name(one: BaseDistribution, other: BaseDistribution) -> bool:
    """Whether Optuna takes two distributions for the same parameter."""
    if isinstance(one, CategoricalDistribution) or isinstance(other, CategoricalDistribution):
        return one == other
    assert isinstance(one, IntDistribution | FloatDistribution)
    assert isinstance(other, IntDistribution | FloatDistribution)
    return type(one) is type(other) and one.log == other.log
