"""What Ray knows of its trials."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ray.tune.experiment import Trial
from ray.tune.utils import flatten_dict

from kt_hpo.integrations.ray_tune.intervals import RecordedInterval
from kt_hpo.integrations.ray_tune.space import read_values
from kt_hpo.oracle.trials import trial_id_of
from kt_hpo.space.continuation import Continuation
from kt_hpo.space.hyperparameters import HyperParameters

_COLORS = re.compile(r"\x1b\[[0-9;]*m")


def space_of(trial: Trial) -> HyperParameters:
    """Finds the search space of a trial.

    Args:
        trial: A trial of Ray's.

    Returns:
        The space; an empty one if `kt_hpo.ray.trainable` has not made what the trial runs.
    """
    known: HyperParameters | None = getattr(trial.get_trainable_cls(), "known", None)
    return HyperParameters() if known is None else known


def values_of(trial: Trial) -> dict[str, Any]:
    """Reads the values of a trial.

    Args:
        trial: A trial of Ray's.

    Returns:
        Values by the names of hyperparameters; where the space is not known by those of the config.
    """
    known = space_of(trial)
    if known.space:
        return dict(read_values(known, trial.config))
    plain = bool | int | float | str
    config = flatten_dict(trial.config)
    return {name: one if isinstance(one, plain) else str(one) for name, one in config.items()}


def source_of(trial: Trial) -> str | None:
    """Finds the checkpoint of another trial that a trial goes on from.

    Args:
        trial: A trial of Ray's, about to start.

    Returns:
        Its path; None if the trial begins anew, or goes on with what is its own.
    """
    checkpoint = trial.checkpoint
    if checkpoint is None or _owns(trial, checkpoint.path):
        return None
    return checkpoint.path


def first_place(trials: list[Trial], trial: Trial) -> Continuation:
    """Says where a member of a population stands at its beginning.

    Args:
        trials: All trials.
        trial: The member.

    Returns:
        What the record keeps of it; until it ends, the epoch at which it will at last.
    """
    epochs = getattr(trial.get_trainable_cls(), "epochs", 1)
    return Continuation(member=trials.index(trial), generation=0, epochs=epochs)


def next_place(
    trials: list[Trial], trial: Trial, before: RecordedInterval, numbers: Mapping[str, int]
) -> Continuation:
    """Says where a member of a population stands that goes on from another.

    Args:
        trials: All trials.
        trial: The member.
        before: What it has lived before.
        numbers: The latest number in the record of each of Ray's trials.

    Returns:
        What the record keeps of it.
    """
    begun_from = trial.latest_checkpoint_result
    assert begun_from is not None and begun_from.checkpoint is not None
    assert before.place is not None
    owners = [one for one in trials if _owns(one, begun_from.checkpoint.path)]
    return replace(
        first_place(trials, trial),
        generation=before.place.generation + 1,
        initial_epoch=int(begun_from.metrics["training_iteration"]),
        trial_id=trial_id_of(numbers[owners[-1].trial_id]) if owners else None,
    )


def error_of(trial: Trial) -> str:
    """Reads the error of a trial that has failed.

    Args:
        trial: A trial of Ray's.

    Returns:
        The traceback that Ray has written, without its colors.
    """
    if trial.error_file is None:
        return "The trial failed, and Ray has written no reason."
    return _COLORS.sub("", Path(trial.error_file).read_text()).strip()


def _owns(trial: Trial, checkpoint: str) -> bool:
    assert trial.storage is not None
    return trial.storage.trial_dir_name == Path(checkpoint).parent.name
