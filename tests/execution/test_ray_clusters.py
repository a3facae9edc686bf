"""Searches on clusters, that lose a node or their program: nothing else is lost."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from programs import Program, free_port, until
from squares import Square, states

import kt_hpo

ray = pytest.importorskip("ray")
pytestmark = [pytest.mark.long, pytest.mark.slow, pytest.mark.xdist_group("ray")]


def test_a_search_whose_program_is_killed_goes_on(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # What is left to do needs no second worker.
    executor = "kt_hpo.Ray(1 if os.path.exists('calm') else 2)"
    program = Program(tmp_path, "time.sleep(1000 * hangs)", trials=4, executor=executor)
    parent = program.start()
    # A line for the study, one for each trial that begins, and more.
    journal = tmp_path / "runs/search/record.journal"
    until(lambda: journal.exists() and journal.read_text().count('"op_code":4') >= 3)
    assert [trial.state.name for trial in program.trials()][1:] == ["RUNNING"] * 2
    parent.kill()
    parent.wait()
    # Agents of Ray's look only now and then whether they are still needed.
    program.wait_until_all_are_gone(seconds=90)
    (tmp_path / "calm").touch()
    process = program.start()
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    assert output == ""
    program.wait_until_all_are_gone(seconds=90)
    assert [trial.state.name for trial in program.trials()] == ["COMPLETE"] * 4


@pytest.fixture(scope="module")
def cluster():
    """A cluster on this machine, started by Ray's command: addresses for members and for clients.

    In this process gRPC may run, and of what is forked from it then, some ends at once (Ray's issue
    63202): a cluster that is started in it may lack a part.
    """
    ray.shutdown()  # Of another test's.
    port = free_port()
    # Sockets are in it, whose names are short.
    with tempfile.TemporaryDirectory(prefix="r") as folder, ExitStack() as stack:
        stack.callback(ray.shutdown)
        head = ["--head", "--port=0", "--num-cpus=0", f"--ray-client-server-port={port}"]
        stack.enter_context(node(folder, *head))
        address = Path(folder, "ray/ray_current_cluster").read_text()
        for _ in range(2):
            stack.enter_context(node(folder, f"--address={address}", "--num-cpus=1"))
        yield address, f"ray://{address.split(':')[0]}:{port}"


@contextmanager
def node(folder, *arguments):
    """A node of a cluster, there when its context begins and gone when it ends."""
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", *arguments]
    # Else a worker may take the port that a test has found free.
    command += ["--min-worker-port=0", "--max-worker-port=0"]
    added = {
        "RAY_TMPDIR": folder,
        "GRPC_ENABLE_FORK_SUPPORT": "0",
        # Else it waits half a minute, when it is to end, for what runs on it.
        "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "0",
    }
    # Actors import what the tests do.
    environment = os.environ | added | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with tempfile.NamedTemporaryFile("w+", dir=folder) as output:
        program = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
        try:
            until(lambda: program.poll() is not None or "--block" in Path(output.name).read_text())
            assert program.poll() is None, Path(output.name).read_text()
            yield
        finally:
            program.terminate()
            program.wait()


def waits_on_the_first_node(mark):
    """A fault that writes down which Ray of a node it happens in first, and stays there."""

    def wait():
        raylet = str(os.getppid())
        if not mark.exists():
            mark.write_text(raylet)
        if mark.read_text() == raylet:
            time.sleep(1000)

    return wait


def test_a_node_that_is_lost_costs_a_try(cluster, tmp_path):
    mark = tmp_path / "mark"

    def lose_the_node():
        until(lambda: mark.exists() and mark.read_text())
        time.sleep(0.5)
        os.kill(int(mark.read_text()), signal.SIGKILL)

    loser = threading.Thread(target=lose_the_node)
    loser.start()
    executor = kt_hpo.Ray(2, address=cluster[0])
    tuner = Square(tmp_path, executor, max_trials=4, max_retries_per_trial=1)
    tuner.search(faults={"0002": waits_on_the_first_node(mark)}, verbose=0)
    loser.join()
    assert states(tuner) == ["COMPLETE"] * 4
    assert tuner.study.trials[2].user_attrs["attempts"] == 1


def test_a_client_of_a_cluster_searches_on_what_is_left_of_it(cluster, tmp_path, capfd):
    tuner = Square(tmp_path, kt_hpo.Ray(1, address=cluster[1]), max_trials=4, trial_timeout=5)
    tuner.search(faults={"0002": hang}, verbose=0)
    assert capfd.readouterr() == ("", "")
    assert states(tuner) == ["COMPLETE", "COMPLETE", "FAIL", "COMPLETE"]
    assert "trial_timeout=5" in tuner.oracle.get_trial("0002").message


def hang():
    time.sleep(1000)
