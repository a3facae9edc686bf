"""What every ended trial is worth, the pruned and the failed among them, on one scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from kt_hpo.plots.search import Search, continued, line_of, place_of

# Fewer to compare with at an epoch say too little of where a trial stands among them.
_FEWEST = 2


def losses(search: Search, objective: int = 0) -> dict[int, float]:
    """Estimate what each ended trial would have reached, the smaller the better.

    A complete trial counts with its objective. A pruned one, and a round, a part or an interval
    (Hyperband, freeze-thaw, a population) that ended early and was not continued, is compared at
    the epoch it ended at with all trials that reached this epoch: it would have gained from there
    on what the median of them did. So those that ended at one epoch are ordered by their values at
    it. A failed trial, and one whose objective is not finite, is as bad as the worst: what makes
    training fail is what importances have to tell.

    Args:
        search: The search.
        objective: Which of its objectives; pruned trials have the first one only.

    Returns:
        Losses by trial number. Without are rounds that another trial continues, and pruned trials
        that have reported nothing or have nothing to be compared with.

    Example:
        >>> import optuna
        >>> study = optuna.create_study()
        >>> study.add_trial(optuna.create_trial(value=1.0, intermediate_values={0: 4.0, 1: 1.0}))
        >>> study.add_trial(optuna.create_trial(value=2.0, intermediate_values={0: 8.0, 1: 2.0}))
        >>> study.add_trial(
        ...     optuna.create_trial(state=TrialState.PRUNED, intermediate_values={0: 9.0})
        ... )
        >>> losses(Search.of(study))
        {0: 1.0, 1: 2.0, 2: 4.5}
    """
    sign = -1.0 if search.maximized[objective] else 1.0
    by_number = {trial.number: trial for trial in search.trials}
    passed = continued(search.trials)
    ended = [t for t in search.trials if t.state.is_finished() and t.number not in passed]
    last_round = max((place_of(trial).get("epochs") or 0 for trial in ended), default=0)
    found: dict[int, float] = {}
    cut: list[FrozenTrial] = []
    failed: list[int] = []
    for trial in ended:
        is_cut = (place_of(trial).get("epochs") or last_round) < last_round
        if trial.state == TrialState.PRUNED or (trial.state == TrialState.COMPLETE and is_cut):
            cut.append(trial)
        elif trial.state == TrialState.COMPLETE and math.isfinite(trial.values[objective]):
            found[trial.number] = sign * trial.values[objective]
        else:
            failed.append(trial.number)
    if objective == 0 and cut:
        own = {trial.number: _points(search, trial) for trial in search.trials}
        curves = {
            trial.number: _best_so_far([own[t.number] for t in line_of(trial, by_number)], sign)
            for trial in [*cut, *(by_number[number] for number in found)]
        }
        _compare(cut, curves, found)
    if found:
        found |= dict.fromkeys(failed, max(found.values()))
    return dict(sorted(found.items()))


def _points(search: Search, trial: FrozenTrial) -> np.ndarray:
    """Return a trial's epochs and its objective after each: two rows."""
    return np.array(list(search.curve(trial).items()), dtype=float).reshape(-1, 2).T


def _best_so_far(curves: Sequence[np.ndarray], sign: float) -> dict[int, float]:
    """Return the best loss up to each epoch, as a trial's objective is that of its best epoch."""
    epochs, values = np.concatenate(curves, axis=1)
    order = np.argsort(epochs, kind="stable")
    best = np.fmin.accumulate(sign * values[order])
    known = ~np.isnan(best)
    return dict(zip(epochs[order][known].astype(int).tolist(), best[known].tolist(), strict=True))


def _compare(
    cut: list[FrozenTrial], curves: dict[int, dict[int, float]], found: dict[int, float]
) -> None:
    """Estimate the losses of the trials that were stopped, those that got furthest first."""
    stopped: dict[int, list[int]] = {}
    for trial in cut:
        if curves[trial.number]:
            stopped.setdefault(max(curves[trial.number]), []).append(trial.number)
    for epoch in sorted(stopped, reverse=True):
        there = [number for number in found if epoch in curves[number]]
        if len(there) < _FEWEST:
            continue
        gain = median(found[number] - curves[number][epoch] for number in there)
        best = min(found[number] for number in there)
        found |= {number: max(curves[number][epoch] + gain, best) for number in stopped[epoch]}
