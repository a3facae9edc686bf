"""Keras Tuner's chief and workers: real processes on the loopback, one record, one end a trial."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from programs import ends_in, free_port, until

import kt_hpo

TESTS = Path(__file__).parents[2]
TRAINING = """
import sys
sys.path.insert(0, {tests!r})
import kt_hpo
from models import blobs, build

tuner = kt_hpo.{tuner}, directory="runs", project_name="search", seed=0)
tuner.search(*blobs(100), validation_split=0.3, epochs=3, verbose=0)
best = tuner.get_best_models()[0]
loss = best.evaluate(*blobs(100, seed=1), verbose=0)[0]
print("best:", tuner.get_best_hyperparameters()[0].values, round(loss, 5), len(tuner.study.trials))
"""
SLEEPING = """
import os, time
import kt_hpo

def wait_for_both():
    open(os.environ["KERASTUNER_TUNER_ID"], "w").close()
    while not (os.path.exists("tuner0") and os.path.exists("tuner1")):
        time.sleep(0.05)

class Search(kt_hpo.RandomSearch):
    def run_trial(self, trial):
        value = trial.hyperparameters.Float("x", -1, 1)
        {body}
        time.sleep(0.1)
        return value**2

Search(max_trials=8, seed=0, directory="runs", project_name="search", max_retries_per_trial=1,
       overwrite={overwrite}).search(verbose=0)
"""


class Cluster:
    """One program, run by a chief and its workers."""

    def __init__(self, folder, program):
        self.folder, self.port = folder, free_port()
        (folder / "program.py").write_text(textwrap.dedent(program))
        self.processes, self.said = {}, {}

    def start(self, *names):
        for name in names:
            variables = {
                "KERASTUNER_TUNER_ID": name,
                "KERASTUNER_ORACLE_IP": "127.0.0.1",
                "KERASTUNER_ORACLE_PORT": str(self.port),
            }
            self.processes[name] = subprocess.Popen(
                [sys.executable, "program.py"], cwd=self.folder, env={**os.environ, **variables},
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            )  # fmt: skip

    def kill(self, name):
        process = self.processes.pop(name)
        process.send_signal(signal.SIGKILL)
        process.communicate()

    def outputs(self, seconds=240):
        """What each process has said, once all have ended well."""
        for name, one in self.processes.items():
            if name not in self.said:
                self.said[name] = one.communicate(timeout=seconds)[0]
        codes = {name: one.returncode for name, one in self.processes.items()}
        assert codes == dict.fromkeys(codes, 0), self.said
        return self.said

    def close(self):
        for process in self.processes.values():
            if process.poll() is None:
                process.kill()
                process.communicate()

    def trials(self):
        return kt_hpo.open_study(self.folder / "runs").trials

    def ends(self):
        return ends_in(self.folder / "runs" / "search" / "record.journal")


@pytest.fixture
def cluster(tmp_path):
    made = []

    def make(program):
        made.append(Cluster(tmp_path, program))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.mark.slow
def test_a_chief_and_two_workers_search_as_one_process_does(cluster):
    search = cluster(
        TRAINING.format(tests=str(TESTS), tuner='RandomSearch(build, "val_loss", max_trials=8')
    )
    search.start("chief", "tuner0", "tuner1")
    search.outputs()
    search.start("tuner2")  # Too late to run anything.
    said = search.outputs()
    trials = search.trials()
    assert [trial.state.name for trial in trials] == ["COMPLETE"] * 8
    assert search.ends() == dict.fromkeys(range(8), 1)
    assert {trial.user_attrs["worker"] for trial in trials} <= {1, 2}
    for trial in trials:
        [history] = trial.user_attrs["history"]
        assert trial.intermediate_values == dict(enumerate(history["val_loss"]))
        assert len(history["val_loss"]) == 3 and trial.user_attrs["parameters"] > 0
    # Everyone has the best model, and was warned once.
    results = {text.split("best: ")[1] for text in said.values()}
    assert len(results) == 1 and results.pop().rstrip().endswith(" 8")
    for text in said.values():
        assert text.count("its port is unauthenticated") == 1


@pytest.mark.slow
def test_workers_go_on_from_each_others_trials(cluster):
    search = cluster(
        TRAINING.format(
            tests=str(TESTS), tuner='Hyperband(build, "val_loss", max_epochs=4, factor=2'
        )
    )
    search.start("tuner0", "tuner1", "chief")
    search.outputs()
    trials = search.trials()
    assert {trial.state.name for trial in trials} == {"COMPLETE"}
    assert set(search.ends().values()) == {1}
    sources = {t.number: t.user_attrs["values"].get("tuner/trial_id") for t in trials}
    promoted = {number: int(source) for number, source in sources.items() if source is not None}
    assert promoted
    for number, source in promoted.items():
        past, history = trials[source], trials[number].user_attrs["history"][0]
        assert min(history["epoch"]) == max(past.user_attrs["history"][0]["epoch"]) + 1


@pytest.mark.slow
def test_a_worker_that_is_killed_fails_its_trial_alone(cluster):
    body = """
        # The first trial, with which the space becomes known, runs alone.
        if trial.trial_id != "0000":
            wait_for_both()
            if os.environ["KERASTUNER_TUNER_ID"] == "tuner1":
                open("hangs", "w").close()
                time.sleep(1000)
    """
    search = cluster(SLEEPING.format(body=body, overwrite=True))
    search.start("chief", "tuner0", "tuner1")
    until((search.folder / "hangs").exists)
    until(lambda: len(search.ends()) >= 3)
    search.kill("tuner1")
    search.outputs()
    trials = search.trials()
    assert [trial.state.name for trial in trials] == ["COMPLETE"] * 8
    assert search.ends() == dict.fromkeys(range(8), 1)
    [retried] = [trial for trial in trials if "attempts" in trial.user_attrs]
    assert retried.user_attrs["attempts"] == 1
    assert "tuner1 is gone" in retried.user_attrs["traceback"]


@pytest.mark.slow
def test_a_chief_that_is_killed_is_started_again_and_its_workers_go_on(cluster):
    search = cluster(SLEEPING.format(body="", overwrite=False))
    search.start("chief", "tuner0", "tuner1")
    until(lambda: len(search.ends()) >= 2)
    search.kill("chief")
    ended = {trial.number: trial for trial in search.trials() if trial.state.is_finished()}
    search.start("chief")
    search.outputs()
    trials = search.trials()
    assert [trial.state.name for trial in trials] == ["COMPLETE"] * 8
    assert search.ends() == dict.fromkeys(range(8), 1)
    assert {number: trials[number] for number in ended} == ended


@pytest.mark.slow
def test_a_mistake_in_every_trial_ends_everyone(cluster):
    # The first trial, with which the space becomes known, runs alone.
    fail = 'wait_for_both(); raise kt_hpo.errors.FatalValueError("no such column")'
    body = f'if trial.trial_id != "0000": {fail}'
    search = cluster(SLEEPING.format(body=body, overwrite=False))
    search.start("chief", "tuner0", "tuner1")
    for process in search.processes.values():
        said, _ = process.communicate(timeout=120)
        assert process.returncode == 1 and "no such column" in said
