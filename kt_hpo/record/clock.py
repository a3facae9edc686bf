"""When a trial began to train, and how long it took."""

from __future__ import annotations

from datetime import datetime

from optuna.trial import FrozenTrial


def started(frozen: FrozenTrial) -> datetime | None:
    """Tells when a trial began to train, which may be long after it was asked for.

    Args:
        frozen: A recorded trial.

    Returns:
        The moment; None if it has not begun.

    Example:
        >>> import optuna
        >>> started(optuna.trial.create_trial(value=1.0)) is not None
        True
    """
    moment = frozen.user_attrs.get("started")
    return frozen.datetime_start if moment is None else datetime.fromisoformat(moment)


def seconds(frozen: FrozenTrial) -> float | None:
    """Tells how long a trial took, from when it began to train.

    Args:
        frozen: A recorded trial.

    Returns:
        Seconds; None if it has not ended.

    Example:
        >>> import optuna
        >>> seconds(optuna.trial.create_trial(value=1.0)) < 1
        True
    """
    begun, ended = started(frozen), frozen.datetime_complete
    return None if begun is None or ended is None else (ended - begun).total_seconds()
