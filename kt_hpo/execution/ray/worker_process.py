"""What a worker of Ray's does: unpacks the search, then runs one trial after the other."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from kt_hpo.execution.messages import Ended, Fatal, Raised, packed, portable, unpacked
from kt_hpo.execution.processes import devices, pickling, settings
from kt_hpo.execution.processes.remote import Questions, Remote, WorkerSearch, open_search
from kt_hpo.execution.ray.messages import Begin, Begun, Finish
from kt_hpo.execution.ray.object_store import ObjectReader
from kt_hpo.execution.ray.remote_storage import RemoteStorage
from kt_hpo.execution.ray.request_broker import BrokerConnection
from kt_hpo.startup import quiet_retracing
from kt_hpo.training.memory import set_aside


class RayWorker:
    """A search as a worker has it.

    Args:
        search: The search.
        connection: The way to the search's process.
        remote_storage: Where the folders of trials are; None if this node
            sees them where that process does.
    """

    def __init__(
        self,
        search: WorkerSearch,
        connection: BrokerConnection,
        remote_storage: RemoteStorage | None,
    ) -> None:
        self._search = search
        self._connection = connection
        self._remote_storage = remote_storage
        if remote_storage is not None:
            search.tuner.directory = tempfile.mkdtemp()

    def run(self, ray_id: str) -> str:
        """Runs a trial.

        Args:
            ray_id: Ray's name for it.

        Returns:
            Its status.
        """
        self._connection.register(ray_id)
        begun: Begun = self._tell(Begin(ray_id, socket.gethostname()))
        folder = Path(self._search.tuner.project_dir)
        ended: Ended | Fatal | None = self._obstacle(folder)
        if ended is None:
            if self._remote_storage is not None:
                self._remote_storage.fetch(begun.needed, folder)
            with quiet_retracing():
                ended = self._search.run(begun.trial)
            if self._remote_storage is not None:
                self._remote_storage.put(folder / f"trial_{begun.trial.trial_id}")
        self._tell(Finish(ray_id, ended))
        return ended.status if isinstance(ended, Ended) else "FATAL"

    def _tell(self, message: Any) -> Any:
        self._connection.send(packed(message))
        answer = unpacked(self._connection.receive())
        if isinstance(answer, Raised):
            raise answer.error
        return answer

    def _obstacle(self, folder: Path) -> Fatal | None:
        """Why no trial can run on this node."""
        if self._remote_storage is not None or folder.is_dir():
            return None
        error = FileNotFoundError(
            f"The node {socket.gethostname()} does not see the search's folder, {folder}. Put it "
            "where all nodes do, directory=..., or name a storage that they reach: "
            'kt_hpo.Ray(..., storage_path="s3://...").'
        )
        return Fatal(portable(error, "a node of the cluster"))


def open_worker(
    content: bytes,
    references: list[Any],
    broker: Any,
    gpus: float,
    remote_storage: str | None,
    keras_settings: Mapping[str, Any],
) -> RayWorker:
    """Unpacks a search.

    Args:
        content: The payload.
        references: The data in the object store.
        broker: The way to the search's process.
        gpus: How many GPUs this worker has, or which part of one.
        remote_storage: The URI of where the folders of trials are; None if it is the search's
            folder.
        keras_settings: Settings of Keras in the search's process.

    Returns:
        The search, ready to run trials.
    """
    if 0 < gpus < 1:
        devices.limit_gpu_memory(devices.shares(1, gpus, devices.gpus())[0].gpu_memory)
    settings.adopt(keras_settings)
    reader = ObjectReader(references)
    openers: dict[str, Callable[[Any], Any]] = {
        pickling.STAYS: partial(Remote, Questions(BrokerConnection(broker)).ask),
        pickling.ARRAY: reader.array,
        pickling.DATASET: reader.dataset,
    }
    search = open_search(content, openers)
    set_aside()
    return RayWorker(
        search,
        BrokerConnection(broker),
        None if remote_storage is None else RemoteStorage(remote_storage),
    )
