"""`kt-hpo search`, run as a user runs it."""

import json
import os
import signal
import subprocess
import sys

import keras
import numpy as np
import pandas as pd
import pytest
from cli.commands import QUICK, SEARCH, UNTRAINED
from programs import Script, until

import kt_hpo
from kt_hpo import cli
from kt_hpo.cli import settings


def test_a_search_ends_with_its_results_and_shows_them_again(tmp_path, capsys):
    directory = tmp_path / "runs" / "demo"
    command = [*SEARCH, "--directory", str(directory)]
    assert cli.main(command) == cli.OK
    shown = capsys.readouterr().out
    study = kt_hpo.open_study(directory)
    test = study.user_attrs["test"]
    low, high = study.user_attrs["test_intervals"]["accuracy"]
    accuracy = f"accuracy {test['accuracy']:.4g} [{low:.4g}, {high:.4g}]"
    assert f"on the test data: {accuracy}, loss {test['loss']:.4g} [" in shown

    _, _, data = kt_hpo.datasets.load("digits", seed=0)
    model = keras.models.load_model(directory / "best_model.keras")
    pixels = np.rint(data.x * 255).astype("uint8")
    measured = model.evaluate(pixels, data.y, verbose=0, return_dict=True)
    assert measured == pytest.approx(test, rel=1e-3)
    assert json.loads((directory / "data.json").read_text()) == json.loads(
        json.dumps(data.description)
    )
    best = json.loads((directory / "best_hyperparameters.json").read_text())
    assert best == study.best_trial.params | study.best_trial.user_attrs.get("values", {})
    table = pd.read_csv(directory / "trials.csv", float_precision="round_trip")
    assert list(table["val_accuracy"]) == [trial.value for trial in study.trials]
    assert (directory / "summary.png").read_bytes().startswith(b"\x89PNG")

    written = {path: path.stat().st_mtime_ns for path in directory.glob("[bst]*.*")}
    assert cli.main(command) == cli.OK
    again = capsys.readouterr().out
    assert "is finished" in again
    assert again.splitlines()[1:] == shown.splitlines()[-len(again.splitlines()) + 1 :]
    assert {path: path.stat().st_mtime_ns for path in written} == written


def test_several_objectives_are_written_with_commas(unpainted, tmp_path):
    command = [*UNTRAINED, "--objective", "val_accuracy, parameters"]
    assert cli.main([*command, "--directory", str(tmp_path / "two")]) == cli.OK
    study = kt_hpo.open_study(tmp_path / "two")
    assert study.metric_names == ["val_accuracy", "parameters"]
    assert all(t.values[1] == t.user_attrs["parameters"] for t in study.trials)


@pytest.mark.slow
def test_workers_try_what_one_process_tries(finished, unpainted, tmp_path):
    directory = tmp_path / "two"
    assert cli.main([*UNTRAINED, "--directory", str(directory), "--workers", "2"]) == cli.OK
    one, two = (kt_hpo.open_study(place).trials for place in (finished, directory))
    assert [trial.params for trial in two] == [trial.params for trial in one]
    assert [trial.value for trial in two] == pytest.approx([t.value for t in one])


def test_another_search_in_the_same_directory_is_refused(copied, unpainted, capsys):
    command = [*UNTRAINED, "--directory", str(copied)]
    assert cli.main([*command, "--seed", "7", "--model", "mlp"]) == cli.USAGE
    error = capsys.readouterr().err
    assert "--model models:Untrained (now mlp)" in error and "--seed 0 (now 7)" in error
    assert "--overwrite" in error
    assert cli.main([*command, "--seed", "7", "--overwrite"]) == cli.OK
    assert capsys.readouterr() == ("", "")
    assert kt_hpo.open_study(copied).user_attrs["seed"] == 7


def test_what_was_chosen_is_chosen_again(unpainted, tmp_path, capsys):
    """The same command goes on, however little it says."""
    command = ["search", "--data", "models:blobs", "--model", "models:Untrained"]
    command += ["--batch-size", "200", "--max-trials", "1", "--directory", str(tmp_path / "one")]
    assert cli.main(command) == cli.OK
    assert "max_epochs" not in settings.read_file(tmp_path / "one" / settings.FILE_NAME)
    capsys.readouterr()
    assert cli.main(command) == cli.OK
    assert "is finished" in capsys.readouterr().out
    assert cli.main([*command, "--max-epochs", "3"]) == cli.USAGE
    assert "--max-epochs not given (now 3)" in capsys.readouterr().err
    assert cli.main(["resume", str(tmp_path / "one")]) == cli.OK


def test_a_mistake_before_the_first_trial_does_not_bind_the_directory(unpainted, tmp_path, capsys):
    directory = ["--directory", str(tmp_path / "one")]
    assert cli.main([*QUICK, *directory, "--objective", "val_recall"]) == cli.USAGE
    assert "val_recall" in capsys.readouterr().err
    assert cli.main([*UNTRAINED, *directory]) == cli.OK


def test_a_search_of_a_python_program_is_not_mixed_with(tmp_path, capsys):
    class Parabola(kt_hpo.RandomSearch):
        def run_trial(self, trial):
            return trial.hyperparameters.Float("x", -1, 1) ** 2

    Parabola(directory=tmp_path, project_name="p").search(verbose=0)
    assert cli.main([*QUICK, "--directory", str(tmp_path / "p")]) == cli.USAGE
    assert "not begun with `kt-hpo search`" in capsys.readouterr().err
    assert len(kt_hpo.open_study(tmp_path / "p").trials) == 10


@pytest.mark.slow
def test_what_a_trial_is_can_be_said_in_a_shell(unpainted, tmp_path):
    command = [
        *QUICK, "--algorithm", "tpe", "--cross-validation", "2", "--executions-per-trial", "2",
        "--early-stopping", "none", "--constraint", "parameters < 1e6", "--precision", "float32",
        "--tracker", "tensorboard", "--csv-log", "--task", "classification",
    ]  # fmt: skip
    assert cli.main([*command, "--directory", str(tmp_path / "one")]) == cli.OK
    [first, _] = kt_hpo.open_study(tmp_path / "one").trials
    assert len(first.user_attrs["executions"]) == 4
    assert list(first.constraints) == ["parameters < 1000000"]
    assert (tmp_path / "one" / "tensorboard").is_dir()
    assert list((tmp_path / "one").glob("trial_*/*log*.csv"))


def test_a_search_learns_from_a_past_one(finished, unpainted, tmp_path):
    command = [*UNTRAINED, "--algorithm", "tpe", "--warm-start", str(finished)]
    assert cli.main([*command, "--directory", str(tmp_path / "new")]) == cli.OK
    assert len(kt_hpo.open_study(tmp_path / "new").trials) == 4


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--executor", "workers"], "--workers N"),
        (["--executor", "inline", "--workers", "2"], "--workers 2"),
        (["--gpus-per-trial", "1"], "--workers too"),
        (["--executor", "ray"], "--workers N"),
        (["--address", "auto"], "--executor ray too"),
        (["--storage-path", "shared"], "--executor ray too"),
        (["--objective", "my_metric"], "my_metric:max or my_metric:min"),
        (["--warm-start", "nowhere"], "no search in nowhere"),
        (["--pruner", "asha", "--algorithm", "hyperband"], "pruner"),
        (["--folder", "not/there"], "no folder not/there"),
    ],
)
def test_options_that_do_not_fit_together_are_one_line_and_leave_nothing(
    arguments, words, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert cli.main([*QUICK, "--directory", "nowhere/search", *arguments]) == cli.USAGE
    error = capsys.readouterr().err
    assert error.startswith("kt-hpo: ") and words in error
    assert not list(tmp_path.iterdir())


def test_a_package_that_is_missing_has_a_status_of_its_own(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    for name in [
        one
        for one in sys.modules
        if one.startswith(("kt_hpo.integrations.wandb", "kt_hpo.tracking.w"))
    ]:
        monkeypatch.delitem(sys.modules, name)
    command = [*QUICK, "--tracker", "wandb", "--directory", str(tmp_path / "one")]
    assert cli.main(command) == cli.MISSING
    assert "pip install" in capsys.readouterr().err


@pytest.mark.slow
def test_a_killed_search_goes_on_and_ctrl_c_says_how(unpainted, tmp_path, capsys):
    directory = tmp_path / "killed"
    command = [*QUICK, "--max-trials", "6", "--verbose", "1", "--directory", str(directory)]
    program = tmp_path / "program.py"
    program.write_text(f"from kt_hpo import cli\n\nraise SystemExit(cli.main({command!r}))\n")
    for stop, status in ((signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, cli.INTERRUPTED)):
        process = Script(program)
        until(lambda running=process: "] trial" in running.said())
        os.kill(process.pid, stop)
        said, _ = process.communicate()
        assert process.returncode == status
        assert ("same command goes on" in said) == (stop == signal.SIGINT)
        assert "Traceback" not in said
    interrupted = kt_hpo.open_study(directory).trials
    assert 2 <= len([trial for trial in interrupted if trial.state.is_finished()]) < 6
    assert cli.main(command) == cli.OK
    assert not capsys.readouterr().err
    whole = tmp_path / "whole"
    assert cli.main([*command[:-1], str(whole)]) == cli.OK
    trials, expected = (kt_hpo.open_study(path).trials for path in (directory, whole))
    assert [trial.params for trial in trials] == [trial.params for trial in expected]
    assert [trial.value for trial in trials] == pytest.approx([t.value for t in expected])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", "convnn"], "Did you mean 'cnn'?"),
        (["--algorithm", "hyprband"], "Did you mean 'hyperband'?"),
        (["--data", "mnist5"], "Did you mean"),
        (["--data", "nowhere.csv"], "nowhere.csv"),
        (["--data", "wine", "--model", "cnn"], "image"),
        (["--objective", "val_auc"], "val_auc"),
        (["--objective", "val_acuracy"], "Did you mean 'val_accuracy'"),
        (["--objective", "val_auc:up"], "val_auc:up is not allowed; say :max or :min"),
        (["--objective", "val_accuracy,latensy"], "Did you mean 'latency'"),
        (["--target", "price"], "target"),
    ],
)
def test_a_wrong_argument_is_one_line_and_trains_nothing(arguments, words, tmp_path, capsys):
    directory = tmp_path / "wrong"
    assert cli.main([*SEARCH, "--directory", str(directory), *arguments]) == cli.USAGE
    error = capsys.readouterr().err
    assert error.startswith("kt-hpo: ") and words in error and "Traceback" not in error
    assert not list(directory.glob("best*"))


def test_a_damaged_record_is_one_line(tmp_path, capsys):
    (tmp_path / "record.journal").write_text("nonsense\n" * 3)
    assert cli.main([*SEARCH, "--directory", str(tmp_path)]) == cli.FAILED
    error = capsys.readouterr().err
    assert "record.journal is damaged at line 1" in error and "Traceback" not in error


@pytest.mark.slow
def test_a_csv_file_is_searched(unpainted, tmp_path):
    stream = np.random.default_rng(0)
    frame = pd.DataFrame(stream.normal(size=(200, 3)), columns=["a", "b", "c"])
    frame["price"] = frame["a"] * 2 - frame["b"]
    frame.to_csv(tmp_path / "prices.csv", index=False)
    command = [
        "search", "--data", tmp_path / "prices.csv", "--target", "price", "--model", "mlp",
        "--max-trials", 1, "--max-epochs", 1, "--directory", tmp_path / "out", "--verbose", 0,
    ]  # fmt: skip
    assert cli.main([str(word) for word in command]) == cli.OK
    study = kt_hpo.open_study(tmp_path / "out")
    assert study.metric_names == ["val_loss"]
    assert study.user_attrs["test"]["mae"] > 0
    assert (tmp_path / "out" / "summary.png").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--objective", "val_acuracy"],
        ["--data", "nowhere.csv"],
        ["--data", "no_module:load"],
        ["--model", "no_module:build"],
        ["--model", "models.py:eager"],
        ["--warm-start", "nowhere"],
        ["--algorithm", "hyperband"],
        ["--algorithm", "pbt", "--pruner", "asha"],
        ["--algorithm", "freeze_thaw", "--pruner", "median"],
        ["--executor", "workers"],
        ["--gpus-per-trial", "1"],
        ["--constraint", "parameters"],
        ["--config", "nowhere.toml"],
    ],
)
def test_what_is_refused_is_refused_before_keras_is_imported(arguments, tmp_path):
    """Which takes seconds; data and models of their own import it where they want to."""
    given = [*QUICK, "--data", "digits", "--directory", str(tmp_path / "run"), *arguments]
    program = (
        f"import sys\nfrom kt_hpo import cli\nstatus = cli.main({given!r})\n"
        "print(status, {'keras', 'tensorflow', 'matplotlib'} & set(sys.modules) or 'quick')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout == f"{cli.USAGE} quick\n", done.stdout + done.stderr
    assert done.stderr.startswith("kt-hpo: ") and not list(tmp_path.iterdir())
