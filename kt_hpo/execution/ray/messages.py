"""What the workers on nodes say to the search's process, besides `Ask`."""

from __future__ import annotations

from typing import NamedTuple

from keras_tuner.engine.trial import Trial

from kt_hpo.execution.messages import Ended, Fatal


class Begin(NamedTuple):
    """From a worker on a node: it is to run a trial of Ray's. Answered by `Begun`."""

    ray_id: str
    node: str


class Begun(NamedTuple):
    """To a worker: what it is to run, and whose folders it needs for that."""

    trial: Trial
    needed: list[str]


class Finish(NamedTuple):
    """From a worker: how its trial ended."""

    ray_id: str
    ended: Ended | Fatal
