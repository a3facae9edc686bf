"""What a search has not tried: choices without a trial, and parts of ranges without one."""

from __future__ import annotations

import numpy as np
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial

from kt_hpo.formatting import number
from kt_hpo.plots import text
from kt_hpo.plots.scale import Scale
from kt_hpo.plots.search import Search
from kt_hpo.reports.words import listed
from kt_hpo.space.domain import to_distribution
from kt_hpo.space.hyperparameters import HyperParameters
from kt_hpo.space.names import short_names
from kt_hpo.space.scopes import recorded_names

# A part of a range this long is worth telling of, where trials spread evenly would hardly leave it.
_PART, _CHANCE = 0.2, 0.05
# Of more whole numbers parts are told rather than each.
_FEW = 12


def untried(search: Search, space: HyperParameters | None) -> list[tuple[str, str]]:
    """Lists what no trial has tried.

    A choice, or one of few whole numbers, where no trial has it; the longest part of a range in
    which no trial lies, where that is at least a fifth of it and values drawn evenly would leave
    one so long in fewer than one of 20 searches.

    Args:
        search: The search.
        space: Its space, if that is recorded.

    Returns:
        Names of hyperparameters with what was not tried of each, in words.

    Example:
        >>> import optuna
        >>> study = optuna.create_study()
        >>> study.enqueue_trial({"kind": "a"})
        >>> study.optimize(lambda t: len(t.suggest_categorical("kind", ["a", "b"])), n_trials=1)
        >>> untried(Search.of(study), None)
        [('kind', 'b')]
    """
    known = _distributions(search, space)
    named = short_names(known)
    found = [(named[name], _missing(name, kind, search)) for name, kind in known.items()]
    return [(name, missing) for name, missing in found if missing]


def _distributions(search: Search, space: HyperParameters | None) -> dict[str, BaseDistribution]:
    """The distribution of every hyperparameter there is, also of those that no trial has met."""
    kinds = {n: kind for trial in search.trials for n, kind in trial.distributions.items()}
    if space is not None:
        declared = {name: to_distribution(one) for one, name in recorded_names(space)}
        kinds = declared | {name: kind for name, kind in kinds.items() if name not in declared}
    return {name: kind for name, kind in kinds.items() if not kind.single()}


def _steps(kind: BaseDistribution) -> list[float]:
    """All values of a range, where they are few."""
    step = getattr(kind, "step", None)
    if not isinstance(kind, IntDistribution | FloatDistribution) or not step or kind.log:
        return []
    count = round((kind.high - kind.low) / step) + 1
    return [kind.low + index * step for index in range(count)] if count <= _FEW else []


def _missing(name: str, kind: BaseDistribution, search: Search) -> str:
    scale = Scale.of(name, [kind])
    trials: list[FrozenTrial] = [trial for trial in search.trials if name in trial.params]
    values = scale.numbers(trials)
    values = values[~np.isnan(values)]
    if not len(values):
        return "no trial has had it"
    if scale.choices:
        absent = [c for index, c in enumerate(scale.choices) if index not in values]
        return listed([str(choice) for choice in absent])
    if steps := _steps(kind):
        return listed([number(one) for one in steps if not np.isclose(one, values).any()])
    ends = np.sort(np.concatenate([[0.0, 1.0], np.clip(scale.unit(values), 0, 1)]))
    lengths = np.diff(ends)
    longest = int(lengths.argmax())
    # So many of n + 1 parts of an evenly divided range are longer than x: (n + 1) (1 - x)^n.
    by_chance = (len(values) + 1) * (1 - lengths[longest]) ** len(values)
    if lengths[longest] < _PART or by_chance > _CHANCE:
        return ""
    low, high = (float(end) for end in scale.from_unit(ends[[longest, longest + 1]]))
    share = text.percent(float(lengths[longest]))
    return f"between {number(low)} and {number(high)}, {share} of the range"
