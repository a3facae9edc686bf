"""How many modules lie between `search()` and the record, in all processes on the way."""

import json
import os
import sys
from pkgutil import resolve_name

import cloudpickle
import pytest
from models import blobs, build

import kt_hpo
from kt_hpo.record.journal import Journal

# This module is none that a worker could import.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

X, Y = blobs()


def stack():
    """The functions of kt_hpo that are running, and their modules."""
    frame, running = sys._getframe(), []
    while frame is not None:
        running.append((frame.f_globals.get("__name__", ""), frame.f_code.co_name))
        frame = frame.f_back
    return [(module, name) for module, name in running if module.startswith("kt_hpo.")]


def noting(path, method):
    """A method that writes into a file from where it is called."""

    def noted(self, *arguments):
        with path.open("a") as file:
            file.write(json.dumps([(method.__module__, method.__name__), *stack()]) + "\n")
        return method(self, *arguments)

    return noted


def between(stacks):
    """The modules on stacks, but for those at both ends."""
    modules = {module for stack in stacks for module, _ in stack}
    return {one for one in modules if one != "kt_hpo.tuner" and "kt_hpo.record." not in one}


SLOW, ON_RAY = pytest.mark.slow, pytest.mark.xdist_group("ray")
CHANNEL = "kt_hpo.execution.processes.channel.Channel"
BROKER = "kt_hpo.execution.ray.request_broker.BrokerConnection"


@pytest.mark.parametrize(
    ("executor", "sender", "most"),
    [
        (kt_hpo.Inline(), None, 6),
        pytest.param(kt_hpo.Workers(1), CHANNEL, 12, marks=SLOW),
        pytest.param(kt_hpo.Ray(1), BROKER, 12, marks=[SLOW, ON_RAY]),
    ],
)
def test_the_way_from_the_search_to_the_record_is_short(
    executor, sender, most, tmp_path, monkeypatch
):
    path, home = tmp_path / "stacks", os.getpid()

    def noting_build(hp):
        if os.getpid() != home:
            kind = resolve_name(sender)
            kind.send = noting(path, kind.send)
        return build(hp)

    monkeypatch.setattr(Journal, "append_logs", noting(path, Journal.append_logs))
    tuner = kt_hpo.RandomSearch(
        noting_build, "val_loss", max_trials=1, directory=tmp_path, executor=executor
    )
    path.unlink()
    tuner.search(X, Y, validation_data=(X, Y), epochs=1, verbose=0)
    stacks = [json.loads(line) for line in path.read_text().splitlines()]
    assert all(len(between([stack])) <= most for stack in stacks)
    # An epoch comes from farthest away: from a callback, in whatever process, to the record.
    callback, report = ["kt_hpo.training.callbacks", "on_epoch_end"], ["kt_hpo.tuner", "report"]
    epoch = between(stack for stack in stacks if callback in stack or report in stack)
    assert {"kt_hpo.training.fit", "kt_hpo.oracle.recorded"} < epoch
    assert len(epoch) <= most, sorted(epoch)
