"""The command line, run as a user runs it."""

import json
import os
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import optuna
import pandas as pd
import pytest

import kt_hpo
from kt_hpo import cli

SEARCH = ["search", "--data", "digits", "--model", "mlp", "--max-trials", "3", "--max-epochs", "2"]


def run(*arguments, **options):
    command = [sys.executable, "-m", "kt_hpo.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, **options)


def start(*arguments):
    command = [sys.executable, "-m", "kt_hpo.cli", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("program", [["-m", "kt_hpo.cli", "--help"], ["-c", "import kt_hpo"]])
def test_help_and_import_answer_at_once(program):
    """In under half a second: nothing heavy is imported, and the best of three is quick."""
    heavy = "{'tensorflow', 'keras', 'optuna', 'numpy', 'pandas', 'matplotlib'}"
    code = f"import sys, kt_hpo, kt_hpo.cli; assert not {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
    seconds = []
    for _ in range(3):
        started = time.monotonic()
        subprocess.run([sys.executable, *program], check=True, capture_output=True)
        seconds.append(time.monotonic() - started)
    assert min(seconds) < 0.5


def test_a_search_ends_with_its_results_and_shows_them_again(tmp_path, capsys):
    directory = tmp_path / "runs" / "demo"
    command = [*SEARCH, "--directory", str(directory)]
    assert cli.main(command) == cli.OK
    shown = capsys.readouterr().out
    study = kt_hpo.open_study(directory)
    test = study.user_attrs["test"]
    assert f"on the test data: accuracy {test['accuracy']:.4g}, loss {test['loss']:.4g}" in shown

    _, _, data = kt_hpo.datasets.load("digits", seed=0)
    model = keras.models.load_model(directory / "best_model.keras")
    assert model.evaluate(*data.arrays, verbose=0, return_dict=True) == pytest.approx(test)
    best = json.loads((directory / "best_hyperparameters.json").read_text())
    assert best == study.best_trial.params | study.best_trial.user_attrs.get("values", {})
    table = pd.read_csv(directory / "trials.csv")
    assert list(table["val_accuracy"]) == [trial.value for trial in study.trials]
    assert (directory / "summary.png").read_bytes().startswith(b"\x89PNG")

    written = {path: path.stat().st_mtime_ns for path in directory.glob("[bst]*.*")}
    assert cli.main(command) == cli.OK
    again = capsys.readouterr().out
    assert "is finished" in again
    assert again.splitlines()[1:] == shown.splitlines()[-len(again.splitlines()) + 1 :]
    assert {path: path.stat().st_mtime_ns for path in written} == written


@pytest.mark.slow
def test_several_objectives_are_written_with_commas(tmp_path):
    command = [*SEARCH, "--objective", "val_accuracy, parameters", "--verbose", "0"]
    assert cli.main([*command, "--directory", str(tmp_path / "two")]) == cli.OK
    study = kt_hpo.open_study(tmp_path / "two")
    assert study.metric_names == ["val_accuracy", "parameters"]
    assert all(t.values[1] == t.user_attrs["parameters"] for t in study.trials)


@pytest.mark.slow
def test_workers_try_what_one_process_tries(tmp_path):
    command = [*SEARCH, "--verbose", "0", "--directory"]
    assert cli.main([*command, str(tmp_path / "two"), "--workers", "2"]) == cli.OK
    assert cli.main([*command, str(tmp_path / "one")]) == cli.OK
    one, two = (kt_hpo.open_study(tmp_path / name).trials for name in ("one", "two"))
    assert [trial.params for trial in two] == [trial.params for trial in one]
    assert [trial.value for trial in two] == pytest.approx([t.value for t in one], abs=0.02)


def test_another_search_in_the_same_directory_is_refused(tmp_path, capsys):
    command = [*SEARCH, "--directory", str(tmp_path / "one"), "--verbose", "0"]
    assert cli.main(command) == cli.OK
    assert capsys.readouterr() == ("", "")
    assert cli.main([*command, "--seed", "7", "--model", "cnn"]) == cli.USAGE
    error = capsys.readouterr().err
    assert "--model mlp (now cnn)" in error and "--seed 0 (now 7)" in error
    assert "--overwrite" in error


@pytest.mark.slow
def test_a_killed_search_goes_on_and_ctrl_c_says_how(tmp_path):
    directory = tmp_path / "killed"
    command = [*SEARCH, "--max-trials", "6", "--directory", directory, "--verbose", "1"]
    for stop, status in ((signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, cli.INTERRUPTED)):
        process = start(*command)
        for line in process.stdout:
            if "] trial" in line:
                os.kill(process.pid, stop)
                break
        _, error = process.communicate()
        assert process.returncode == status
        assert ("same command goes on" in error) == (stop == signal.SIGINT)
        assert "Traceback" not in error
    interrupted = kt_hpo.open_study(directory).trials
    assert 2 <= len([trial for trial in interrupted if trial.state.is_finished()]) < 6
    ended = run(*command)
    assert (ended.returncode, ended.stderr) == (cli.OK, "")
    whole = tmp_path / "whole"
    assert run(*command[:-3], whole, "--verbose", 0).returncode == cli.OK
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


@pytest.mark.parametrize("count", ["0", "-3", "many"])
def test_counts_start_at_one(count, tmp_path, capsys):
    with pytest.raises(SystemExit):
        cli.main([*SEARCH, "--directory", str(tmp_path), "--max-trials", count])
    assert "--max-trials" in capsys.readouterr().err


def test_a_damaged_record_is_one_line(tmp_path, capsys):
    (tmp_path / "record.journal").write_text("nonsense\n" * 3)
    assert cli.main([*SEARCH, "--directory", str(tmp_path)]) == cli.FAILED
    error = capsys.readouterr().err
    assert "record.journal is damaged at line 1" in error and "Traceback" not in error


def test_a_csv_file_is_searched(tmp_path):
    stream = np.random.default_rng(0)
    frame = pd.DataFrame(stream.normal(size=(200, 3)), columns=["a", "b", "c"])
    frame["price"] = frame["a"] * 2 - frame["b"]
    frame.to_csv(tmp_path / "prices.csv", index=False)
    command = [
        "search", "--data", tmp_path / "prices.csv", "--target", "price", "--model", "mlp",
        "--max-trials", 2, "--max-epochs", 3, "--directory", tmp_path / "out", "--verbose", 0,
    ]  # fmt: skip
    assert cli.main([str(word) for word in command]) == cli.OK
    study = kt_hpo.open_study(tmp_path / "out")
    assert study.metric_names == ["val_loss"]
    assert study.user_attrs["test"]["mae"] > 0
    assert (tmp_path / "out" / "summary.png").exists()


def test_report_and_export_write_beside_the_search_or_where_they_are_told(tmp_path, capsys):
    class Parabola(kt_hpo.RandomSearch):
        def run_trial(self, trial):
            return trial.hyperparameters.Float("x", -1, 1) ** 2

    Parabola(directory=tmp_path, project_name="p", seed=0).search(verbose=0)
    folder = tmp_path / "p"
    for command, name in [
        (["report", folder], "report.html"),
        (["export", folder], "trials.csv"),
        (["export", folder, "--format", "json"], "trials.json"),
        (["export", folder, "--format", "keras-tuner"], "keras_tuner"),
        (["report", folder / "keras_tuner", "--output", tmp_path / "again.html"], "../again.html"),
    ]:
        assert cli.main([str(word) for word in command]) == cli.OK
        assert (folder / name).exists()
        assert capsys.readouterr().out == f"Wrote {(folder / name).resolve()}\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["report", "nowhere"], "There is no search in nowhere"),
        (["export", "nowhere", "--format", "cvs"], "Did you mean 'csv'?"),
        (["dashboard", "nowhere"], "There is no search in nowhere"),
        (["report", "sqlite:///two.db"], "Say which with"),
        (
            ["report", "sqlite:///two.db", "--study-name", "c"],
            "There is no study 'c' here, but a, b",
        ),
    ],
)
def test_a_search_that_is_not_there_is_one_line(arguments, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        optuna.create_study(study_name=name, storage="sqlite:///two.db")
    assert cli.main(arguments) == cli.USAGE
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("kt-hpo: ") and words in error
    assert [path.name for path in tmp_path.iterdir()] == ["two.db"]
    assert cli.main(["report", "sqlite:///two.db", "--study-name", "a"]) == cli.OK
