"""A search in the files of other programs, read back by those programs."""

import json
import math

import keras_tuner
import optuna
import pandas as pd
import pytest
from models import blobs, eager
from reports.searches import searched, study_of, trial

import kt_hpo
from kt_hpo.integrations.exports import TRIAL_FORMATS


@pytest.fixture(scope="module")
def tuner(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    tuner = kt_hpo.RandomSearch(
        eager, "val_loss", max_trials=3, seed=0, directory=folder, project_name="demo"
    )
    x, y = blobs()
    tuner.search(x, y, validation_data=blobs(seed=1), batch_size=200, epochs=2, verbose=0)
    return tuner


@pytest.mark.slow
def test_the_table_is_that_of_the_tuner(tuner):
    path = kt_hpo.export(tuner)
    assert path.name == "trials.csv" and path.parent.name == "demo"
    table = pd.read_csv(path)
    assert list(table["units"]) == [t.params["units"] for t in tuner.study.trials]


def test_json_has_everything(tuner):
    content = json.loads(kt_hpo.export(tuner.project_dir, format="json").read_text())
    assert content["objectives"] == [{"name": "val_loss", "direction": "minimize"}]
    for written, own in zip(content["trials"], tuner.study.trials, strict=True):
        assert written["params"] == own.params and written["values"] == own.values
        assert written["user_attrs"] == own.user_attrs
        assert list(written["intermediate_values"].values()) == list(
            own.intermediate_values.values()
        )


def test_json_of_numbers_it_does_not_know(tmp_path):
    study = study_of([trial(math.inf, intermediate_values={0: math.nan, 1: -math.inf})])
    text = kt_hpo.export(study, tmp_path / "t.json", "json").read_text()
    [written] = json.loads(text, parse_constant=pytest.fail)["trials"]
    assert written["values"] == ["Infinity"]
    assert list(written["intermediate_values"].values()) == ["NaN", "-Infinity"]


def test_plain_keras_tuner_goes_on_with_the_search(tuner, tmp_path):
    folder = kt_hpo.export(tuner, tmp_path / "theirs", "keras-tuner")
    plain = keras_tuner.RandomSearch(
        eager, "val_loss", max_trials=4, directory=tmp_path, project_name="theirs"
    )
    assert len(plain.oracle.trials) == 3  # Reloaded by itself, as its own project is.
    plain.reload()
    best = tuner.oracle.get_best_trials()[0]
    assert plain.get_best_hyperparameters()[0].values == best.hyperparameters.values
    assert plain.oracle.get_best_trials()[0].score == best.score
    data = blobs(seed=1)
    measured = plain.get_best_models()[0].evaluate(*data, verbose=0, return_dict=True)
    assert measured["loss"] == pytest.approx(best.score, rel=1e-5)
    x, y = blobs()
    plain.search(x, y, validation_data=data, batch_size=200, epochs=1, verbose=0)
    assert sorted(plain.oracle.trials) == ["0000", "0001", "0002", "3"]
    again = kt_hpo.open_study(folder)
    assert [t.params for t in again.trials[:3]] == [t.params for t in tuner.study.trials]


def test_every_state_and_several_objectives_reach_keras_tuner(tmp_path):
    study = searched(20)
    study.add_trial(optuna.trial.create_trial(state=optuna.trial.TrialState.RUNNING))
    study.add_trial(optuna.trial.create_trial(state=optuna.trial.TrialState.WAITING))
    before = [dict(t.user_attrs) for t in study.trials]
    kt_hpo.export(study, tmp_path / "states", "keras-tuner")
    assert [dict(t.user_attrs) for t in study.trials] == before
    plain = keras_tuner.RandomSearch(
        eager, keras_tuner.Objective("val_accuracy", "max"), max_trials=30,
        directory=tmp_path, project_name="states",
    )  # fmt: skip
    states = [trial.status for trial in plain.oracle.trials.values()]
    assert [states.count(s) for s in ("COMPLETED", "STOPPED", "FAILED")] == [16, 2, 2]
    assert plain.oracle.create_trial("tuner0").trial_id == "0020"  # The running one is run again.
    assert plain.oracle.get_best_trials()[0].score == study.best_value

    two = study_of(
        [optuna.create_trial(values=[0.9, 3.0]), optuna.create_trial(values=[0.8, 1.0])],
        ["val_accuracy", "size"],
        directions=["maximize", "minimize"],
    )
    kt_hpo.export(two, tmp_path / "two", "keras-tuner")
    goals = [keras_tuner.Objective("val_accuracy", "max"), keras_tuner.Objective("size", "min")]
    plain = keras_tuner.RandomSearch(eager, goals, directory=tmp_path, project_name="two")
    assert plain.oracle.get_best_trials()[0].score == pytest.approx(1.0 - 0.8)


@pytest.mark.parametrize("kind", TRIAL_FORMATS)
def test_a_search_without_trials_is_written_too(kind, tmp_path):
    assert kt_hpo.export(study_of([]), tmp_path / "out", kind).exists()


def test_wrong_arguments_write_nothing(tuner, tmp_path):
    with pytest.raises(ValueError, match="Did you mean 'keras-tuner'"):
        kt_hpo.export(tuner, tmp_path / "x", "keras_tuner")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(ValueError, match="there already"):
        kt_hpo.export(tuner, tmp_path / "full", "keras-tuner")
    with pytest.raises(FileNotFoundError):
        kt_hpo.export(tmp_path / "nowhere")
    assert [path.name for path in tmp_path.rglob("*")] == ["full", "mine.txt"]
