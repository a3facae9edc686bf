"""Searches on clusters, that lose a node or their program: nothing else is lost."""

import socket
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from programs import Program, until
from squares import Square, states

import kt_hpo

ray = pytest.importorskip("ray")


@pytest.mark.slow
def test_a_search_whose_program_is_killed_goes_on(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    program = Program(tmp_path, "time.sleep(1000 * hangs)", trials=4, executor="kt_hpo.Ray(2)")
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


def waits_on_the_first_node(mark):
    """A fault that writes down where it first happens, and stays there."""

    def wait():
        node = ray.get_runtime_context().get_node_id()
        if not Path(mark).exists():
            Path(mark).write_text(node)
        if Path(mark).read_text() == node:
            time.sleep(1000)

    return wait


@contextmanager
def cluster_of(**head):
    """A cluster on this machine."""
    from ray.cluster_utils import Cluster

    if ray.is_initialized():
        ray.shutdown()
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()


@pytest.mark.slow
def test_a_node_that_is_lost_costs_a_try(tmp_path):
    mark = tmp_path / "mark"
    with cluster_of(num_cpus=0) as cluster:
        nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]

        def lose_the_node():
            until(mark.exists)
            time.sleep(0.5)
            lost = next(node for node in nodes if node.node_id == mark.read_text())
            cluster.remove_node(lost, allow_graceful=False)

        loser = threading.Thread(target=lose_the_node)
        loser.start()
        executor = kt_hpo.Ray(2, address=cluster.address)
        tuner = Square(tmp_path, executor, max_trials=5, max_retries_per_trial=1)
        tuner.search(faults={"0002": waits_on_the_first_node(mark)}, verbose=0)
        loser.join()
    assert states(tuner) == ["COMPLETE"] * 5
    assert tuner.study.trials[2].user_attrs["attempts"] == 1


@pytest.mark.slow
def test_a_client_of_a_cluster_searches_on_it(tmp_path):
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    with cluster_of(num_cpus=2, ray_client_server_port=port):
        executor = kt_hpo.Ray(2, address=f"ray://127.0.0.1:{port}")
        tuner = Square(tmp_path, executor, max_trials=4, trial_timeout=5)
        tuner.search(faults={"0002": hang}, verbose=0)
    assert states(tuner) == ["COMPLETE", "COMPLETE", "FAIL", "COMPLETE"]
    assert "trial_timeout=5" in tuner.oracle.get_trial("0002").message


def hang():
    time.sleep(1000)
