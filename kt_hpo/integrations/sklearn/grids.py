"""A hypermodel's space as scikit-learn's searches take it: a grid, or distributions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from scipy import stats
from sklearn.utils import check_random_state

from kt_hpo.arguments import check_whole
from kt_hpo.integrations.sklearn.configurations import HyperModelLike, find_space
from kt_hpo.space.hyperparameters import HyperParameter, HyperParameters
from kt_hpo.space.kinds import Boolean, Choice, Fixed, Float, Int, Value
from kt_hpo.space.scopes import is_active


class Sampled:
    """Draws a hyperparameter as Keras Tuner does; for ranges that SciPy has no distribution of.

    Args:
        hyperparameter: The hyperparameter.

    Example:
        >>> Sampled(Int("units", 8, 4096, sampling="log")).rvs(random_state=0)
        245
    """

    def __init__(self, hyperparameter: HyperParameter) -> None:
        self.hyperparameter = hyperparameter

    def rvs(self, size: int | None = None, random_state: Any = None) -> Any:
        """Draws values.

        Args:
            size: How many; None for one alone.
            random_state: A seed or `numpy.random.RandomState`.

        Returns:
            The value, or a list of values.
        """
        drawn = check_random_state(random_state).random_sample(size)
        if size is None:
            return self.hyperparameter.prob_to_value(float(drawn))
        return [self.hyperparameter.prob_to_value(float(one)) for one in drawn]

    def __repr__(self) -> str:
        return f"Sampled({self.hyperparameter!r})"


def param_grid(
    hypermodel: HyperModelLike, levels: int = 10, *, prefix: str = ""
) -> list[dict[str, list[Value]]]:
    """Gives the grid of a hypermodel for `GridSearchCV` and `HalvingGridSearchCV`.

    Args:
        hypermodel: A `keras_tuner.HyperModel` or a build function.
        levels: How many values a range has at most, evenly spaced in its sampling; a range with
            fewer gives them all. At 10 they are those of `kt_hpo.GridSearch` for a range without
            a step.
        prefix: Stands before every name: `"kerashyperclassifier__"` for a step of a pipeline.

    Returns:
        A grid for each combination of conditional scopes, with the hyperparameters that are active
        in it: no configuration is there twice.

    Raises:
        ValueError: If `levels` is no whole number from 1 on, or the hypermodel cannot be built.

    Example:
        >>> def build(hp):
        ...     hp.Choice("kind", ["linear", "deep"])
        ...     with hp.conditional_scope("kind", ["deep"]):
        ...         hp.Int("units", 4, 12, step=4)
        >>> param_grid(build)
        [{'kind': ['linear']}, {'kind': ['deep'], 'units': [4, 8, 12]}]
    """
    check_whole(levels=levels)
    grids = scopes(find_space(hypermodel), lambda hyperparameter: _levels(hyperparameter, levels))
    return [_prefixed(grid, prefix) for grid in grids]


def param_distributions(hypermodel: HyperModelLike, *, prefix: str = "") -> list[dict[str, Any]]:
    """Gives what `RandomizedSearchCV` and `HalvingRandomSearchCV` draw from.

    Each combination of conditional scopes is drawn as often as any other.

    Args:
        hypermodel: A `keras_tuner.HyperModel` or a build function.
        prefix: Stands before every name: `"kerashyperclassifier__"` for a step of a pipeline.

    Returns:
        For each combination of conditional scopes the hyperparameters that are active in it, with
        SciPy's `randint`, `uniform` or `loguniform`, or a list of values where they are few or
        stepped. What SciPy lacks, such as integers on a logarithmic scale, is drawn by `Sampled`.

    Raises:
        ValueError: If the hypermodel cannot be built.

    Example:
        >>> def build(hp):
        ...     hp.Float("rate", 1e-4, 1e-1, sampling="log")
        ...     hp.Choice("activation", ["relu", "tanh"])
        >>> [distributions] = param_distributions(build)
        >>> distributions["activation"]
        ['relu', 'tanh']
        >>> distributions["rate"].dist.name
        'loguniform'
    """
    space = find_space(hypermodel)
    parents = {condition.name for each in space.space for condition in each.conditions}

    def pool(hyperparameter: HyperParameter) -> Any:
        # The values of a parent are divided between its scopes, so they have to be listed.
        if hyperparameter.name in parents and isinstance(hyperparameter, Int):
            return _listed(hyperparameter)
        return _distribution(hyperparameter)

    return [_prefixed(one, prefix) for one in scopes(space, pool)]


def scopes(space: HyperParameters, pool: Callable[[HyperParameter], Any]) -> list[dict[str, Any]]:
    """Divides a space into parts in each of which the same hyperparameters are active.

    Args:
        space: The space.
        pool: Gives what a hyperparameter's values are taken from: a list, or a distribution.

    Returns:
        For each part the pools of its hyperparameters by name.

    Example:
        >>> hp = HyperParameters()
        >>> hp.Choice("kind", ["a", "b", "c"])
        'a'
        >>> with hp.conditional_scope("kind", ["b", "c"]):
        ...     hp.Fixed("units", 3)
        >>> scopes(hp, lambda one: list(one.values))
        [{'kind': ['a']}, {'kind': ['b', 'c'], 'units': [3]}]
    """
    parts: list[tuple[dict[str, Any], dict[str, Any]]] = [({}, {})]
    for hyperparameter in space.space:
        name = hyperparameter.name
        conditions = [c for each in space.space for c in each.conditions if c.name == name]
        grown = []
        for pools, values in parts:
            if name in pools or not is_active(hyperparameter, values):
                grown.append((pools, values))
                continue
            for group in _groups(hyperparameter, pool(hyperparameter), conditions):
                # One value stands for its group: all of them meet the same conditions.
                value = group[0] if isinstance(group, list) else None
                grown.append(({**pools, name: group}, {**values, name: value}))
        parts = grown
    return [pools for pools, _ in parts]


def _groups(hyperparameter: HyperParameter, pool: Any, conditions: Sequence[Any]) -> list[Any]:
    """Divides a pool by which conditions its values meet."""
    if not isinstance(pool, list):
        # In a continuous range, only values that a condition names meet any.
        named = dict.fromkeys(value for condition in conditions for value in condition.values)
        inside = [value for value in named if _is_inside(hyperparameter, value)]
        return [*_groups(hyperparameter, inside, conditions), pool]
    groups: dict[tuple[bool, ...], list[Value]] = {}
    for value in pool:
        met = tuple(value in condition.values for condition in conditions)
        groups.setdefault(met, []).append(value)
    return list(groups.values())


def _is_inside(hyperparameter: Float, value: float) -> bool:
    return bool(hyperparameter.min_value <= value <= hyperparameter.max_value)


def _levels(hyperparameter: HyperParameter, levels: int) -> list[Value]:
    if not isinstance(hyperparameter, Int | Float):
        return _listed(hyperparameter)
    middles = ((index + 0.5) / levels for index in range(levels))
    return list(dict.fromkeys(map(hyperparameter.prob_to_value, middles)))


def _listed(hyperparameter: HyperParameter) -> list[Value]:
    """All values of a hyperparameter that has finitely many."""
    if isinstance(hyperparameter, Int) and hyperparameter.step is None:
        return list(range(hyperparameter.min_value, hyperparameter.max_value + 1))
    return list(dict.fromkeys(hyperparameter.values))


def _distribution(hyperparameter: HyperParameter) -> Any:
    match hyperparameter:
        case Choice() | Boolean() | Fixed():
            return _listed(hyperparameter)
        case Int() | Float() if hyperparameter.min_value == hyperparameter.max_value:
            return [hyperparameter.min_value]
        case Int(sampling="linear", step=1):
            return stats.randint(hyperparameter.min_value, hyperparameter.max_value + 1)
        case Int() | Float() if hyperparameter.step is not None:
            return _listed(hyperparameter)
        case Float(sampling="linear", min_value=low, max_value=high):
            return stats.uniform(low, high - low)
        case Float(sampling="log", min_value=low, max_value=high):
            return stats.loguniform(low, high)
    return Sampled(hyperparameter)


def _prefixed(named: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {prefix + name: value for name, value in named.items()}
