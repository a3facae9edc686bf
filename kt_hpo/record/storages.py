"""Where records are kept, and search spaces read from there."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import optuna

from kt_hpo.record.journal import RecordError
from kt_hpo.space.hyperparameters import HyperParameters

_STUMBLES = ("IntegrityError", "OperationalError", "ProgrammingError")

Storage = str | optuna.storages.BaseStorage | None


def read_space(config: Any) -> HyperParameters:
    """Makes a search space of what a record, or Keras Tuner, has written of it.

    Args:
        config: What `HyperParameters.get_config` gave.

    Returns:
        The space.

    Raises:
        RecordError: If it is damaged.

    Example:
        >>> read_space({"space": [], "values": {}}).space
        []
    """
    try:
        return HyperParameters.from_config(config)
    except Exception as error:  # Whatever Keras' deserialization raises of what it cannot read.
        raise RecordError(
            f"The search space that was written is damaged: {type(error).__name__}: {error}"
        ) from error


def check_storage(storage: Any) -> None:
    """Refuses what cannot be the storage of a record.

    Args:
        storage: What was given as `storage=`.

    Raises:
        ValueError: If it is neither an Optuna storage nor a URL.

    Example:
        >>> check_storage("sqlite:///trials.db")
    """
    if storage is None or isinstance(storage, optuna.storages.BaseStorage):
        return
    if isinstance(storage, str) and "://" in storage:
        return
    hint = f" For a file of SQLite write 'sqlite:///{storage}'." if _is_path(storage) else ""
    raise ValueError(
        f"storage={storage!r} is not allowed; give an Optuna storage or its URL.{hint} Without "
        "storage= the record is a journal file in the project's directory."
    )


def _is_path(storage: Any) -> bool:
    return isinstance(storage, str | Path) and bool(str(storage))


def connected(storage: optuna.storages.BaseStorage | str) -> optuna.storages.BaseStorage:
    """Connects to the storage of a URL.

    Args:
        storage: An Optuna storage, which is returned as it is, or a URL.

    Returns:
        The storage.

    Raises:
        ValueError: If the URL leads nowhere.
    """
    if not isinstance(storage, str):
        return storage
    for pause in (0.1, 0.2, 0.4, 0.8, 1.6):
        try:
            return optuna.storages.get_storage(storage)
        except Exception as error:  # Whatever SQLAlchemy or a driver raises.
            # Of several processes that make the tables at once all but one stumble.
            if type(error).__name__ not in _STUMBLES:
                raise _cannot_be_opened(storage, error) from error
            time.sleep(pause)
    try:
        return optuna.storages.get_storage(storage)
    except Exception as error:
        raise _cannot_be_opened(storage, error) from error


def _cannot_be_opened(storage: str, error: Exception) -> ValueError:
    reason = (str(error) or type(error).__name__).splitlines()[0]
    return ValueError(
        f"storage={storage!r} cannot be opened: {reason}. Check the URL, that its "
        "directory or server is there, and that its driver is installed."
    )
