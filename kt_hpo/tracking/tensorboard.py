"""A search in TensorBoard: the scalars of every trial, and the table of hyperparameters."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams import api as hparams
from tensorboard.plugins.hparams import api_pb2, metadata
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionEndInfo
from tensorboard.plugins.scalar.summary_v2 import scalar_pb
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from kt_hpo.record.clock import seconds
from kt_hpo.record.counts import Counts
from kt_hpo.space import domain
from kt_hpo.space.kinds import Value
from kt_hpo.space.scopes import recorded_names
from kt_hpo.tracking.events import BestSoFar
from kt_hpo.tracking.tracker import TrackedSearch, Tracker

# Tells the files written here from those of others in the same folder.
_SUFFIX = ".kt_hpo"
_BEST_EPOCH = "best_epoch/"


class TensorBoardTracker(Tracker):
    """Writes `<project>/tensorboard/<trial>`, for `tensorboard --logdir <project>/tensorboard`.

    Each trial is a run: its metrics by epoch, and under `best_epoch/` those at the best epoch with
    the number of weights and the seconds it took. The HParams table compares them beside the
    hyperparameters.

    Example:
        >>> import kt_hpo
        >>> class Parabola(kt_hpo.RandomSearch):
        ...     def run_trial(self, trial):
        ...         return trial.hyperparameters.Float("x", -1, 1) ** 2
        >>> tuner = Parabola(
        ...     max_trials=2, directory="runs", project_name="tb", overwrite=True,
        ...     tracker=TensorBoardTracker(),
        ... )
        >>> tuner.search(verbose=0)
        >>> sorted(folder.name for folder in Path("runs/tb/tensorboard").glob("*/"))
        ['0000', '0001']
    """

    def __init__(self) -> None:
        self._runs: dict[int, _Run] = {}
        self._experiment: _Run | None = None
        self._config: bytes | None = None

    def open(self, search: TrackedSearch) -> None:
        """Makes the folder; as `Tracker.open`.

        Raises:
            OSError: If it cannot be made.
        """
        super().open(search)
        self.folder = search.folder / "tensorboard"
        self.folder.mkdir(parents=True, exist_ok=True)

    def start(self, total: int | None, done: Counts) -> None:
        """Writes what is searched; as `Progress.start`."""
        self._describe()

    def trial_started(self, trial_number: int, values: Mapping[str, object]) -> None:
        """Begins the trial's run anew; as `Progress.trial_started`."""
        folder = self.folder / _run_name(trial_number)
        self._close(trial_number)
        _forget(folder)
        self._runs[trial_number] = _Run(folder)

    def epoch(
        self, trial_number: int, epoch: int, epochs: int | None, metrics: Mapping[str, float]
    ) -> None:
        """Writes the metrics of an epoch; as `Progress.epoch`."""
        run = self._runs[trial_number]
        self._introduce(run, trial_number)
        for name, value in metrics.items():
            run.scalar(name, value, epoch)
        run.flush()

    def trial_ended(
        self, trial_number: int, state: str, score: float | None, best: BestSoFar | None
    ) -> None:
        """Writes the metrics at the best epoch and how the trial ended."""
        run = self._runs[trial_number]
        self._introduce(run, trial_number)
        trial = self.search.record.trial(trial_number)
        results = dict(trial.user_attrs.get("metrics", {}))
        if "parameters" in trial.user_attrs:
            results.setdefault("parameters", trial.user_attrs["parameters"])
        taken = seconds(trial)
        if taken is not None:
            results["seconds"] = taken
        for name, value in results.items():
            run.scalar(f"{_BEST_EPOCH}{name}", value, trial.user_attrs.get("best_epoch", 0))
        run.end(failed=state == "FAIL")
        self._close(trial_number)

    def stop(self) -> None:
        """Closes all files; hyperparameters that trials have met are in the table."""
        for number in list(self._runs):
            self._close(number)
        self._describe()
        if self._experiment is not None:
            self._experiment.close()
            self._experiment = self._config = None

    def _close(self, number: int) -> None:
        run = self._runs.pop(number, None)
        if run is not None:
            run.close()

    def _introduce(self, run: _Run, number: int) -> None:
        """Writes the trial's values as soon as its model is built: some are met only then."""
        if not run.is_introduced:
            run.begin(self.search.values(number))

    def _describe(self) -> None:
        """Writes what is searched; once more in the place of the first when it has grown."""
        known = self.search.record.space
        summary = hparams.hparams_config_pb(
            [
                hparams.HParam(name, _domain(domain.to_distribution(hyperparameter)))
                for hyperparameter, name in (() if known is None else recorded_names(known))
            ],
            [
                hparams.Metric(f"{_BEST_EPOCH}{name}", display_name=name)
                for name in [*self.search.objectives, "parameters", "seconds"]
            ],
        )
        config = summary.SerializeToString()
        if config == self._config:
            return
        if self._experiment is not None:
            self._experiment.close()
        _forget(self.folder)
        self._experiment, self._config = _Run(self.folder), config
        self._experiment.write(summary)
        self._experiment.flush()


class _Run:
    """A run's event file."""

    def __init__(self, folder: Path) -> None:
        self.name = folder.name
        self.is_introduced = False
        self._writer = EventFileWriter(str(folder), filename_suffix=_SUFFIX)

    def begin(self, values: Mapping[str, Value]) -> None:
        """Writes the values of a trial."""
        self.write(hparams.hparams_pb(values, trial_id=self.name))
        self.is_introduced = True

    def end(self, failed: bool) -> None:
        """Writes how a trial ended."""
        status = api_pb2.STATUS_FAILURE if failed else api_pb2.STATUS_SUCCESS
        ended = SessionEndInfo(status=status, end_time_secs=time.time())
        value = Summary.Value(
            tag=metadata.SESSION_END_INFO_TAG,
            metadata=metadata.create_summary_metadata(HParamsPluginData(session_end_info=ended)),
            tensor=metadata.NULL_TENSOR,
        )
        self.write(Summary(value=[value]))

    def scalar(self, name: str, value: float, step: int) -> None:
        """Writes a number."""
        self.write(scalar_pb(name, value), step)

    def write(self, summary: Summary, step: int = 0) -> None:
        """Writes a summary."""
        self._writer.add_event(Event(wall_time=time.time(), step=step, summary=summary))

    def flush(self) -> None:
        """Has all that was written on disk, for a TensorBoard that is open."""
        self._writer.flush()

    def close(self) -> None:
        """Closes the file."""
        self._writer.close()


def _run_name(number: int) -> str:
    return f"{number:04d}"


def _forget(folder: Path) -> None:
    """Deletes the event files that were written here."""
    for file in folder.glob(f"events.out.tfevents.*{_SUFFIX}"):
        file.unlink()


def _domain(distribution: BaseDistribution) -> hparams.Domain:
    match distribution:
        case CategoricalDistribution():
            return hparams.Discrete(list(distribution.choices))
        case IntDistribution():
            return hparams.IntInterval(distribution.low, distribution.high)
        case FloatDistribution():
            return hparams.RealInterval(distribution.low, distribution.high)
    raise TypeError(f"{distribution!r} is none of Optuna's int, float, categorical distributions.")
