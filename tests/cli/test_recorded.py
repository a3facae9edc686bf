"""The commands about a search that is there already."""

import optuna
import pytest

import kt_hpo
from kt_hpo import cli


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
        (
            ["report", folder, folder / "keras_tuner", "--output", tmp_path / "both.html"],
            "../both.html",
        ),
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


@pytest.mark.parametrize("url", ["sqlite:////nowhere/a.db", "nosuch://host/trials"])
def test_a_data_base_that_cannot_be_opened_is_one_line(url, capsys):
    assert cli.main(["status", url]) in (cli.FAILED, cli.USAGE)
    error = capsys.readouterr().err
    assert error.startswith("kt-hpo: ") and len(error.splitlines()) == 1
