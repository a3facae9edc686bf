"""What a chief does for its workers, over its port; the workers are played by the tests."""

import socket
import stat
import struct
import threading
import time
from contextlib import suppress

import pytest
from optuna.pruners import ThresholdPruner
from programs import free_port, until

import kt_hpo
from kt_hpo.execution.distributed import Chief, ClusterConfig, authentication
from kt_hpo.execution.distributed import chief as chief_module
from kt_hpo.execution.messages import (
    Ask,
    ChiefError,
    Ended,
    Raised,
    Ready,
    SearchOverError,
    packed,
    unpacked,
)
from kt_hpo.execution.processes.remote import Questions
from kt_hpo.tracking.tracker import Tracker
from kt_hpo.training.results import Result


class Search(kt_hpo.RandomSearch):
    def run_trial(self, trial):
        raise AssertionError("a chief trains nothing")


class Running:
    """A chief that searches in a thread."""

    def __init__(self, folder, **arguments):
        self.port = free_port()
        hp = kt_hpo.HyperParameters()
        hp.Int("units", 1, 1000)
        self.tuner = Search(
            objective=kt_hpo.Objective("loss", "min"),
            hyperparameters=hp,
            seed=0,
            directory=folder,
            project_name="search",
            pruner=ThresholdPruner(upper=1.0),
            **{"max_trials": 3, **arguments},
        )
        self.tuner.executor = Chief(ClusterConfig("chief", "127.0.0.1", self.port))
        self.key = folder / "search" / "chief.key"
        self.error = None
        self.thread = threading.Thread(target=self.search, daemon=True)
        self.thread.start()
        until(lambda: self.error or self.key.exists())

    def search(self):
        try:
            self.tuner.search(verbose=0)
        except Exception as error:
            self.error = error

    def worker(self, name="tuner0"):
        return Worker(self, name)

    def finish(self, worker):
        """Has a worker run what is left."""
        with pytest.raises(SearchOverError):
            while True:
                worker.end(worker.task())
        worker.close()
        self.join()
        return self.tuner.study.trials

    def join(self):
        self.thread.join(timeout=20)
        assert not self.thread.is_alive()
        assert not self.key.exists()


class Worker:
    """Says what a worker says."""

    def __init__(self, chief, name):
        key = chief.key.read_bytes()
        self.channel = authentication.connect("127.0.0.1", chief.port, key)
        self.channel.send(packed(Ready(name)))
        self.close = self.channel.close

    def task(self):
        message = unpacked(self.channel.receive())
        if isinstance(message, Raised):
            raise message.error
        return message

    def ask(self, place, name, *arguments, **keywords):
        return Questions(self.channel).ask(Ask(place, name, arguments, keywords))

    def report(self, task, epoch, loss):
        return self.ask("dispatcher", "report", task.trial.trial_id, epoch, {"loss": loss})

    def end(self, task, status="COMPLETED", message=None):
        results = [Result({"loss": 0.5})] if status == "COMPLETED" else None
        hyperparameters = task.trial.hyperparameters
        self.channel.send(packed(Ended(status, message, hyperparameters, results)))


@pytest.fixture
def chief(tmp_path):
    return Running(tmp_path)


def test_a_worker_reports_annotates_and_is_told_to_stop(chief):
    worker = chief.worker()
    task = worker.task()
    trial_id = task.trial.trial_id
    assert worker.report(task, 0, 0.9) and not worker.report(task, 1, 1.1)
    assert worker.ask("oracle", "is_stopped", trial_id)
    worker.ask("oracle", "annotate", trial_id, parameters=12)
    assert worker.ask("oracle", "annotations", trial_id) == {"worker": 1, "parameters": 12}
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        worker.ask("oracle", "nonsense")
    worker.channel.send(packed(Ended("COMPLETED", None, task.trial.hyperparameters)))
    first, *others = chief.finish(worker)
    assert first.state.name == "PRUNED" and first.intermediate_values == {0: 0.9, 1: 1.1}
    assert first.params == task.trial.hyperparameters.values
    assert chief.tuner.oracle.get_trial(trial_id).score == 0.9
    assert [trial.state.name for trial in others] == ["COMPLETE"] * 2


def test_the_key_is_its_users_alone(chief):
    assert stat.S_IMODE(chief.key.stat().st_mode) == 0o600
    assert len(chief.key.read_bytes()) == 32
    chief.finish(chief.worker())


STRANGERS = {
    "silent": b"",
    "a browser": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "half a length": b"\x00\x00",
    "a huge length": struct.pack("!i", -1) + struct.pack("!Q", 2**62),
    "an answer": struct.pack("!i", 16) + b"x" * 16,
    "a message": (40).to_bytes(8) + packed(Ready("tuner0"))[:40],
}


@pytest.mark.parametrize("said", STRANGERS.values(), ids=STRANGERS.keys())
def test_a_stranger_gets_nothing_and_harms_nobody(said, chief):
    with socket.create_connection(("127.0.0.1", chief.port), timeout=5) as stranger:
        stranger.sendall(said)
        worker = chief.worker()
        worker.end(worker.task())
        challenge = stranger.recv(4096)
        # A challenge, of random bytes, and perhaps that it was not met.
        assert b"#CHALLENGE#" in challenge and b"trial" not in challenge
        assert len(chief.finish(worker)) == 3


def test_the_port_is_closed_when_the_search_has_ended(chief, tmp_path):
    assert len(chief.finish(chief.worker())) == 3
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", chief.port))


def test_who_has_another_key_is_refused_and_refuses(chief):
    with pytest.raises(authentication.AuthenticationError):
        authentication.connect("127.0.0.1", chief.port, b"x" * 32)
    assert len(chief.finish(chief.worker())) == 3


def test_many_silent_strangers_keep_no_worker_out_for_long(chief, monkeypatch):
    monkeypatch.setattr(authentication, "_PATIENCE", 1)
    strangers = [socket.create_connection(("127.0.0.1", chief.port)) for _ in range(100)]
    arrived = []

    def try_again():
        with suppress(OSError):
            arrived.append(chief.worker())
        return arrived

    until(try_again)
    assert len(chief.finish(arrived[0])) == 3
    for stranger in strangers:
        stranger.close()


def test_what_no_worker_says_is_an_error_of_its_own(chief):
    worker = chief.worker()
    task = worker.task()
    worker.channel.send(b"no pickle")
    assert isinstance(unpacked(worker.channel.receive()), Raised)
    worker.end(task)
    assert len(chief.finish(worker)) == 3


def test_the_trial_of_a_lost_worker_is_run_by_another(tmp_path):
    chief = Running(tmp_path, max_retries_per_trial=1)
    one = chief.worker("tuner7")
    lost = one.task()
    one.close()
    other = chief.worker("tuner8")
    task = other.task()
    assert task.trial.trial_id == lost.trial.trial_id
    other.end(task)
    trials = chief.finish(other)
    assert [trial.state.name for trial in trials] == ["COMPLETE"] * 3
    assert "The worker tuner7 is gone" in trials[0].user_attrs["traceback"]


def test_failures_in_a_row_end_the_search_for_all(tmp_path):
    chief = Running(tmp_path, max_trials=9, tune_new_entries=False)
    one, other = chief.worker("tuner0"), chief.worker("tuner1")
    other.task()
    for _ in range(3):
        one.end(one.task(), "FAILED", "RuntimeError: no")
    for worker in (one, other):
        with pytest.raises(ChiefError, match="3 trials failed in a row"):
            worker.task()
        worker.close()
    chief.join()
    assert isinstance(chief.error, RuntimeError)


def test_a_search_whose_time_is_up_ends_its_workers_in_peace(tmp_path):
    chief = Running(tmp_path, time_budget=600)
    worker = chief.worker()
    task = worker.task()
    chief.tuner.interruption._deadline = time.monotonic()  # As if the ten minutes were over.
    with pytest.raises(SearchOverError, match="time of the search is up"):
        for epoch in range(100):
            worker.report(task, epoch, 0.5)
            time.sleep(0.02)
    worker.close()
    chief.join()
    assert chief.error is None
    assert [trial.state.name for trial in chief.tuner.study.trials] == ["RUNNING"]


def test_a_port_that_is_taken_is_a_clear_error(chief, tmp_path):
    tuner = Search(directory=tmp_path, project_name="another")
    tuner.executor = chief.tuner.executor
    with pytest.raises(ValueError, match="KERASTUNER_ORACLE_PORT"):
        tuner.search(verbose=0)
    chief.finish(chief.worker())


class Heard(Tracker):
    """Keeps what the user is told of workers that are missing."""

    def __init__(self):
        self.said = []

    def note(self, text):
        if "No worker" in text:
            self.said.append(text)


def test_a_chief_without_workers_says_so_once_each_time(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(chief_module, "_TOLD", 0.3)
    heard = Heard()
    chief = Running(tmp_path, tracker=heard)
    until(lambda: heard.said)
    first = chief.worker("tuner0")
    first.end(first.task())
    time.sleep(1)
    assert len(heard.said) == 1
    first.close()
    until(lambda: len(heard.said) == 2)
    for part in (
        f"waiting at 127.0.0.1:{chief.port}.",
        f"KERASTUNER_ORACLE_IP=127.0.0.1 KERASTUNER_ORACLE_PORT={chief.port} KERASTUNER_TUNER_ID=",
        "Ctrl-C",
    ):
        assert part in heard.said[1]
    chief.finish(chief.worker("tuner1"))
    assert len(heard.said) == 2
    assert "No worker" not in capsys.readouterr().out  # verbose=0 is silent.
