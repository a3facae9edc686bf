"""What a chief answers, asked over its port; the workers are played by the tests."""

import pickle
import threading
import time

import grpc
import pytest
from keras_tuner.engine.trial import TrialStatus
from kt_hpo.oracles import RandomSearchOracle
from optuna.pruners import ThresholdPruner
from programs import free_port, until

import kt_hpo
from kt_hpo.execution.distributed import Chief, ClusterConfig, connection
from kt_hpo.execution.distributed import chief as chief_module
from kt_hpo.execution.distributed.client import OracleClient
from kt_hpo.execution.distributed.messages import (
    ChiefError,
    NameTakenError,
    SearchOverError,
    TrialLostError,
)
from kt_hpo.execution.distributed.server import ASK, SERVICE
from kt_hpo.tracking.tracker import Tracker


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
            pruner=ThresholdPruner(upper=1.0),
            **{"max_trials": 3, **arguments},
        )
        self.tuner.executor = Chief(self.cluster("chief"))
        self.thread = threading.Thread(target=self.search, daemon=True)
        self.thread.start()
        self.workers, self.error = [], None

    def search(self):
        try:
            self.tuner.search(verbose=0)
        except Exception as error:
            self.error = error

    def cluster(self, name):
        return ClusterConfig(name, "127.0.0.1", self.port)

    def worker(self, name="tuner0"):
        oracle = RandomSearchOracle(objective="loss", max_trials=3)
        oracle._set_project_dir(self.tuner.directory, self.tuner.project_name)
        self.workers.append(OracleClient(oracle, self.cluster(name)))
        return self.workers[-1]

    def finish(self, worker):
        """Has a worker run what is left."""
        while (trial := worker.create_trial("")).status != TrialStatus.STOPPED:
            if trial.status == TrialStatus.RUNNING:
                worker.update_trial(trial.trial_id, {"loss": 0.5})
                trial.status = TrialStatus.COMPLETED
                worker.end_trial(trial)
        self.close()
        return self.tuner.study.trials

    def close(self):
        for worker in self.workers:
            worker.line.close()
        self.thread.join(timeout=20)
        assert not self.thread.is_alive()


@pytest.fixture
def chief(tmp_path):
    return Running(tmp_path)


def test_a_worker_reports_annotates_and_is_told_to_stop(chief):
    worker = chief.worker()
    trial = worker.create_trial("")
    assert worker.create_trial("").trial_id == trial.trial_id
    assert worker.report(trial.trial_id, 0, {"loss": 0.9})
    assert not worker.report(trial.trial_id, 1, {"loss": 1.1})
    assert worker.is_stopped(trial.trial_id)
    assert worker.best_reported(trial.trial_id) == 0.9
    worker.annotate(trial.trial_id, parameters=12)
    assert worker.annotations(trial.trial_id) == {"worker": 1, "parameters": 12}
    worker.update_trial(trial.trial_id, {"loss": 0.9})
    trial.status = TrialStatus.COMPLETED
    worker.end_trial(trial)
    assert worker.seed == 0
    first, *others = chief.finish(worker)
    assert first.state.name == "PRUNED" and first.intermediate_values == {0: 0.9, 1: 1.1}
    assert [trial.state.name for trial in others] == ["COMPLETE"] * 2
    assert first.params == trial.hyperparameters.values


def test_only_what_a_training_needs_is_answered(chief):
    worker = chief.worker()
    for name in ("enqueue", "save", "__class__", "arrive", "leave", "record"):
        with pytest.raises(RuntimeError, match="nothing to ask for"):
            worker.line.ask(name)
    with pytest.raises(AttributeError, match="process of the chief"):
        worker.record  # noqa: B018
    with pytest.raises(RuntimeError, match="Objective value missing"):
        worker.update_trial(worker.create_trial("").trial_id, {"accuracy": 1.0})
    assert len(chief.finish(worker)) == 3


class Code:
    def __reduce__(self):
        return pytest.fail, ("what arrives at the port is executed",)


def test_what_is_no_question_harms_nobody(chief):
    worker = chief.worker()
    worker.get_space()
    with grpc.insecure_channel(chief.cluster("").address) as channel:
        ask = channel.unary_unary(f"/{SERVICE}/{ASK}", None, None)
        for content in (
            b"", b"\xff", b"[]", b'{"method": 1}', b"[" * 10**5, pickle.dumps(Code())
        ):  # fmt: skip
            with pytest.raises(grpc.RpcError):
                ask(content, timeout=10)
    assert len(chief.finish(worker)) == 3


def test_nobody_speaks_of_the_trial_of_another(chief):
    one, other = chief.worker("tuner0"), chief.worker("tuner1")
    trial = one.create_trial("")
    for change in (
        lambda: other.report(trial.trial_id, 0, {"loss": 0.1}),
        lambda: other.update_trial(trial.trial_id, {"loss": 0.1}),
    ):
        with pytest.raises(TrialLostError, match="tuner1"):
            change()
    # A trial is also lost before it begins and after it has trained: no error may end its worker.
    other.start_clock(trial.trial_id)
    other.annotate(trial.trial_id, parameters=1)
    assert "parameters" not in one.annotations(trial.trial_id)
    other.end_trial(trial)  # Only says so.
    assert one.report(trial.trial_id, 0, {"loss": 0.1})
    one.line.close()
    states = [trial.state.name for trial in chief.finish(other)]
    assert states == ["FAIL", "COMPLETE", "COMPLETE"]


def test_failures_in_a_row_end_the_search_for_all(tmp_path):
    chief = Running(tmp_path, max_trials=9, tune_new_entries=False)
    one, other = chief.worker("tuner0"), chief.worker("tuner1")
    other.create_trial("")
    for _ in range(2):
        trial = one.create_trial("")
        trial.status, trial.message = TrialStatus.FAILED, "RuntimeError: no"
        one.end_trial(trial)
    trial = one.create_trial("")
    trial.status, trial.message = TrialStatus.FAILED, "RuntimeError: no"
    for ask in (lambda: one.end_trial(trial), lambda: other.create_trial("")):
        with pytest.raises(ChiefError, match="3 trials failed in a row"):
            ask()
    chief.close()
    assert isinstance(chief.error, RuntimeError)


def test_a_search_whose_time_is_up_ends_its_workers_in_peace(tmp_path):
    chief = Running(tmp_path, time_budget=600)
    worker = chief.worker()
    trial = worker.create_trial("")
    chief.tuner.interruption._deadline = time.monotonic()  # As if the ten minutes were over.
    with pytest.raises(SearchOverError, match="time of the search is up"):
        for epoch in range(100):
            worker.report(trial.trial_id, epoch, {"loss": 0.5})
            time.sleep(0.02)
    chief.close()
    assert chief.error is None
    assert [trial.state.name for trial in chief.tuner.study.trials] == ["RUNNING"]


def test_two_workers_have_two_names(chief, monkeypatch):
    monkeypatch.setattr(connection, "_NOTICED", 1.0)
    one, other = chief.worker(), chief.worker()
    one.create_trial("")
    with pytest.raises(NameTakenError, match="KERASTUNER_TUNER_ID"):
        other.create_trial("")
    other.line.close()
    assert len(chief.finish(one)) == 3


def test_a_port_that_is_taken_is_a_clear_error(chief, tmp_path):
    tuner = Search(directory=tmp_path, project_name="another")
    tuner.executor = chief.tuner.executor
    worker = chief.worker()
    worker.get_space()
    with pytest.raises(ValueError, match="KERASTUNER_ORACLE_PORT"):
        tuner.search(verbose=0)
    chief.finish(worker)


class Heard(Tracker):
    """Keeps what the user is told of workers that are missing."""

    def __init__(self):
        self.said = []

    def note(self, text):
        if "No worker" in text:
            self.said.append(text)


def test_a_chief_without_workers_says_so_once_each_time(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(chief_module, "_LONELY", 0.3)
    heard = Heard()
    chief = Running(tmp_path, tracker=heard, max_retries_per_trial=1)
    until(lambda: heard.said)
    first = chief.worker("tuner0")
    lost = first.create_trial("")
    time.sleep(1)
    assert len(heard.said) == 1
    first.line.close()
    until(lambda: len(heard.said) == 2)
    for part in (
        f"waiting at 127.0.0.1:{chief.port}.",
        f"KERASTUNER_ORACLE_IP=127.0.0.1 KERASTUNER_ORACLE_PORT={chief.port} KERASTUNER_TUNER_ID=",
        "Ctrl-C",
    ):
        assert part in heard.said[1]
    # Another worker runs the trial of the one that is lost.
    other = chief.worker("tuner1")
    assert other.create_trial("").trial_id == lost.trial_id
    assert [trial.state.name for trial in chief.finish(other)] == ["COMPLETE"] * 3
    assert len(heard.said) == 2
    assert "No worker" not in capsys.readouterr().out  # verbose=0 is silent.
