"""The tuner of a search, from its settings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kt_hpo.algorithms import make_tuner
from kt_hpo.cli.settings import Settings

if TYPE_CHECKING:
    from kt_hpo.tuner import Tuner

# Options that are arguments of the tuner as they are.
_ALIKE = (
    "compiled", "constraint", "cross_validation", "csv_log", "deterministic", "distribution",
    "early_stopping", "executions_per_trial", "jit_compile", "keep_checkpoints", "precision",
    "reduce_lr_on_plateau", "scale_learning_rate", "seed", "steps_per_execution",
    "storage", "time_budget", "tracker", "trial_timeout",
)  # fmt: skip


def tuner_for(
    settings: Settings,
    hypermodel: Any,
    objective: str,
    directory: Path,
    overwrite: bool,
    min_epochs: int = 1,
) -> Tuner:
    """Makes the tuner of a search.

    Args:
        settings: The settings of the search.
        hypermodel: Its hypermodel.
        objective: What is optimized where the settings do not say it.
        directory: The search's folder.
        overwrite: Whether to forget what is there.
        min_epochs: Epochs at which a training pauses first, if the algorithm pauses trainings.

    Returns:
        The tuner.

    Raises:
        ValueError: If settings do not fit together.
        ImportError: If a package is not installed, with the install line.
        FileNotFoundError: If there is no search to learn from.
    """
    from kt_hpo.record.studies import open_study

    alike = {name: settings[name] for name in _ALIKE if name in settings}
    alike = {name: None if one == "none" else one for name, one in alike.items()}
    past = settings.get("warm_start")
    return make_tuner(
        settings["algorithm"],
        settings.get("max_trials"),
        settings["max_epochs"],
        min_epochs,
        hypermodel=hypermodel,
        objective=_objective(settings.get("objective", [objective])),
        pruner=settings["pruner"],
        executor=_executor(settings),
        warm_start=None if past is None else open_study(past),
        try_defaults=not settings["no_defaults"] and getattr(hypermodel, "tries_defaults", False),
        directory=directory.parent,
        project_name=directory.name,
        overwrite=overwrite,
        **alike,
    )


def _objective(names: list[str]) -> Any:
    from kt_hpo.objectives import make_objective

    return make_objective([one_objective(name) for name in names])


def one_objective(text: str) -> Any:
    """Reads an objective as it is written in a shell.

    Args:
        text: A name, with `:max` or `:min` behind it where the name alone does not tell.

    Returns:
        What `kt_hpo.objectives.make_objective` takes.

    Example:
        >>> one_objective("val_auc:max").direction
        'max'
    """
    import keras_tuner

    name, _, direction = text.rpartition(":")
    return keras_tuner.Objective(name, direction) if name and direction in ("min", "max") else text


def _executor(settings: Settings) -> Any:
    from kt_hpo.execution import Inline, Ray, Vectorized, Workers

    executor, workers = settings.get("executor"), settings.get("workers")
    gpus = settings.get("gpus_per_trial")
    if executor == "ray":
        resources = None if gpus is None else {"CPU": 1, "GPU": gpus}
        return Ray(
            settings["workers"], resources, settings.get("address"), settings.get("storage_path")
        )
    if workers is not None:
        return Workers(workers, gpus)
    made: dict[Any, Any] = {"inline": Inline(), "vectorized": Vectorized()}
    return made.get(executor, executor)
