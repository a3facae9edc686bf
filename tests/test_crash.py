"""Searches that are killed, and files that are damaged."""

import gc
import json
import random
import signal
import subprocess
import time

import keras_tuner
import pytest
from models import blobs, eager
from programs import ends_in, until

import kt_hpo
from kt_hpo.record.record import Record

KILLS = 5


def search(directory):
    """One search, as its program would run it; called in a process of its own."""
    gc.freeze()  # To look for garbage in all that was imported takes longer than a trial.
    tuner = kt_hpo.Hyperband(
        eager, "val_loss", max_epochs=3, factor=3, seed=0, directory=directory,
        project_name="search",
    )  # fmt: skip
    tuner.search(*blobs(100), validation_split=0.3, batch_size=100, verbose=0)


def ended(study):
    return {trial.number: trial for trial in study.trials if trial.state.is_finished()}


@pytest.mark.slow
def test_a_search_that_is_killed_several_times_loses_nothing(processes, tmp_path):
    search(tmp_path / "whole")
    whole = kt_hpo.open_study(tmp_path / "whole").trials
    journal = tmp_path / "killed" / "search" / "record.journal"
    moments = random.Random(0)
    kept, statuses = {}, []
    for number in range(KILLS):
        process = processes.Process(target=search, args=(tmp_path / "killed",))
        process.start()
        until(lambda reached=number: len(ends_in(journal)) >= reached)
        time.sleep(moments.uniform(0, 0.2))
        process.kill()
        process.join()
        statuses.append(process.exitcode)
        if journal.exists():
            try:
                now = ended(kt_hpo.open_study(tmp_path / "killed"))
            except ValueError:  # Killed before the study was begun.
                continue
            # No ended trial is lost, run again or changed.
            assert {number: now[number] for number in kept} == kept
            kept = now
    assert statuses.count(-signal.SIGKILL) > 2, "the kills came too late to try anything"
    search(tmp_path / "killed")
    trials = kt_hpo.open_study(tmp_path / "killed").trials
    assert {
        number: ended(kt_hpo.open_study(tmp_path / "killed"))[number] for number in kept
    } == kept
    assert [trial.state.name for trial in trials] == ["COMPLETE"] * len(whole)
    assert [trial.params for trial in trials] == [trial.params for trial in whole]
    assert [trial.user_attrs.get("values") for trial in trials] == [
        trial.user_attrs.get("values") for trial in whole
    ]
    assert [trial.value for trial in trials] == pytest.approx([trial.value for trial in whole])


class Parabola(kt_hpo.RandomSearch):
    def run_trial(self, trial):
        return trial.hyperparameters.Float("x", -1, 1) ** 2


def parabola(directory, max_trials=5):
    tuner = Parabola(max_trials=max_trials, seed=0, directory=directory)
    tuner.search(verbose=0)
    return tuner.study.trials


@pytest.mark.slow
def test_every_cut_of_the_journal_is_survived(tmp_path):
    """Whatever a killed process has written: the search goes on to the same trials."""
    whole = parabola(tmp_path / "whole", 3)
    journal = tmp_path / "whole" / "untitled_project" / "record.journal"
    content = journal.read_bytes()
    cut = tmp_path / "cut" / "untitled_project" / "record.journal"
    cut.parent.mkdir(parents=True)
    for length in [*range(0, len(content), 113), len(content) - 1]:
        cut.write_bytes(content[:length])
        trials = parabola(tmp_path / "cut", 3)
        assert [trial.params for trial in trials] == [trial.params for trial in whole]
        assert [trial.value for trial in trials] == [trial.value for trial in whole]


@pytest.mark.parametrize("damage", ["garbage\n", '{"op_code": 4}\n', "[]\n", "\x00\x01\n"])
def test_a_damaged_record_is_a_clear_error_with_a_way_on(damage, tmp_path):
    parabola(tmp_path)
    journal = tmp_path / "untitled_project" / "record.journal"
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join([*lines[:6], damage, *lines[6:]]))
    for opened in (lambda: kt_hpo.open_study(tmp_path), lambda: parabola(tmp_path)):
        with pytest.raises(kt_hpo.RecordError, match=r"record\.journal") as error:
            opened()
        assert "damaged at line 7" in str(error.value)
        assert "overwrite=True" in str(error.value)
    command = str(error.value).split("`")[1]
    subprocess.run(command, shell=True, check=True, cwd=tmp_path)
    assert len(parabola(tmp_path)) == 5


class Waiting(Parabola):
    """Waits in its second trial until it may go on."""

    def run_trial(self, trial):
        if trial.trial_id == "0001":
            self.is_running.set()
            self.may_end.wait()
        return super().run_trial(trial)


def wait_in_a_trial(directory, storage, is_running, may_end):
    tuner = Waiting(max_trials=3, directory=directory, storage=storage)
    tuner.is_running, tuner.may_end = is_running, may_end
    tuner.search(verbose=0)


@pytest.fixture
def waiting(processes, tmp_path):
    """Starts a search in another process, which waits in a trial; gives it, and what lets it go."""
    started = []

    def start(storage=None):
        is_running, may_end = processes.Event(), processes.Event()
        arguments = (tmp_path, storage, is_running, may_end)
        started.append(processes.Process(target=wait_in_a_trial, args=arguments))
        started[0].start()
        assert is_running.wait(120)
        return started[0], may_end

    yield start
    started[0].kill()
    started[0].join()


def test_two_processes_do_not_search_in_one_project(waiting, tmp_path):
    other, _ = waiting()
    with pytest.raises(kt_hpo.RecordError, match="Another process"):
        parabola(tmp_path)
    assert kt_hpo.open_study(tmp_path).trials[1].state.name == "RUNNING"
    other.kill()
    other.join()
    # The kernel has taken the dead process's lock away.
    assert len(parabola(tmp_path)) == 5


@pytest.mark.parametrize("storage", [None, "sqlite:///{}/trials.db"])
def test_overwrite_deletes_nothing_of_a_search_that_runs(storage, waiting, tmp_path):
    storage = storage and storage.format(tmp_path)
    kept = tmp_path / "untitled_project" / "trial_0000" / "checkpoint.weights.h5"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"weights")
    other, may_end = waiting(storage)
    with pytest.raises(kt_hpo.RecordError, match="Another process"):
        Parabola(directory=tmp_path, storage=storage, overwrite=True)
    assert kept.exists()
    may_end.set()
    other.join()
    assert other.exitcode == 0
    place = storage or tmp_path
    assert [t.state.name for t in kt_hpo.open_study(place).trials] == ["COMPLETE"] * 3
    (tmp_path / "untitled_project" / "file").touch()
    begun = Parabola(directory=tmp_path, storage=storage, overwrite=True)
    assert not begun.study.trials and not kept.parent.exists()
    assert not (tmp_path / "untitled_project" / "file").exists()


def record_in_one_database(directory, number, barrier):
    barrier.wait()
    objective = keras_tuner.Objective("val_loss", "min")
    storage = f"sqlite:///{directory}/trials.db"
    record = Record.open(directory / f"p{number}", objective, storage)
    record.note(number=number)


@pytest.mark.slow
def test_several_processes_begin_their_searches_in_one_database_at_once(processes, tmp_path):
    for round_ in range(2):
        directory = tmp_path / str(round_)
        directory.mkdir()
        barrier = processes.Barrier(6)
        begun = [
            processes.Process(target=record_in_one_database, args=(directory, number, barrier))
            for number in range(6)
        ]
        for process in begun:
            process.start()
        for process in begun:
            process.join()
        assert [process.exitcode for process in begun] == [0] * 6
        url = f"sqlite:///{directory}/trials.db"
        names = {f"p{number}": number for number in range(6)}
        assert {name: kt_hpo.open_study(url, name).user_attrs["number"] for name in names} == names


def test_ctrl_c_keeps_everything_and_says_how_to_go_on(tmp_path, capsys):
    class Interrupted(Parabola):
        def run_trial(self, trial):
            if trial.trial_id == "0002":
                raise KeyboardInterrupt
            return super().run_trial(trial)

    with pytest.raises(KeyboardInterrupt):
        Interrupted(max_trials=5, seed=0, directory=tmp_path).search()
    assert "Run the same program again to go on" in capsys.readouterr().out
    trials = parabola(tmp_path)
    assert [trial.params for trial in trials] == [t.params for t in parabola(tmp_path / "whole")]


def test_a_search_of_plain_keras_tuner_is_read(tmp_path):
    class Theirs(keras_tuner.RandomSearch):
        def run_trial(self, trial, *args, **kwargs):
            hp = trial.hyperparameters
            return {"val_loss": hp.Float("x", -1, 1) ** 2 + hp.Int("n", 1, 3), "loss": 1.0}

    tuner = Theirs(objective="val_loss", max_trials=4, directory=tmp_path, project_name="theirs")
    tuner.search(verbose=0)
    study = kt_hpo.open_study(tmp_path / "theirs")
    assert study.metric_names == ["val_loss"]
    assert [t.value for t in study.trials] == [t.score for t in tuner.oracle.trials.values()]
    assert study.best_params == tuner.get_best_hyperparameters()[0].values
    # Half of a file, as Keras Tuner leaves it when it is killed: it reads nothing any more.
    file = tmp_path / "theirs" / "trial_1" / "trial.json"
    file.write_text(file.read_text()[:40])
    (tmp_path / "theirs" / "oracle.json").write_text('{"ongoing')
    with pytest.warns(UserWarning, match=r"cannot be read"):
        rest = kt_hpo.open_study(tmp_path / "theirs")
    assert len(rest.trials) == 3
    assert all(set(trial.params) == {"x", "n"} for trial in rest.trials)


def test_open_study_says_what_it_does_not_find(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"record\.journal"):
        kt_hpo.open_study(tmp_path)
    for name in ("one", "two"):
        Parabola(max_trials=1, directory=tmp_path, project_name=name).search(verbose=0)
    with pytest.raises(ValueError, match="several"):
        kt_hpo.open_study(tmp_path)
    assert json.dumps(kt_hpo.open_study(tmp_path / "one").trials[0].params)
