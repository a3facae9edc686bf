"""Which way a hyperparameter that mattered works: more or less of it, or which choice."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from optuna.trial import FrozenTrial
from scipy.stats import spearmanr

from kt_hpo.formatting import number
from kt_hpo.plots.equal_epochs import losses
from kt_hpo.plots.influences import Influence
from kt_hpo.plots.scale import Scale, scales
from kt_hpo.plots.search import Search

# Of ranks: a weaker correlation is hardly one. Where the best tenth lies within the range, more of
# it is better up to there only: "more" is said where they lie in the outer fifth.
_MONOTONE, _OUTER = 0.3, 0.2
# A choice that fewer trials have may look the best by chance.
_FEWEST = 3


def effects(search: Search, found: list[Influence], objective: int = 0) -> dict[str, str]:
    """Says of each hyperparameter that mattered which values are better.

    For numbers that is Spearman's correlation of their ranks with those of how good the trials are,
    and, unless that end of the range is the best, what the best tenth of the trials has in the
    median; for choices the one with the best median, of those that three trials have. Trials count
    as in the importances: pruned ones by how they compared at equal epochs, failed ones as the
    worst.

    Args:
        search: The search.
        found: How much each hyperparameter decided.
        objective: Over which of the objectives.

    Returns:
        Words by the names in the record.

    Example:
        >>> import optuna
        >>> study = optuna.create_study()
        >>> study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=20)
        >>> effects(Search.of(study), [Influence("x", 1.0, True)])
        {'x': 'less is better (correlation -1)'}
    """
    known, bad = scales(search), losses(search, objective)
    ended = [trial for trial in search.trials if trial.number in bad]
    return {
        one.name: _effect(known[one.name], ended, bad)
        for one in found
        if one.mattered and one.name in known
    }


def _effect(scale: Scale, ended: list[FrozenTrial], bad: Mapping[int, float]) -> str:
    trials = [trial for trial in ended if scale.name in trial.params]
    loss, values = np.array([bad[trial.number] for trial in trials]), scale.numbers(trials)
    if scale.choices and not all(type(choice) in (int, float) for choice in scale.choices):
        medians = {
            index: float(np.median(loss[values == index]))
            for index, count in zip(*np.unique(values, return_counts=True), strict=True)
            if count >= _FEWEST
        }
        best = [i for i, middle in medians.items() if middle == min(medians.values())]
        return (
            "best median: " + " or ".join(str(scale.choices[int(i)]) for i in best) if best else ""
        )
    correlation = -float(spearmanr(values, loss).statistic) if len({*values}) > 1 else 0.0
    order = np.argsort(loss, kind="stable")[: max(len(loss) // 10, 3)]
    middle = float(np.median(values[order]))
    is_end = (scale.unit(np.array(middle)) > 0.5) == (correlation > 0)
    outer = 0.5 - abs(float(scale.unit(np.array(middle))) - 0.5) <= _OUTER
    aside = f" (correlation {correlation:+.2g})" if abs(correlation) >= _MONOTONE else ""
    if aside and is_end and outer:
        return f"{'more' if correlation > 0 else 'less'} is better{aside}"
    middle = round(middle) if scale.whole else middle
    value = scale.choices[round(middle)] if scale.choices else middle
    return f"best near {number(value, 3)}{aside}"
