"""A search, made ready to be sent to the processes that run its trials."""

from __future__ import annotations

import copy
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kt_hpo.execution.context import ExecutionContext
from kt_hpo.execution.dispatcher import Dispatcher
from kt_hpo.execution.inline import Inline
from kt_hpo.execution.processes.pickling import ArrayStore, DatasetStore, Packer

# What a worker knows of the oracle without asking.
_CONSTANT = ("objective", "constraints", "seed", "inherit_weights", "tune_new_entries")


def roots(tuner: ExecutionContext, dispatcher: Dispatcher) -> dict[str, Any]:
    """Names the objects of a search that stay in its process and that workers may ask.

    Args:
        tuner: The tuner.
        dispatcher: The dispatcher of the search.

    Returns:
        The objects by their names.
    """
    record = tuner.oracle.record
    return {
        "dispatcher": dispatcher,
        "oracle": tuner.oracle,
        "record": record,
        "study": record.study,
        "progress": tuner.progress,
    }


def folder(project_dir: Path) -> Path:
    """Names a new folder for what goes to the workers in files.

    Args:
        project_dir: The search's folder; what searches that were killed have left is swept out.

    Returns:
        The folder, which is not there yet.
    """
    for left in project_dir.glob("workers-*"):
        remove(left)
    return project_dir / f"workers-{secrets.token_hex(4)}"


def remove(folder: Path) -> None:
    """Deletes such a folder, if it is there."""
    shutil.rmtree(folder, ignore_errors=True)


def pack(
    tuner: ExecutionContext,
    fit_args: tuple[Any, ...],
    fit_kwargs: dict[str, Any],
    stays: Mapping[str, Any],
    arrays: ArrayStore,
    datasets: DatasetStore,
) -> bytes:
    """Packs a search for `kt_hpo.execution.processes.remote.open_search`.

    Args:
        tuner: The tuner.
        fit_args: Positional arguments of `search`.
        fit_kwargs: Keyword arguments of `search`.
        stays: What is not to be sent, by the name it has for the workers.
        arrays: Takes the large arrays.
        datasets: Takes the pipelines.

    Returns:
        The payload.

    Raises:
        TypeError: If something cannot be sent.
    """
    packer = Packer(stays, arrays, datasets)
    ours: Any = copy.copy(tuner)
    # What the search's process alone uses.
    ours.executor, ours.trackers, ours._searched = Inline(), [], None
    known = {name: getattr(tuner.oracle, name) for name in _CONSTANT}
    try:
        return packer.pack((ours, stays["dispatcher"], known, fit_args, fit_kwargs))
    except (OSError, ValueError):
        raise
    except Exception as error:
        parts = {f"self.{name}": value for name, value in vars(ours).items()}
        parts |= {f"argument {place} of search()": a for place, a in enumerate(fit_args, 1)}
        parts |= {f"{name}=": value for name, value in fit_kwargs.items()}
        obstacle = packer.find_obstacle(parts) or f"{type(tuner).__name__} cannot be sent: {error}."
        raise TypeError(
            f"{obstacle} Make it where it is used: in build(hp) or run_trial; or, if it is data, "
            "in a function without arguments that is given instead, such as search(make_data), "
            "which each worker calls for itself. Or search with executor=kt_hpo.Inline()."
        ) from error
