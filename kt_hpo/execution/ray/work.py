"""What a worker of Ray's does: unpacks the search, then runs one trial after the other."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from kt_hpo.execution.processes import devices, parcel, settings, work
from kt_hpo.execution.processes.messages import Ended, Fatal, Raised, packed, portable, unpacked
from kt_hpo.execution.processes.remote import Questions, Remote
from kt_hpo.execution.ray.freight import Freight
from kt_hpo.execution.ray.mailbox import Wire
from kt_hpo.execution.ray.messages import Begin, Begun, Finish
from kt_hpo.execution.ray.shelf import Shelf
from kt_hpo.startup import quiet_retracing
from kt_hpo.training.memory import set_aside


class Work:
    """A search as a worker has it.

    Args:
        search: The search.
        wire: The way to the search's process.
        shelf: Where the folders of trials are; None if this node sees them where that process does.
    """

    def __init__(self, search: work.Search, wire: Wire, shelf: Shelf | None) -> None:
        self._search = search
        self._wire = wire
        self._shelf = shelf
        if shelf is not None:
            search.tuner.directory = tempfile.mkdtemp()

    def run(self, ray_id: str) -> str:
        """Runs a trial.

        Args:
            ray_id: Ray's name for it.

        Returns:
            Its status.
        """
        self._wire.enter(ray_id)
        begun: Begun = self._tell(Begin(ray_id, socket.gethostname()))
        folder = Path(self._search.tuner.project_dir)
        ended: Ended | Fatal | None = self._obstacle(folder)
        if ended is None:
            if self._shelf is not None:
                self._shelf.fetch(begun.needed, folder)
            with quiet_retracing():
                ended = work.run(self._search, begun.trial)
            if self._shelf is not None:
                self._shelf.put(folder / f"trial_{begun.trial.trial_id}")
        self._tell(Finish(ray_id, ended))
        return ended.status if isinstance(ended, Ended) else "FATAL"

    def _tell(self, message: Any) -> Any:
        self._wire.send(packed(message))
        answer = unpacked(self._wire.receive())
        if isinstance(answer, Raised):
            raise answer.error
        return answer

    def _obstacle(self, folder: Path) -> Fatal | None:
        """Why no trial can run on this node."""
        if self._shelf is not None or folder.is_dir():
            return None
        error = FileNotFoundError(
            f"The node {socket.gethostname()} does not see the search's folder, {folder}. Put it "
            "where all nodes do, directory=..., or name a storage that they reach: "
            'kt_hpo.Ray(..., storage_path="s3://...").'
        )
        return Fatal(portable(error, "a node of the cluster"))


def open_work(
    content: bytes,
    references: list[Any],
    mailbox: Any,
    gpus: float,
    shelf: str | None,
    keras_settings: Mapping[str, Any],
) -> Work:
    """Unpacks a search.

    Args:
        content: The parcel.
        references: The data in the object store.
        mailbox: The way to the search's process.
        gpus: How many GPUs this worker has, or which part of one.
        shelf: The URI of where the folders of trials are; None if it is the search's folder.
        keras_settings: Settings of Keras in the search's process.

    Returns:
        The search, ready to run trials.
    """
    if 0 < gpus < 1:
        devices.limit_gpu_memory(devices.shares(1, gpus, devices.gpus())[0].gpu_memory)
    settings.adopt(keras_settings)
    freight = Freight(references)
    openers: dict[str, Callable[[Any], Any]] = {
        parcel.STAYS: partial(Remote, Questions(Wire(mailbox)).ask),
        parcel.ARRAY: freight.array,
        parcel.DATASET: freight.dataset,
    }
    search = work.open_search(content, openers)
    set_aside()
    return Work(search, Wire(mailbox), None if shelf is None else Shelf(shelf))
