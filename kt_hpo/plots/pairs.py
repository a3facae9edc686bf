"""The two hyperparameters that span the plane of a plot."""

from __future__ import annotations

from collections.abc import Sequence

from kt_hpo.plots.importances import by_importance
from kt_hpo.plots.scale import Scale, chosen, scales
from kt_hpo.plots.search import Search


def pair_of(search: Search, names: Sequence[str] | None) -> tuple[Scale, Scale] | str:
    """Return two hyperparameters that trials have together, or why there are none.

    Args:
        search: The `Search`.
        names: Two strings or None. Their names. If None, the most important hyperparameter and
            the next important that more than half of its trials have too, if there is one.

    Returns:
        Two `Scale`, or a sentence.

    Raises:
        ValueError: If they are not two, or a name is none of a hyperparameter that varies.

    Example:
        >>> import optuna
        >>> pair_of(Search.of(optuna.create_study()), None)
        'No trials yet.'
    """
    if names is not None:
        if isinstance(names, str) or len(set(names)) != 2:
            raise ValueError(f"hyperparameters={names!r} is not allowed; give two names.")
        first, second = chosen([*scales(search).values()], names)
        together = _together(search, first, second)
        return (
            (first, second) if together else f"No trial has both {first.label} and {second.label}."
        )
    ranked = by_importance(search)
    if not search.trials:
        return "No trials yet."
    if not search.finished():
        return "No trial has a value yet."
    if len(ranked) < 2:
        return "A plane needs two hyperparameters that vary."
    first, *others = ranked
    count = _together(search, first, first)
    often = [scale for scale in others if 2 * _together(search, first, scale) > count]
    return first, (often or others)[0]


def _together(search: Search, first: Scale, second: Scale) -> int:
    """Return how many finished trials have both."""
    return sum(first.name in t.params and second.name in t.params for t in search.finished())
