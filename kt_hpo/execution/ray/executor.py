"""Trials on Ray Tune: on this machine, or on the nodes of a cluster."""

from __future__ import annotations

import numbers
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from kt_hpo.arguments import check_whole
from kt_hpo.execution.context import ExecutionContext
from kt_hpo.execution.dispatcher import Dispatcher
from kt_hpo.execution.processes import devices, payload, settings
from kt_hpo.optional import require

# Seconds that Ray Tune gets to end when the search has.
_PATIENCE = 30.0


class Ray:
    """Runs `num_workers` trials at once with Ray Tune, on one machine or on many.

    Ray decides where a trial runs, waits for nodes that come, and notices those that are lost;
    their trials are retried as `max_retries_per_trial` says. All else is as with `Workers`: the
    hypermodel, the callbacks and the data travel there by themselves, the processes stay from one
    trial to the next, `build`, `fit`, `run_trial`, `on_epoch_*` and `on_batch_*` run there, and
    this process alone asks the oracle and writes the record.

    Data lie in Ray's object store, once a node; trials can read but not write them. Modules that
    are imported, not defined in the program or notebook, are to be on all nodes.

    Args:
        num_workers: How many trials run at once at most.
        resources: What each needs of a node: `"CPU"`, `"GPU"` (a part of one too), or resources of
            one's own. A core and no GPU by default.
        address: The cluster, as `ray.init` takes it: `"auto"` for the one this machine belongs to,
            `"ray://host:10001"` from outside. None for the one that `RAY_ADDRESS` names, else a
            Ray on this machine for this search alone. A program that has called `ray.init` itself
            stays with that.
        storage_path: Where nodes leave the folders of trials, checkpoints among them: a path that
            all share, or a URI such as `"s3://bucket/searches"`. None where all nodes see the
            search's own folder.

    Attributes:
        num_workers: As given.
        resources: As given, or by default.
        address: As given.
        storage_path: As given.
        ends_what_hangs: True: `trial_timeout` ends a trial whatever it does.

    Raises:
        ValueError: If one of them is not allowed.

    Example:
        >>> Ray(8, resources={"CPU": 2, "GPU": 0.5}, address="auto")
        Ray(8, resources={'CPU': 2, 'GPU': 0.5}, address='auto')
    """

    ends_what_hangs = True

    def __init__(
        self,
        num_workers: int,
        resources: Mapping[str, float] | None = None,
        address: str | None = None,
        storage_path: str | Path | None = None,
    ) -> None:
        check_whole(num_workers=num_workers)
        self.num_workers = num_workers
        self.resources = _checked({"CPU": 1} if resources is None else resources)
        self.address = address
        self.storage_path = storage_path

    def run(
        self, tuner: ExecutionContext, fit_args: tuple[Any, ...], fit_kwargs: dict[str, Any]
    ) -> None:
        """Runs trials until the oracle has no more.

        Args:
            tuner: The tuner.
            fit_args: Positional arguments of `search`.
            fit_kwargs: Keyword arguments of `search`.

        Raises:
            ImportError: If Ray is not installed.
            ValueError: If this machine has too few GPUs, or Ray would start without authentication.
            ConnectionError: If there is no cluster at the address.
            TypeError: If something the trials need cannot be sent to another process.
        """
        require("ray.tune", "ray")
        from kt_hpo.execution.ray import cluster
        from kt_hpo.execution.ray.loop import Loop
        from kt_hpo.execution.ray.remote_storage import RemoteStorage
        from kt_hpo.execution.ray.request_broker import open_broker
        from kt_hpo.execution.ray.server import RayServer

        project_dir, remote_storage = Path(tuner.project_dir), self._remote_storage(tuner)
        dispatcher = Dispatcher(tuner, self.num_workers)
        roots = payload.roots(tuner, dispatcher)
        with cluster.connected(self.address, self.num_workers, self.resources, project_dir):
            broker = open_broker()
            loop = Loop(self._made(tuner, broker, remote_storage, roots, fit_args, fit_kwargs))
            there = None if remote_storage is None else RemoteStorage(remote_storage)
            server = RayServer(tuner, dispatcher, broker, roots, there)
            loop.start()
            try:
                server.serve(loop)
            finally:
                server.close()
                loop.join(_PATIENCE)

    def _made(
        self,
        tuner: ExecutionContext,
        broker: Any,
        remote_storage: str | None,
        roots: Mapping[str, Any],
        fit_args: tuple[Any, ...],
        fit_kwargs: dict[str, Any],
    ) -> Any:
        """Ray's own tuner."""
        from ray import tune

        from kt_hpo.execution.ray.object_store import ObjectStore, StoredDatasets
        from kt_hpo.execution.ray.remote_storage import place_of
        from kt_hpo.execution.ray.searcher import LossReporter, OracleSearcher, name_of
        from kt_hpo.execution.ray.trainable import RayTrainable

        project_dir, store = Path(tuner.project_dir), ObjectStore()
        folder = payload.folder(project_dir)
        try:
            content = payload.pack(
                tuner, fit_args, fit_kwargs, roots, store, StoredDatasets(store, folder)
            )
        finally:
            payload.remove(folder)
        files, root = place_of(remote_storage or str(project_dir / "ray"))
        trainable = tune.with_parameters(
            RayTrainable,
            environment=self._environment(),
            folder=str(Path.cwd()),
            path=sys.path,
            content=content,
            references=store.references,
            broker=broker,
            gpus=self.resources.get("GPU", 0),
            remote_storage=remote_storage,
            keras_settings=settings.current(),
        )
        return tune.Tuner(
            tune.with_resources(trainable, tune.PlacementGroupFactory([self.resources])),
            tune_config=tune.TuneConfig(
                search_alg=OracleSearcher(broker),
                num_samples=-1,
                max_concurrent_trials=self.num_workers,
                reuse_actors=True,
                trial_name_creator=name_of,
                trial_dirname_creator=name_of,
            ),
            run_config=tune.RunConfig(
                name="tune",
                storage_path=root,
                storage_filesystem=files,
                callbacks=[LossReporter(broker)],
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
                verbose=0,
            ),
        )

    def _remote_storage(self, tuner: ExecutionContext) -> str | None:
        if self.storage_path is None:
            return None
        return f"{self.storage_path}/{Path(tuner.project_dir).name}"

    def _environment(self) -> dict[str, str]:
        """Environment variables of the workers."""
        threads = devices.thread_variables(max(int(self.resources.get("CPU", 1)), 1))
        hidden = {} if self.resources.get("GPU") else {"CUDA_VISIBLE_DEVICES": "-1"}
        return {"KERAS_BACKEND": keras.backend.backend(), **threads, **hidden}

    def __repr__(self) -> str:
        given: dict[str, Any] = {"address": self.address, "storage_path": self.storage_path}
        if self.resources != {"CPU": 1}:
            given = {"resources": self.resources, **given}
        words = [f"{name}={value!r}" for name, value in given.items() if value is not None]
        return f"Ray({', '.join([str(self.num_workers), *words])})"


def _checked(resources: Mapping[str, float]) -> dict[str, float]:
    if not isinstance(resources, Mapping):
        raise ValueError(
            f"resources={resources!r} is not allowed; name what a trial needs and how much of it, "
            'such as {"CPU": 2, "GPU": 0.5}.'
        )
    for name, amount in resources.items():
        is_number = isinstance(amount, numbers.Real) and not isinstance(amount, bool)
        if not isinstance(name, str) or not is_number or amount < 0:
            raise ValueError(
                f"resources={dict(resources)} is not allowed; name what a trial needs and how "
                'much of it, such as {"CPU": 2, "GPU": 0.5}.'
            )
    wrong = {name for name in resources if name.upper() in ("CPU", "GPU") and name != name.upper()}
    if wrong:
        raise ValueError(f"resources has {sorted(wrong)}; Ray's names are 'CPU' and 'GPU'.")
    return dict(resources)
