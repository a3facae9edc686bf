"""The runs of a sweep, trained as the trials of a search."""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import wandb
from keras_tuner.engine.trial import TrialStatus
from wandb.agents.pyagent import Agent

from kt_hpo._private_apis.wandb import stop_agent
from kt_hpo.integrations.sklearn.configurations import HyperModelLike, as_hypermodel, find_space
from kt_hpo.integrations.wandb.sweeps import check_parameters, objective_of, read_values
from kt_hpo.oracle.recorded import RecordedOracle
from kt_hpo.tracking import BestSoFar, TrackedSearch, make_trackers
from kt_hpo.tracking.wandb import WandbTracker
from kt_hpo.tuner import Tuner


def agent(
    sweep_id: str,
    hypermodel: HyperModelLike,
    *data: Any,
    count: int | None = None,
    directory: str | Path | None = None,
    project_name: str | None = None,
    seed: int | None = None,
    tuner: Mapping[str, Any] | None = None,
    **fit_kwargs: Any,
) -> Tuner:
    """Runs trials of a sweep, as `wandb.agent` does, through the training of this package.

    The sweep says which values; each run of it is a trial of a search of its own, with checkpoints
    and a record. When the sweep's early termination stops a run, the trial is pruned at the end of
    its epoch. Several agents may work on one sweep, each in a directory of its own. A trial that
    was interrupted is run again by the next agent in its directory, but not as a run of the sweep.
    W&B's own files are where W&B has them, in `./wandb` or `WANDB_DIR`.

    Args:
        sweep_id: The sweep: its id, `"project/id"` or `"entity/project/id"`. Its parameters are
            those of `sweep_config(hypermodel)`; what it leaves out keeps its default.
        hypermodel: A `keras_tuner.HyperModel` or a build function.
        *data: As in `Tuner.search`.
        count: How many runs at most; as many as the sweep has by default.
        directory: Folder of projects; the current one by default.
        project_name: Folder of this search within it; the sweep's id by default.
        seed: Seed of weights and shuffling.
        tuner: Further arguments of `Tuner`, such as `{"executions_per_trial": 3}`.
        **fit_kwargs: As in `Tuner.search`: `validation_data`, `epochs`, `callbacks`, `verbose`, ...

    Returns:
        The tuner, when the sweep has no more runs: `tuner.study` is the record.

    Raises:
        ValueError: If the sweep names no metric, or has a parameter that is no hyperparameter of
            the hypermodel, or data and model do not fit together.
        wandb.errors.Error: If there is no such sweep, or the service cannot be reached.

    Example:
        >>> import wandb, kt_hpo  # doctest: +SKIP
        >>> sweep_id = wandb.sweep(kt_hpo.wandb.sweep_config(build), project="demo")
        ... # doctest: +SKIP
        >>> tuner = kt_hpo.wandb.agent(sweep_id, build, x, y, validation_split=0.2, count=20)
        ... # doctest: +SKIP
    """
    sweep = wandb.Api().sweep(sweep_id)
    check_parameters(find_space(hypermodel), sweep.config)
    jobs = _Jobs(sweep_id, count)
    settings = dict(tuner or {})
    theirs = make_trackers(settings.pop("tracker", None))
    searching = Tuner(
        _SweepOracle(jobs, objective=objective_of(sweep.config), seed=seed),
        as_hypermodel(hypermodel),
        directory=directory,
        project_name=project_name or sweep.id,
        tracker=[*theirs, _SweepTracker(jobs)],
        **settings,
    )
    searching.search(*data, **fit_kwargs)
    return searching


@dataclass
class _Job:
    """A run that the sweep asks for.

    Attributes:
        run: The run, begun.
        is_stopped: Whether the sweep wants no more of it.
        is_done: Set when the trial has ended.
    """

    run: wandb.Run
    is_stopped: bool = False
    is_done: threading.Event = field(default_factory=threading.Event)


class _Jobs:
    """Hands the runs of a sweep from W&B's agent, in a thread, to the search."""

    def __init__(self, sweep_id: str, count: int | None) -> None:
        self._agent = Agent(sweep_id, function=self._wait_for_search, count=count)
        self._thread = threading.Thread(target=self._take, daemon=True)
        self._waiting: queue.Queue[_Job] = queue.Queue()
        self._running: dict[int, _Job] = {}
        self._error: Exception | None = None

    def start(self) -> None:
        """Has the agent take runs."""
        self._thread.start()

    def stop(self) -> None:
        """Has the agent take no more runs, and lets go of those that no trial will come of."""
        stops = stop_agent(self._agent)
        while self._thread.is_alive():
            while not self._waiting.empty():
                self._waiting.get().is_done.set()
            for number in list(self._running):
                self.end(number)
            self._thread.join(0.1)
            if not stops:
                return

    def next(self, number: int) -> _Job | None:
        """The run that is to be the trial with a number; None if there is none now."""
        try:
            job = self._waiting.get_nowait()
        except queue.Empty:
            return None
        self._running[number] = job
        return job

    @property
    def are_over(self) -> bool:
        """Whether the sweep has no more runs.

        Raises:
            Exception: What ended W&B's agent.
        """
        if self._error is not None:
            raise self._error
        return not self._thread.is_alive() and self._waiting.empty()

    def of(self, number: int) -> _Job | None:
        """The run of a trial; None for one of an earlier session, which goes on without."""
        return self._running.get(number)

    def end(self, number: int) -> None:
        """Lets the agent go on to the next run."""
        job = self._running.pop(number, None)
        if job is not None:
            job.is_done.set()

    def _take(self) -> None:
        try:
            self._agent.run()
        except Exception as error:  # Raised again in the thread of the search.
            self._error = error

    def _wait_for_search(self) -> None:
        """What the agent calls for each run, in a thread of the run's own."""
        job = _Job(wandb.init(settings=wandb.Settings(silent=True, console="off")))
        self._waiting.put(job)
        try:
            while not job.is_done.wait(0.1):
                pass
        except Exception:
            # So does the agent tell the thread of a run that the sweep stops it.
            job.is_stopped = True
            job.is_done.wait()


class _SweepOracle(RecordedOracle):
    """Proposes what the sweep proposes."""

    def __init__(self, jobs: _Jobs, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._jobs = jobs

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Takes the values of the sweep's next run."""
        job = self._jobs.next(int(trial_id))
        if job is None:
            return {"status": TrialStatus.STOPPED if self._jobs.are_over else TrialStatus.IDLE}
        values = read_values(self.hyperparameters, dict(job.run.config))
        return {"status": TrialStatus.RUNNING, "values": values}

    def report(self, trial_id: str, epoch: int, metrics: dict[str, float]) -> bool:
        """Takes the metrics of an epoch, and passes on whether the sweep stops the run."""
        job = self._jobs.of(int(trial_id))
        if job is not None and job.is_stopped:
            self._stopped.add(trial_id)
        return super().report(trial_id, epoch, metrics)


class _SweepTracker(WandbTracker):
    """Logs the trials as the runs that the sweep asked for."""

    def __init__(self, jobs: _Jobs) -> None:
        super().__init__()
        self._jobs = jobs

    def open(self, search: TrackedSearch) -> None:
        """Logs in, and has the agent take runs."""
        super().open(search)
        self._jobs.start()

    def stop(self) -> None:
        """Ends the run of a trial that was interrupted, and the agent."""
        super().stop()
        self._jobs.stop()

    def trial_started(self, trial_number: int, values: Mapping[str, object]) -> None:
        """Takes the sweep's run; a trial of an earlier session has none."""
        if self._jobs.of(trial_number) is not None:
            super().trial_started(trial_number, values)

    def epoch(
        self, trial_number: int, epoch: int, epochs: int | None, metrics: Mapping[str, float]
    ) -> None:
        """Logs the metrics of an epoch, if the trial is a run of the sweep."""
        if self._jobs.of(trial_number) is not None:
            super().epoch(trial_number, epoch, epochs, metrics)

    def trial_ended(
        self, trial_number: int, state: str, score: float | None, best: BestSoFar | None
    ) -> None:
        """Logs the results, and lets the agent go on."""
        if self._jobs.of(trial_number) is not None:
            try:
                super().trial_ended(trial_number, state, score, best)
            finally:
                self._jobs.end(trial_number)

    def _begin(self, number: int) -> wandb.Run:
        job = self._jobs.of(number)
        assert job is not None
        return job.run
