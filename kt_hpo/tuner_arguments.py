"""What is said of the arguments of a tuner that are not allowed."""

from __future__ import annotations

import inspect
from typing import Any

import keras_tuner
import optuna

from kt_hpo.arguments import check_whole, check_whole_or_none
from kt_hpo.record.storages import check_storage


def check_numbers(
    executions_per_trial: Any, keep_checkpoints: Any, early_stopping: Any, max_model_size: Any
) -> None:
    """Refuses numbers that a tuner cannot search with.

    Args:
        executions_per_trial: As in `Tuner`.
        keep_checkpoints: Likewise.
        early_stopping: Likewise.
        max_model_size: Likewise.

    Raises:
        ValueError: If one is not allowed.
    """
    check_whole(executions_per_trial=executions_per_trial, keep_checkpoints=keep_checkpoints)
    check_whole_or_none("to let all epochs run", early_stopping=early_stopping)
    check_whole_or_none("for no limit", max_model_size=max_model_size)


def check_objects(
    hypermodel: Any, oracle: Any, storage: Any, warm_start: Any, tuner_id: Any
) -> None:
    """Refuses arguments of a tuner that are of another kind than is needed.

    Args:
        hypermodel: As in `Tuner`.
        oracle: Likewise.
        storage: Likewise.
        warm_start: Likewise.
        tuner_id: Likewise.

    Raises:
        ValueError: If one is not allowed.
    """
    if isinstance(hypermodel, type) and issubclass(hypermodel, keras_tuner.HyperModel):
        raise ValueError(
            f"hypermodel={hypermodel.__name__} is a class; give an object of it, such as "
            f"{hypermodel.__name__}()."
        )
    if not (hypermodel is None or callable(hypermodel)) and not isinstance(
        hypermodel, keras_tuner.HyperModel
    ):
        raise ValueError(
            f"hypermodel={hypermodel!r} is not allowed; give a keras_tuner.HyperModel or a "
            "function build(hp) that returns a compiled model."
        )
    if not isinstance(oracle, keras_tuner.Oracle):
        raise ValueError(
            f"oracle={oracle!r} is not allowed; give a keras_tuner.Oracle, or use the tuner of an "
            "algorithm, such as RandomSearch."
        )
    check_storage(storage)
    if warm_start is not None and not isinstance(warm_start, optuna.Study):
        raise ValueError(
            f"warm_start={warm_start!r} is not allowed; give the study of a past search, such as "
            "kt_hpo.open_study('runs/digits')."
        )
    if tuner_id is not None and not isinstance(tuner_id, str):
        raise ValueError(f"tuner_id={tuner_id!r} is not allowed; give a text, or leave it out.")


def arguments_of(kind: type, base: type) -> list[str]:
    """Lists the arguments that the constructor of a tuner takes.

    Args:
        kind: The tuner's class.
        base: The class of all tuners.

    Returns:
        Their names.
    """
    constructors = (kind.__init__, base.__init__)  # type: ignore[misc]
    names = [name for one in constructors for name in inspect.signature(one).parameters]
    return [name for name in names if name not in ("self", "args", "kwargs", "training")]
