"""Keras Tuner's chief and workers: real processes on the loopback, one record, one end a trial."""

import textwrap
from pathlib import Path

import pytest
from programs import Script, ends_in, free_port, until

import kt_hpo

TESTS = Path(__file__).parents[2]
TRAINING = """
import sys
sys.path.insert(0, {tests!r})
import kt_hpo
from models import blobs, eager

tuner = kt_hpo.Hyperband(
    eager, "val_loss", max_epochs=3, directory="runs", project_name="search", seed=0
)
tuner.search(*blobs(100), validation_split=0.3, batch_size=70, verbose=0)
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
        self.processes = {}

    def start(self, *names):
        for name in names:
            variables = {
                "KERASTUNER_TUNER_ID": name,
                "KERASTUNER_ORACLE_IP": "127.0.0.1",
                "KERASTUNER_ORACLE_PORT": str(self.port),
            }
            self.processes[name] = Script(self.folder / "program.py", variables)

    def kill(self, name):
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def outputs(self, seconds=240):
        """What each process has said, once all have ended well."""
        said = {name: one.communicate(seconds)[0] for name, one in self.processes.items()}
        codes = {name: one.returncode for name, one in self.processes.items()}
        assert codes == dict.fromkeys(codes, 0), said
        return said

    def close(self):
        for process in self.processes.values():
            process.kill()

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
    """Of an algorithm whose trials go on from each other's."""
    search = cluster(TRAINING.format(tests=str(TESTS)))
    search.start("tuner0", "tuner1", "chief")
    search.outputs()
    search.start("tuner2")  # Too late to run anything.
    said = search.outputs()
    trials = search.trials()
    assert {trial.state.name for trial in trials} == {"COMPLETE"}
    assert search.ends() == dict.fromkeys(range(len(trials)), 1)
    assert {trial.user_attrs["worker"] for trial in trials} <= {1, 2}
    promoted = 0
    for trial in trials:
        [history] = trial.user_attrs["history"]
        assert trial.intermediate_values == dict(
            zip(history["epoch"], history["val_loss"], strict=True)
        )
        values = trial.user_attrs["values"]
        first, end = values["tuner/initial_epoch"], values["tuner/epochs"]
        assert history["epoch"] == list(range(first, end))
        assert trial.user_attrs["parameters"] > 0
        if "tuner/trial_id" in values:
            promoted += 1
            past = trials[int(values["tuner/trial_id"])].user_attrs["history"][0]
            assert history["epoch"][0] == past["epoch"][-1] + 1
    assert promoted
    # Everyone has the best model.
    results = {text.split("best: ")[1] for text in said.values()}
    assert len(results) == 1 and results.pop().rstrip().endswith(f" {len(trials)}")


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
