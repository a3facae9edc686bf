"""Trials side by side on this machine, each in a process of its own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import keras

from kt_hpo.arguments import check_flag, check_whole, is_number
from kt_hpo.execution.context import ExecutionContext
from kt_hpo.execution.dispatcher import Dispatcher
from kt_hpo.execution.processes import devices, payload
from kt_hpo.execution.processes.arrays import SharedFile
from kt_hpo.execution.processes.datasets import SavedDatasets
from kt_hpo.execution.processes.launcher import Launcher, is_supported
from kt_hpo.execution.processes.worker import Worker
from kt_hpo.execution.processes.worker_pool import WorkerPool
from kt_hpo.training.side_by_side import count


class Workers:
    """Runs `n` trials at once, in processes of this machine.

    The processes are started once and stay; each gets its part of the cores and GPUs. The
    hypermodel, the callbacks and the data travel there by themselves, from a script, from a
    notebook's cells too, and large arrays are shared, not copied. A trial whose process is killed,
    crashes or hangs fails alone, to be retried as `max_retries_per_trial` says.

    `build`, `fit`, `run_trial`, `on_epoch_*` and `on_batch_*` run in the workers, on a copy of the
    tuner: what they change of it, the search does not see. All its other methods run in this
    process, which alone writes the record.

    The oracle is asked for `n` trials before the first of them has ended. An algorithm that learns
    from one trial to the next learns from fewer then.

    Args:
        n: How many trials run at once.
        gpus_per_trial: How many GPUs each has: a whole number, or the part of one that it shares,
            its memory limited to that part. None divides all there are evenly; 0 hides them.
        parallel_folds: Whether the trainings of one trial run side by side too: the folds of its
            cross-validation, and its executions. Fewer trials then run at once, and algorithms
            that learn from one to the next learn from more.

    Attributes:
        n: As given.
        gpus_per_trial: As given.
        parallel_folds: As given.
        ends_what_hangs: True: `trial_timeout` ends a trial whatever it does.

    Raises:
        ValueError: If one of them is not allowed.

    Example:
        >>> Workers(4, gpus_per_trial=0.5)
        Workers(4, gpus_per_trial=0.5)
    """

    ends_what_hangs = True

    def __init__(
        self, n: int, gpus_per_trial: float | None = None, parallel_folds: bool = False
    ) -> None:
        check_whole(n=n)
        check_flag(parallel_folds=parallel_folds)
        _check_gpus(gpus_per_trial)
        self.n = n
        self.gpus_per_trial = gpus_per_trial
        self.parallel_folds = parallel_folds
        if gpus_per_trial != 0:
            # This process builds models too, to explore the space; it must leave the workers room.
            os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")

    def run(
        self, tuner: ExecutionContext, fit_args: tuple[Any, ...], fit_kwargs: dict[str, Any]
    ) -> None:
        """Runs trials until the oracle has no more.

        Args:
            tuner: The tuner.
            fit_args: Positional arguments of `search`.
            fit_kwargs: Keyword arguments of `search`.

        Raises:
            ValueError: If there are too few GPUs, or no folds to run side by side.
            TypeError: If something the trials need cannot be sent to another process.
            WorkerError: If no worker can be started.
        """
        if not is_supported():
            raise ValueError("Workers needs Linux or macOS; on Windows it runs within WSL 2.")
        trainings = count(tuner, fit_args, fit_kwargs) if self.parallel_folds else None
        there = [] if self.gpus_per_trial == 0 else devices.gpus()
        shares = devices.shares(self.n, self.gpus_per_trial, there)
        folder = payload.folder(Path(tuner.project_dir))
        file = SharedFile()
        environment = {"KERAS_BACKEND": keras.backend.backend(), **devices.threads(self.n)}
        launcher = Launcher(file.fileno(), folder, environment, preload=not there)
        workers = [Worker(number, share) for number, share in enumerate(shares, 1)]
        dispatcher = Dispatcher(tuner, self.n, trainings)
        roots = payload.roots(tuner, dispatcher)
        try:
            datasets = SavedDatasets(folder)
            content = payload.pack(tuner, fit_args, fit_kwargs, roots, file, datasets)
            payload_location = file.write(content)
            pool = WorkerPool(tuner, dispatcher, workers, launcher, payload_location, roots)
            try:
                pool.run()
            finally:
                pool.close()
        finally:
            launcher.close()
            file.close()
            payload.remove(folder)

    def __repr__(self) -> str:
        gpus = "" if self.gpus_per_trial is None else f", gpus_per_trial={self.gpus_per_trial!r}"
        folds = ", parallel_folds=True" if self.parallel_folds else ""
        return f"Workers({self.n}{gpus}{folds})"


def _check_gpus(gpus_per_trial: Any) -> None:
    if gpus_per_trial is None:
        return
    is_count = is_number(gpus_per_trial) and gpus_per_trial == int(gpus_per_trial)
    if not is_number(gpus_per_trial) or gpus_per_trial < 0 or (gpus_per_trial > 1 and not is_count):
        raise ValueError(
            f"gpus_per_trial={gpus_per_trial!r} is not allowed; give a whole number, a part of a "
            "GPU such as 0.5, or 0 for none."
        )
