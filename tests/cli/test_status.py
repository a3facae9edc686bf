"""`kt-hpo status`."""

import json
import subprocess
import sys
import time

import pytest
from cli.commands import UNTRAINED

import kt_hpo
from kt_hpo import cli
from kt_hpo.record import journal
from kt_hpo.tuner import Tuner


class Parabola(kt_hpo.OptunaSearch):
    def run_trial(self, trial):
        return trial.hyperparameters.Float("x", -1, 1) ** 2


def status(search, capsys, *arguments):
    assert cli.main(["status", str(search), *arguments]) == cli.OK
    return capsys.readouterr().out


def test_a_finished_search_says_its_best(tmp_path, capsys):
    tuner = Parabola(directory=tmp_path, project_name="p", max_trials=4, seed=0)
    tuner.search(verbose=0)
    shown = status(tmp_path / "p", capsys)
    best = tuner.study.best_trial
    assert shown.startswith(f"{tmp_path / 'p'}: finished\n")
    assert "4 of 4: 4 complete" in shown
    assert f"{best.value:.4g} in trial {best.number}\n" in shown and "left" not in shown
    known = json.loads(status(tmp_path / "p", capsys, "--json"))
    assert (known["state"], known["planned"], known["left"]) == ("finished", 4, None)
    assert known["best"][0]["params"] == best.params


def test_a_status_is_said_without_keras(tmp_path):
    Parabola(
        directory=tmp_path, project_name="p", max_trials=2, constraint="default_objective < 1"
    ).search(verbose=0)
    program = (
        "import sys; from kt_hpo import cli; "
        f"status = cli.main(['status', {str(tmp_path / 'p')!r}]); "
        "print(status, {'keras', 'keras_tuner', 'tensorflow', 'jax'} & set(sys.modules))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.stdout.endswith("\n0 set()\n"), ended


def test_a_running_search_says_what_it_does_and_how_long_it_will_take(tmp_path, capsys):
    seen = []

    class Watched(Parabola):
        def run_trial(self, trial):
            if trial.trial_id == "0002":
                self.report(trial, 4, {"default_objective": 0.5})
                seen.append(status(tmp_path / "p", capsys))
            if trial.trial_id == "0001":
                raise ArithmeticError
            return super().run_trial(trial)

    Watched(directory=tmp_path, project_name="p", max_trials=5, seed=0).search(verbose=0)
    [shown] = seen
    assert ": running\n" in shown
    assert "2 of 5: 1 complete, 1 failed, 1 running" in shown
    assert "trial 2, epoch 5, 0.5, for" in shown
    assert "trials a minute" in shown and "about" in shown


def test_an_interrupted_search_says_how_to_go_on(tmp_path, capsys):
    class Stopped(Parabola):
        def run_trial(self, trial):
            if trial.trial_id == "0002":
                raise KeyboardInterrupt
            return super().run_trial(trial)

    with pytest.raises(KeyboardInterrupt):
        Stopped(directory=tmp_path, project_name="p", max_trials=5).search(verbose=0)
    shown = status(tmp_path / "p", capsys)
    assert ": stopped\n" in shown and "2 of 5: 2 complete" in shown
    assert "1 to begin again" in shown and "run the program again that began it" in shown
    assert not journal.is_claimed(tmp_path / "p")


def test_a_front_is_shown_in_part(tmp_path, capsys):
    class Line(kt_hpo.RandomSearch):
        def run_trial(self, trial):
            x = trial.hyperparameters.Float("x", 0, 1)
            return {"val_loss": x, "loss": 1 - x}

    Line(objective=["val_loss", "loss"], directory=tmp_path, project_name="p").search(verbose=0)
    shown = status(tmp_path / "p", capsys)
    assert shown.count("\n  best ") == 5 and "and 5 more" in shown


@pytest.mark.slow
def test_a_search_in_a_data_base_is_found_by_its_folder(unpainted, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command = [*UNTRAINED, "--storage", "sqlite:///trials.db", "--directory", "runs/one"]
    assert cli.main(command) == cli.OK
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    shown = status("../runs/one", capsys)
    assert "finished" in shown and "2 of 2" in shown
    assert cli.main(["report", "../runs/one"]) == cli.OK
    assert (tmp_path / "runs" / "one" / "report.html").exists()
    assert list((tmp_path / "elsewhere").iterdir()) == []
    shown = status(f"sqlite:///{tmp_path}/trials.db", capsys, "--study-name", "one")
    assert "finished" in shown
    assert cli.main(["resume", "../runs/one", "--max-trials", "3", "--verbose", "0"]) == cli.OK
    assert "3 of 3" in status("../runs/one", capsys)
    (tmp_path / "runs" / "one").rename(tmp_path / "runs" / "two")
    assert "3 of 3" in status("../runs/two", capsys)
    assert cli.main(["resume", "../runs/two"]) == cli.USAGE
    assert "Rename the folder back" in capsys.readouterr().err


def test_status_of_an_empty_search(tmp_path, capsys):
    Tuner(kt_hpo.oracles.RandomSearchOracle("val_loss"), lambda hp: None, directory=tmp_path)
    shown = status(tmp_path, capsys)
    assert "0: 0 complete" in shown and "best" not in shown


@pytest.mark.slow
def test_watching_ends_with_the_search(tmp_path):
    """It shows the trials as they come, and ends by itself; with Ctrl-C at once."""
    program = tmp_path / "program.py"
    program.write_text(
        "import sys, time, kt_hpo\n\n"
        "class Slow(kt_hpo.RandomSearch):\n"
        "    def run_trial(self, trial):\n"
        "        time.sleep(0.5)\n"
        "        return trial.hyperparameters.Float('x', -1, 1) ** 2\n\n"
        f"Slow(directory={str(tmp_path)!r}, project_name='p', max_trials=8).search(verbose=0)\n"
    )
    search = subprocess.Popen([sys.executable, program])
    while not (tmp_path / "p" / "record.journal").exists():
        time.sleep(0.05)
    watch = subprocess.run(
        [sys.executable, "-m", "kt_hpo.cli", "status", tmp_path / "p", "--watch"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert search.wait(60) == 0 and watch.returncode == 0
    assert "p: finished" in watch.stdout and "8 of 8: 8 complete" in watch.stdout


@pytest.mark.slow
def test_a_reader_who_has_enough_is_no_error(tmp_path):
    Parabola(directory=tmp_path, project_name="p", max_trials=1).search(verbose=0)
    shown = subprocess.run(
        f"{sys.executable} -m kt_hpo.cli status {tmp_path / 'p'} --json | true",
        shell=True, capture_output=True, text=True,
    )  # fmt: skip
    assert shown.stderr == ""


def test_watching_is_for_people(tmp_path, capsys):
    assert cli.main(["status", str(tmp_path), "--watch", "--json"]) == cli.USAGE
    assert "exclude each other" in capsys.readouterr().err
