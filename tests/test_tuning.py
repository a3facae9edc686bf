"""One call from data to the best model."""

import keras
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from models import Untrained, blobs, eager
from tuned_wines import wines

import kt_hpo
from kt_hpo import tuning
from kt_hpo.execution import Inline, InProcess, Workers


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("kt_hpo.result_files.overview", lambda *args, **kwargs: Figure())


def tune(hypermodel=None, data=None, **arguments):
    quick = {"max_trials": 2, "max_epochs": 1, "verbose": 0, "executor": Inline()}
    data = blobs() if data is None else data
    return kt_hpo.tune(hypermodel or Untrained, data, **quick | arguments)


class Space(Untrained):
    """What is asked for by name is given."""

    def __init__(self, input_shape, num_classes):
        super().__init__()
        assert (input_shape, num_classes) == ((4,), 2)


def test_a_frame_becomes_a_model_that_predicts_and_everything_is_told(capsys):
    x, y = blobs()
    frame = pd.DataFrame(x, columns=list("abcd"))
    frame["kind"] = np.where(y, "high", "low")
    tuner = kt_hpo.tune("auto", frame, max_trials=1, max_epochs=1, target="kind")
    said = capsys.readouterr().out
    for word in (
        "Data: table, 2 classes; 140 samples to train on, 30 to compare trials on, 30 for",
        "because the data are a table",
        "Objective: val_loss, because 30 samples are few to compare accuracies on",
        "Folds: 5, because 170 rows are few to learn from and to compare trials on",
        "Algorithm: tpe, ",
        "because a trial counts when all its folds have been trained",
        "Pruner: median, ",
        "Executor: ",
        "Search: 10 minutes in all, in runs",
        "Best model, retrained, on the test data: accuracy",
    ):
        assert word in said
    predicted = kt_hpo.load(tuner).predict(frame)
    assert set(predicted["kind"]) <= {"high", "low"} and len(predicted) == 200
    assert {"accuracy", "loss"} <= set(tuner.study.user_attrs["test_intervals"])


@pytest.mark.slow
def test_columns_of_every_kind_go_to_the_model_that_suits_tables():
    tuner = tune("auto", wines(), target="kind", max_trials=1)
    assert tuner.hypermodel.name == "tabular"
    assert len(kt_hpo.load(tuner).predict(wines())) == 120


def test_a_small_table_gets_as_many_steps_as_a_large_one(capsys):
    # 140 samples: 5 steps in an epoch.
    tuner = kt_hpo.tune("mlp", blobs(), minutes=0.2, cross_validation=None)
    assert (tuner.oracle.max_epochs, tuner.oracle.pauses[0]) == (200, 100)
    ends = {t.user_attrs["values"]["tuner/epochs"] for t in tuner.study.trials}
    assert min(ends) == 100 and "because epochs tell" in capsys.readouterr().out
    assert tuner.study.user_attrs["test"]["accuracy"] > 0.8


@pytest.mark.parametrize(
    ("arguments", "folds"),
    [({}, 5), ({"cross_validation": 2}, 2), ({"cross_validation": None}, 1),
     ({"algorithm": "freeze_thaw"}, 1), ({"hypermodel": eager}, 1)],
)  # fmt: skip
def test_trials_of_a_small_table_are_compared_on_folds(arguments, folds):
    tuner = tune(**{"hypermodel": "mlp", "max_trials": 1} | arguments)
    executions = tuner.study.trials[0].user_attrs.get("executions", [None])
    assert len(executions) == folds


def test_nothing_is_said_in_silence(capsys):
    tune()
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    "hypermodel",
    [Untrained, Untrained(), Space, "mlp"],
    ids=["class", "object", "other class", "name"],
)
def test_a_hypermodel_is_a_name_a_class_or_an_object(hypermodel):
    tuner = tune(hypermodel, max_trials=1)
    assert kt_hpo.load(tuner).predict([[0, 0, 0, 0]]).shape == (1, 3)
    assert (tuner.project_dir).startswith("runs/arrays-")


def test_a_function_builds_models():
    tuner = tune(eager, batch_size=140, directory="runs/mine", max_trials=1)
    assert tuner.project_dir == "runs/mine"
    assert isinstance(kt_hpo.load("runs/mine").model, keras.Model)


def test_the_same_call_goes_on_and_another_is_refused():
    values = [trial.value for trial in tune().study.trials]
    assert [trial.value for trial in tune(max_trials=3).study.trials][:2] == values
    assert len(tune(max_trials=3).study.trials) == 3
    for arguments, words in (
        ({"data": blobs(seed=1)}, "other data"),
        ({"seed": 1}, "other data, seed 0"),
        ({"objective": "val_accuracy"}, "objective val_loss"),
        ({"algorithm": "random"}, "algorithm tpe"),
    ):
        with pytest.raises(ValueError, match=f"holds a search with {words}"):
            tune(**{"max_trials": 3, **arguments})
    assert len(tune(seed=1, overwrite=True).study.trials) == 2


def test_a_search_of_another_program_is_refused():
    class Parabola(kt_hpo.RandomSearch):
        def run_trial(self, trial):
            return trial.hyperparameters.Float("x", -1, 1) ** 2

    Parabola(directory="runs", project_name="p", max_trials=1).search(verbose=0)
    with pytest.raises(ValueError, match="another program or command"):
        tune(directory="runs/p")


def test_imbalanced_classes_are_ranked_by_the_loss(capsys):
    x, _ = blobs()
    tuner = tune("mlp", (x, np.arange(200) % 10 == 0), max_trials=1, verbose=1)
    assert tuner.study.metric_names == ["val_loss"]
    assert "accuracy says little" in capsys.readouterr().out


def test_several_objectives_have_an_algorithm_of_their_own():
    tuner = tune(objective=["val_accuracy", "parameters"])
    assert "NSGAII" in type(tuner.oracle.sampler).__name__
    assert tuner.study.metric_names == ["val_accuracy", "parameters"]


def test_too_little_time_is_said():
    with pytest.raises(RuntimeError, match=r"within 1e-09 minutes: give more"):
        tune(eager, minutes=1e-9, max_epochs=2, batch_size=140, algorithm="random")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"minutes": 0}, "minutes=0"),
        ({"minutes": "10m"}, "minutes='10m'"),
        ({"minutes": None, "max_trials": None}, "give minutes, or max_trials"),
        ({"max_trials": 0}, "max_trials=0"),
        ({"max_epochs": 0}, "max_epochs=0"),
        ({"batch_size": "x"}, "batch_size='x'"),
        ({"ensemble": 0}, "ensemble=0"),
        ({"seed": -1}, "seed=-1"),
        ({"overwrite": "yes"}, "overwrite='yes'"),
        ({"algorithm": "hyprband"}, "Did you mean 'hyperband'?"),
        ({"algorithm": ["tpe"]}, "algorithm="),
        ({"hypermodel": "mpl"}, "Did you mean 'mlp'?"),
        ({"hypermodel": 3}, "hypermodel=3 is 3"),
        ({"data": 3}, "data is int; give arrays"),
        ({"data": ((1, 2), 3)}, "data is a tuple of"),
        ({"data": "digts"}, "Did you mean 'digits'?"),
        ({"data": "nowhere.csv"}, "nowhere.csv"),
        ({"target": "y"}, "target='y'"),
        ({"image_size": (8, 8)}, r"image_size=\(8, 8\)"),
        ({"pruner": "medain"}, "pruner"),
        ({"early_stoping": 3}, "early_stoping"),
    ],
)
def test_a_mistake_is_said_before_any_training(arguments, words, tmp_path):
    with pytest.raises((ValueError, FileNotFoundError, TypeError), match=words):
        tune(**arguments)
    assert not list(tmp_path.glob("**/best_model.keras"))


@pytest.mark.parametrize(
    ("graphics", "cores", "chosen"),
    [(0, 2, "InProcess()"), (1, 16, "InProcess()"), (4, 16, "Workers(4, 1)"), (0, 6, "Workers(3)")],
)
def test_trials_run_where_there_is_room(graphics, cores, chosen, monkeypatch):
    monkeypatch.setattr(tuning, "gpus", lambda: [None] * graphics)
    monkeypatch.setattr(tuning, "count_cores", lambda: cores)
    executor, _ = tuning.choose_executor()
    assert repr(executor).replace(", gpus_per_trial=", ", ") == chosen
    assert isinstance(executor, InProcess | Workers)
