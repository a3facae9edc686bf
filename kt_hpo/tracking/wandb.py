"""A search in Weights & Biases: a run for each trial, and the best model."""

from __future__ import annotations

import os
import re
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import wandb
from wandb.errors import CommError

from kt_hpo.arguments import file_within
from kt_hpo.tracking.events import BestSoFar
from kt_hpo.tracking.tracker import TrackedSearch, Tracker

# What a run's summary shows of a trial, as the record names it.
_KEPT = ("best_epoch", "parameters", "checkpoint", "traceback")


class WandbTracker(Tracker):
    """Logs each trial as a run of a group, and the best model as an artifact.

    The group is the search. A run's config are the trial's values, its history the metrics by
    epoch, its summary those at the best epoch with the number of weights. Each trial that is the
    best when it ends adds a version to the artifact `<group>-best`, a `model.keras`. The runs'
    files are in `<project>/wandb`; with `WANDB_MODE=offline` they stay there until `wandb sync`
    sends them, and so do those of trials that begin while the service cannot be reached;
    `overwrite=True` deletes them with the rest of the project. A run takes a fifth of a second to
    begin.

    Tried offline, with the files read back, and against an address that does not answer; not
    against the service itself.

    Args:
        **settings: Of `wandb.init`, for example `project`, `entity`, `tags`. Without a `project`,
            nor `WANDB_PROJECT`, the runs belong to a project named as the search.

    Example:
        >>> import kt_hpo
        >>> class Parabola(kt_hpo.RandomSearch):
        ...     def run_trial(self, trial):
        ...         return trial.hyperparameters.Float("x", -1, 1) ** 2
        >>> tuner = Parabola(
        ...     max_trials=2, directory="runs", project_name="wb", overwrite=True,
        ...     tracker=WandbTracker(mode="offline", tags=["demo"]),
        ... )
        >>> tuner.search(verbose=0)
        >>> len(list(Path("runs/wb/wandb").glob("offline-run-*")))
        2
    """

    def __init__(self, **settings: Any) -> None:
        self.settings = settings
        self._runs: dict[int, wandb.Run] = {}
        self._mode: str | None = None

    def open(self, search: TrackedSearch) -> None:
        """Logs in, where runs are sent to the service; as `Tracker.open`.

        Raises:
            wandb.errors.UsageError: If there is no API key.
            wandb.errors.AuthenticationError: If the service refuses it or cannot be reached.
        """
        super().open(search)
        self._mode = self.settings.get("mode") or wandb.setup().settings.mode
        if self._mode == "online":
            wandb.login()

    def trial_started(self, trial_number: int, values: Mapping[str, object]) -> None:
        """Begins a run; an attempt before, which failed, keeps its own."""
        self._finish(trial_number, exit_code=1)
        run = self._begin(trial_number)
        run.define_metric("epoch")
        run.define_metric("*", step_metric="epoch")
        self._runs[trial_number] = run

    def epoch(
        self, trial_number: int, epoch: int, epochs: int | None, metrics: Mapping[str, float]
    ) -> None:
        """Logs the metrics of an epoch; as `Progress.epoch`."""
        self._runs[trial_number].log({"epoch": epoch, **metrics})

    def trial_ended(
        self, trial_number: int, state: str, score: float | None, best: BestSoFar | None
    ) -> None:
        """Logs the results, and the model if it is the best now; ends the run."""
        run, failed = self._runs[trial_number], state == "FAIL"
        attributes = self.search.record.trial(trial_number).user_attrs
        try:
            # Some values are met only while the model is built.
            met = self.search.values(trial_number).items()
            run.config.update({name: value for name, value in met if name not in run.config})
            known = {name: attributes[name] for name in _KEPT if name in attributes}
            run.summary.update({**attributes.get("metrics", {}), **known, "state": state})
            if best is not None and best.trial_number == trial_number and self._has_weights(known):
                self._log_model(run, best)
        finally:
            self._finish(trial_number, exit_code=int(failed))

    def stop(self) -> None:
        """Ends the runs of trials that were interrupted."""
        for number in list(self._runs):
            self._finish(number, exit_code=1)

    def _begin(self, number: int) -> wandb.Run:
        given = {
            "project": os.environ.get("WANDB_PROJECT") or _named(self.search.name),
            "group": self.search.name,
            "job_type": "trial",
            "name": f"{self.search.name}-{number:04d}",
            "dir": self.search.folder,
            "config": self.search.values(number),
            # Several trials may run at once.
            "reinit": "create_new",
            **self.settings,
            "settings": _apart(self.settings.get("settings")),
            "mode": self._mode,
        }
        try:
            return wandb.init(**given)
        except CommError as error:
            self._mode = "offline"
            folder = Path(given["dir"]) / "wandb"
            warnings.warn(
                f"Weights & Biases cannot be reached. From trial {number} on the runs are kept in "
                f"{folder}; send them with: wandb sync {folder}/offline-run-*\n{error}",
                stacklevel=2,
            )
            return wandb.init(**{**given, "mode": "offline"})

    def _finish(self, number: int, exit_code: int) -> None:
        run = self._runs.pop(number, None)
        if run is not None:
            run.finish(exit_code=exit_code)

    def _has_weights(self, known: Mapping[str, Any]) -> bool:
        """Whether a trial can be loaded: not where a better one of its group ends with it."""
        return file_within(self.search.folder, known.get("checkpoint")) is not None

    def _log_model(self, run: wandb.Run, best: BestSoFar) -> None:
        artifact = wandb.Artifact(
            f"{_named(self.search.name)}-best",
            type="model",
            metadata={"trial": best.trial_number, "score": best.score, **best.values},
        )
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.keras"
            self.search.load_model(best.trial_number).save(path)
            artifact.add_file(str(path))
            run.log_artifact(artifact, aliases=["best"])


def _apart(given: wandb.Settings | Mapping[str, Any] | None) -> wandb.Settings:
    """Settings that leave the console to the progress display, and can be deleted with the project.

    TensorFlow, which deletes the folder of a project, would follow symbolic links.
    """
    if not isinstance(given, wandb.Settings):
        given = wandb.Settings(**{"silent": True, "console": "off", **(given or {})})
    return given.model_copy(update={"symlink": False})


def _named(name: str) -> str:
    """A name as projects and artifacts may have it."""
    return re.sub(r"[^\w.-]", "-", name)
