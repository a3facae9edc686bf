"""Which trial is the best, and which are level with it: one order for whoever asks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import optuna
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from kt_hpo.constraints import keeps
from kt_hpo.metric_directions import ACCURACIES


def tie_break(metrics: Mapping[str, float], parameters: float | None) -> tuple[float, float]:
    """Orders trials of the same score: by the loss, then by the size.

    Args:
        metrics: What was measured of the trial, by name.
        parameters: How many parameters its model has; None if that is not known.

    Returns:
        The validation loss, or else the training loss, and the parameters, the less the better;
        infinite what is not known.

    Example:
        >>> tie_break({"val_loss": 0.5}, 100) < tie_break({"val_loss": 0.5}, 200)
        True
    """
    loss = metrics.get("val_loss", metrics.get("loss", math.inf))
    size = math.inf if parameters is None else parameters
    return (math.inf if math.isnan(loss) else loss, size)


def best_first(study: optuna.Study, trials: Iterable[FrozenTrial]) -> list[FrozenTrial]:
    """Sorts the completed trials that keep the constraints, the best first.

    Of equal ones that with the lower loss comes first, then the one with fewer parameters, then
    the earlier one. Of several objectives the first counts.

    Args:
        study: Their study, which tells the direction.
        trials: Trials.

    Returns:
        Those with a finite objective, sorted.

    Example:
        >>> study = optuna.create_study()
        >>> for loss in (0.4, 0.3):
        ...     attributes = {"metrics": {"val_loss": loss}}
        ...     study.add_trial(optuna.create_trial(value=0.9, user_attrs=attributes))
        >>> best_first(study, study.trials)[0].number
        1
    """
    sign = -1.0 if study.directions[0] == StudyDirection.MAXIMIZE else 1.0

    def place(trial: FrozenTrial) -> tuple[float, float, float, int]:
        known = trial.user_attrs
        tie = tie_break(known.get("metrics", {}), known.get("parameters"))
        return (sign * trial.values[0], *tie, trial.number)

    return sorted(
        (
            trial
            for trial in trials
            if trial.state == TrialState.COMPLETE
            and math.isfinite(trial.values[0])
            and keeps(trial.constraints)
        ),
        key=place,
    )


def level(study: optuna.Study, objective: str) -> str:
    """Says which trials cannot be told from the best.

    Those are trials of the very same score, and those whose difference is not above its standard
    error: of the executions or folds where there are several, else that of an accuracy measured on
    so many samples, sqrt(p (1 - p) / n).

    Args:
        study: The record of a search with one objective.
        objective: Its name.

    Returns:
        A sentence; nothing where the best stands alone.

    Example:
        >>> study = optuna.create_study()
        >>> study.add_trials([optuna.create_trial(value=0.5) for _ in range(3)])
        >>> level(study, "val_loss")
        '2 other trials have the same val_loss as trial 0, the earliest of them.'
    """
    if len(study.directions) > 1:
        return ""
    ordered = best_first(study, study.get_trials(deepcopy=False))
    if not ordered:
        return ""
    best, *others = ordered
    same = [trial for trial in others if trial.values[0] == best.values[0]]
    samples = study.user_attrs.get("validation_samples")
    error, source = _standard_error(best, objective, samples)
    near = [
        trial
        for trial in others
        if abs(best.values[0] - trial.values[0])
        <= math.hypot(error, _standard_error(trial, objective, samples)[0])
    ]
    if len(near) > len(same):
        return (
            f"{_count(near)} level with trial {best.number} within the standard error of {source}, "
            f"{error:.2g}."
        )
    if not same:
        return ""
    verb = "has" if len(same) == 1 else "have"
    return (
        f"{_count(same, verb)} the same {objective} as trial {best.number}, "
        f"{_merit(best, same[0])} of them."
    )


def _count(trials: list[FrozenTrial], verb: str | None = None) -> str:
    one = len(trials) == 1
    return f"{len(trials):,} other trial{'' if one else 's'} {verb or ('is' if one else 'are')}"


def _standard_error(trial: FrozenTrial, objective: str, samples: int | None) -> tuple[float, str]:
    """How far chance moves a score, and where that is known from; 0 where it is not."""
    known = trial.user_attrs.get("standard_error", {}).get(objective)
    if known is not None:
        return known, "its executions"
    score = trial.values[0]
    if samples and objective.removeprefix("val_") in ACCURACIES and 0 <= score <= 1:
        error = math.sqrt(score * (1 - score) / samples)
        return error, f"an accuracy on {samples:,} validation samples"
    return 0.0, ""


def _merit(best: FrozenTrial, second: FrozenTrial) -> str:
    """What puts the best before another of the same score."""
    first, other = (
        tie_break(one.user_attrs.get("metrics", {}), one.user_attrs.get("parameters"))
        for one in (best, second)
    )
    if first[0] != other[0]:
        return "which has the lowest loss"
    return "which has the fewest parameters" if first[1] != other[1] else "the earliest"
