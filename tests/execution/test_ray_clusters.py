"""Searches on a Ray of their own and on clusters, that lose a node, a worker or their program."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import cloudpickle
import pytest
from programs import Program, free_port, until
from squares import Square, states

import kt_hpo

ray = pytest.importorskip("ray")
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("ray")]

# This module is none that a worker could import.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

ITS_OWN_AND_NOWHERE = """
import os, time, warnings
import psutil, ray
import kt_hpo

warnings.simplefilter("ignore")

class Search(kt_hpo.RandomSearch):
    def run_trial(self, trial):
        value = trial.hyperparameters.Float("x", -1, 1)
        if trial.trial_id == "0001" and not os.path.exists("calm"):
            time.sleep(1000)
        if trial.trial_id == "0002":
            raise kt_hpo.errors.FatalValueError("no trial can run")
        return value ** 2

# "auto" would find the Ray of any other program on this machine.
for address in (None, "ray://127.0.0.1:1"):
    try:
        Search(max_trials=4, seed=0, directory="runs", project_name="search",
               executor=kt_hpo.Ray(1, address=address)).search(verbose=0)
    except Exception as error:
        print(error)
    children = [" ".join(child.cmdline()) for child in psutil.Process().children(recursive=True)]
    print(ray.is_initialized(), [child for child in children if "raylet" in child])
"""


def test_a_search_whose_program_is_killed_goes_on_and_its_ray_ends_with_it(tmp_path, monkeypatch):
    """In a process of its own, because threads of the client stay."""
    for name in ("INITIAL", "MAX"):
        monkeypatch.setenv(f"RAY_CLIENT_{name}_CONNECTION_TIMEOUT_S", "1")
    program = Program(tmp_path, "")
    program.script.write_text(ITS_OWN_AND_NOWHERE)
    parent = program.start()
    # Each trial that begins has such a line; the second hangs.
    journal = tmp_path / "runs/search/record.journal"
    until(lambda: journal.exists() and journal.read_text().count('"op_code":4') >= 2)
    assert [trial.state.name for trial in program.trials()] == ["COMPLETE", "RUNNING"]
    parent.kill()
    parent.wait()
    # Agents of Ray's look only now and then whether they are still needed.
    program.wait_until_all_are_gone(seconds=90)
    (tmp_path / "calm").touch()
    said, _ = program.start().communicate(timeout=300)
    mistake, is_gone, nowhere, is_none = said.splitlines()
    assert (mistake, is_gone, is_none) == ("no trial can run", "False []", "False []")
    assert "There is no Ray at address='ray://127.0.0.1:1'" in nowhere
    assert list(tmp_path.glob("runs/search/ray/session_*/logs/*"))
    program.wait_until_all_are_gone(seconds=90)
    trials = program.trials()
    assert [trial.state.name for trial in trials] == ["COMPLETE", "COMPLETE", "RUNNING"]


@pytest.fixture(scope="module")
def cluster():
    """Two nodes on this machine, started by Ray's command: addresses for members and for clients.

    In this process gRPC may run, and of what is forked from it then, some ends at once (Ray's issue
    63202): a cluster that is started in it may lack a part.
    """
    ray.shutdown()  # Of another test's.
    port = free_port()
    # Sockets are in it, whose names are short.
    with tempfile.TemporaryDirectory(prefix="r") as folder, ExitStack() as stack:
        stack.callback(ray.shutdown)
        stack.enter_context(node(folder, "--head", "--port=0", f"--ray-client-server-port={port}"))
        address = Path(folder, "ray/ray_current_cluster").read_text()
        stack.enter_context(node(folder, f"--address={address}", LOSES="it"))
        yield address, f"ray://{address.split(':')[0]}:{port}"


@contextmanager
def node(folder, *arguments, **variables):
    """A node of a cluster, there when its context begins and gone when it ends."""
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--num-cpus=1"]
    # Else a worker may take the port that a test has found free.
    command += ["--min-worker-port=0", "--max-worker-port=0", *arguments]
    variables |= {
        "RAY_TMPDIR": folder,
        "GRPC_ENABLE_FORK_SUPPORT": "0",
        # Else it waits half a minute, when it is to end, for what runs on it.
        "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "0",
        # Actors import what the tests do.
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    with tempfile.NamedTemporaryFile("w+", dir=folder) as output:
        program = subprocess.Popen(
            command, env=os.environ | variables, stdout=output, stderr=output
        )
        try:
            until(lambda: program.poll() is not None or "--block" in Path(output.name).read_text())
            assert program.poll() is None, Path(output.name).read_text()
            yield
        finally:
            program.terminate()
            program.wait()


def test_a_node_that_is_lost_costs_a_try(cluster, tmp_path):
    mark = tmp_path / "mark"

    def meet_the_end():
        if "LOSES" in os.environ:
            mark.write_text(str(os.getppid()))
            time.sleep(1000)
        until(mark.exists)

    def lose_the_node():
        until(lambda: mark.exists() and mark.read_text())
        os.kill(int(mark.read_text()), signal.SIGKILL)

    loser = threading.Thread(target=lose_the_node)
    loser.start()
    executor = kt_hpo.Ray(2, address=cluster[0])
    tuner = Square(tmp_path, executor, max_trials=3, max_retries_per_trial=1)
    # Both run at once, one on each node.
    tuner.search(faults=dict.fromkeys(["0001", "0002"], meet_the_end), verbose=0)
    loser.join()
    assert states(tuner) == ["COMPLETE"] * 3
    [lost] = [trial.user_attrs for trial in tuner.study.trials if "attempts" in trial.user_attrs]
    # Ray tells which by what it hears first: that the node is gone, or that its socket is closed.
    assert lost["attempts"] == 1 and re.search("died|unavailable", lost["traceback"])


def test_a_client_of_a_cluster_searches_on_what_is_left_of_it(cluster, tmp_path, capfd):
    mark = tmp_path / "mark"

    def die_and_hang():
        if mark.exists():
            time.sleep(1000)
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)

    tuner = Square(
        tmp_path, kt_hpo.Ray(1, address=cluster[1]), max_trials=3, max_retries_per_trial=1,
        trial_timeout=3,
    )  # fmt: skip
    tuner.search(faults={"0001": die_and_hang}, verbose=0)
    out, err = capfd.readouterr()
    # A cluster's own servers report to every client what they cannot clean up.
    assert out == "" and [line for line in err.splitlines() if "pid=gcs_server" not in line] == []
    assert states(tuner) == ["COMPLETE", "FAIL", "COMPLETE"]
    hung = tuner.study.trials[1].user_attrs
    assert hung["attempts"] == 1 and "trial_timeout=3" in hung["traceback"]
