"""What a worker does: unpacks the search, then runs one trial after the other."""

from __future__ import annotations

import faulthandler
import os
import random
import select
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from kt_hpo.execution.messages import Ready, Setup, TrialTask, Unfit, packed, unpacked
from kt_hpo.execution.processes import datasets, devices, pickling, settings
from kt_hpo.execution.processes.arrays import Pages
from kt_hpo.execution.processes.channel import Channel
from kt_hpo.execution.processes.remote import Questions, Remote, WorkerSearch, open_search
from kt_hpo.startup import quiet_retracing
from kt_hpo.training.compiled import kept_programs
from kt_hpo.training.memory import quick_collections

# Milliseconds between two looks at whether the supervisor is still there.
_LOOK = 1000


def main(connected: int, faults: int, shared: int) -> int:
    """Works until the search's process has no more to do, or is gone.

    Args:
        connected: File descriptor of the socket to that process.
        faults: File descriptor of where the stack goes when this process crashes.
        shared: File descriptor of the shared file.

    Returns:
        The exit status.
    """
    _be_on_guard(connected, faults)
    channel = Channel(socket.socket(fileno=connected))
    # A child that outlives this process must not keep its end from being noticed.
    os.register_at_fork(after_in_child=channel.close)
    try:
        try:
            search = _set_up(channel, shared)
        except Exception:
            channel.send(packed(Unfit(traceback.format_exc())))
            return 1
        channel.send(packed(Ready()))
        _work(channel, search)
    except EOFError:
        pass  # The search's process has no more to say.
    return 0


def _be_on_guard(connected: int, faults: int) -> None:
    """Leaves a trace of crashes, and ends with the process of the search, also within an epoch."""
    for stop in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(stop, signal.SIG_DFL)
    faulthandler.enable(faults)
    faulthandler.register(signal.SIGUSR1, faults)
    threading.Thread(target=_watch, args=(connected, os.getppid()), daemon=True).start()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]


def _watch(connected: int, supervisor: int) -> None:
    hung_up = select.poll()
    hung_up.register(connected, 0)
    while not hung_up.poll(_LOOK) and os.getppid() == supervisor:
        pass
    os.killpg(0, signal.SIGKILL)


def _set_up(channel: Channel, shared: int) -> WorkerSearch:
    setup: Setup = unpacked(channel.receive())
    # Workers that are forks of one process would otherwise draw the same numbers.
    random.seed()
    np.random.seed()
    devices.limit_gpu_memory(setup.gpu_memory)
    settings.adopt(setup.settings)
    pages, questions = Pages(shared), Questions(channel)
    openers: dict[str, Callable[[Any], Any]] = {
        pickling.STAYS: partial(Remote, questions.ask),
        pickling.ARRAY: pages.array,
        pickling.DATASET: datasets.load,
    }
    return open_search(pages.read(setup.begin, setup.size), openers)


def _work(channel: Channel, search: WorkerSearch) -> None:
    with quiet_retracing(), quick_collections(), kept_programs():
        while True:
            task: TrialTask = unpacked(channel.receive())
            channel.send(packed(search.run(*task)))
