"""`kt-hpo import`."""

import optuna
import pytest
from cli.commands import UNTRAINED

import kt_hpo
from kt_hpo import cli


def bring(source, directory, *arguments):
    return cli.main(["import", str(source), "--directory", str(directory), *arguments])


@pytest.mark.slow
def test_a_search_of_keras_tuner_can_be_learned_from(finished, unpainted, tmp_path, capsys):
    kt_hpo.export(finished, tmp_path / "plain", "keras-tuner")
    assert bring(tmp_path / "plain", tmp_path / "runs" / "old") == cli.OK
    assert "2 trials" in capsys.readouterr().out
    assert cli.main(["report", str(tmp_path / "runs" / "old")]) == cli.OK
    command = [*UNTRAINED, "--algorithm", "tpe", "--warm-start", str(tmp_path / "runs" / "old")]
    assert cli.main([*command, "--directory", str(tmp_path / "new")]) == cli.OK
    assert len(kt_hpo.open_study(tmp_path / "new").trials) == 4


def test_a_table_and_a_study_are_imported(finished, tmp_path, capsys):
    assert bring(finished / "trials.csv", tmp_path / "table") == cli.OK
    old, new = (kt_hpo.open_study(path) for path in (finished, tmp_path / "table"))
    assert [trial.params for trial in new.trials] == [trial.params for trial in old.trials]
    assert new.best_value == pytest.approx(old.best_value)

    study = optuna.create_study(study_name="plain", storage=f"sqlite:///{tmp_path}/a.db")
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=3)
    arguments = ["--study-name", "plain", "--objective", "my_error:min"]
    assert bring(f"sqlite:///{tmp_path}/a.db", tmp_path / "study", *arguments) == cli.OK
    assert kt_hpo.open_study(tmp_path / "study").metric_names == ["my_error"]
    capsys.readouterr()


def test_a_wrong_source_is_one_line(finished, tmp_path, capsys):
    assert bring("nowhere", tmp_path / "a") == cli.USAGE
    assert bring("nowhere.csv", tmp_path / "a") == cli.USAGE
    assert bring(finished / "trials.csv", tmp_path / "a", "--objective", "my_loss") == cli.USAGE
    assert bring(finished, finished) == cli.USAGE
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 4 and all(error.startswith("kt-hpo: ") for error in errors)
    assert not (tmp_path / "a").exists()
