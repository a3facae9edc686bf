"""What is measured of trained models, alone and in searches."""

from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from models import blobs, eager
from searches import UntilPromoted
from searches import searched as graph_searched

import kt_hpo
from kt_hpo.training.measures import latency

X, Y = blobs()
FIT = {"validation_split": 0.25, "batch_size": 200, "epochs": 2, "verbose": 0}
searched = partial(graph_searched, hypermodel=eager, fit=FIT)


def dense(width, depth=1):
    stack = [layers.Dense(width) for _ in range(depth)]
    return keras.Sequential([keras.Input((width,)), *stack])


def test_latency_is_positive_and_grows_with_the_model():
    small, large = latency(dense(8), batch_size=64), latency(dense(2048, 4), batch_size=64)
    assert 0 < 2 * small < large


def test_latency_is_for_one_sample():
    model = dense(16)
    assert latency(model, batch_size=256) < latency(model, batch_size=1) / 4


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(2)

    def call(self, x):
        return self.dense(x["a"] if isinstance(x, dict) else x)


def test_latency_of_any_inputs():
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b", dtype="int32")
    both = layers.Add()([layers.Dense(2)(a), layers.Embedding(9, 2)(b)[:, 0]])
    lengths = keras.Sequential([keras.Input((None, 4)), layers.SimpleRNN(2)])
    data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(8)
    assert latency(keras.Model({"a": a, "b": b}, both), batch_size=3) > 0
    assert latency(lengths, 7, x=np.zeros((3, 5, 4))) > 0
    for x in (X, {"a": X}, data):
        assert latency(Subclassed(), 9, x=x) > 0
    with pytest.raises(ValueError, match=r"'subclassed.*keras.Input"):
        latency(Subclassed(), x=None)


def test_accuracy_against_parameters_gives_a_pareto_front(tmp_path):
    class Drawn(kt_hpo.HyperModel):
        """Trains nothing."""

        def build(self, hp):
            return eager(hp)

        def fit(self, hp, model, *args, **kwargs):
            return {"val_accuracy": hp.get("rate")}

    objective = ["val_accuracy", "parameters"]
    tuner = searched(tmp_path, hypermodel=Drawn(), objective=objective, max_trials=8)
    values = [trial.values for trial in tuner.study.trials]
    for trial, (_, size) in zip(tuner.study.trials, values, strict=True):
        assert size == 6 * trial.params["units"] + 1

    def dominated(one):
        return any(other[0] >= one[0] and other[1] <= one[1] and other != one for other in values)

    best = {trial.number for trial in tuner.study.trials if not dominated(trial.values)}
    assert {int(trial.trial_id) for trial in tuner.pareto_front()} == best
    assert 0 < len(best) < 8
    assert {trial.number for trial in tuner.study.best_trials} == best


@pytest.mark.slow
def test_with_nothing_that_epochs_measure_the_loss_picks_the_epoch(tmp_path):
    for objective in ("latency", ["latency", "training_seconds"]):
        tuner = searched(
            tmp_path, objective=objective, fit=FIT | {"epochs": 4}, overwrite=True, max_trials=1
        )
        for trial in tuner.study.trials:
            history = trial.user_attrs["history"][0]
            assert trial.user_attrs["best_epoch"] == int(np.argmin(history["val_loss"]))
            assert trial.user_attrs["metrics"]["val_loss"] == min(history["val_loss"])
            assert min(trial.values) > 0
            assert "latency" not in history
    best = tuner.pareto_front()[0]
    measured = tuner.load_model(best).evaluate(X[150:], Y[150:], verbose=0, return_dict=True)
    recorded = tuner.study.trials[int(best.trial_id)].user_attrs["metrics"]
    assert measured["loss"] == pytest.approx(recorded["val_loss"], rel=1e-5)


@pytest.mark.slow
def test_the_parts_that_epochs_measure_pick_the_epoch(tmp_path):
    objective = ["flops", kt_hpo.Objective("val_accuracy", "max"), "training_seconds"]
    tuner = searched(tmp_path, objective=objective, fit=FIT | {"epochs": 4})
    for trial in tuner.study.trials:
        accuracy = trial.user_attrs["history"][0]["val_accuracy"]
        assert trial.user_attrs["best_epoch"] == int(np.argmax(accuracy))
        units = trial.params["units"]
        assert trial.values[:2] == [2 * 4 * units + units + 2 * units + 1, max(accuracy)]
        assert 0 < trial.values[2] < trial.duration.total_seconds()


@pytest.mark.slow
def test_the_gap_is_there_each_epoch(tmp_path):
    tuner = searched(tmp_path, objective="generalization_gap", fit=FIT | {"epochs": 3})
    for trial in tuner.study.trials:
        history = trial.user_attrs["history"][0]
        gaps = np.subtract(history["val_loss"], history["loss"])
        assert history["generalization_gap"] == pytest.approx(gaps)
        assert trial.intermediate_values == pytest.approx(dict(enumerate(gaps)))
        assert trial.value == pytest.approx(min(gaps))
    with pytest.raises(ValueError, match=r"generalization_gap, measured on validation data"):
        searched(tmp_path, objective="generalization_gap", fit={"verbose": 0}, overwrite=True)


@pytest.mark.slow
def test_a_pruner_works_on_the_gap(tmp_path):
    tuner = searched(
        tmp_path, kt_hpo.OptunaSearch, objective="generalization_gap", max_trials=6,
        pruner="asha", fit=FIT | {"epochs": 4},
    )  # fmt: skip
    assert {trial.state.name for trial in tuner.study.trials} == {"COMPLETE", "PRUNED"}


def test_only_what_is_asked_for_is_measured(tmp_path):
    metrics = searched(tmp_path, max_trials=1).study.trials[0].user_attrs["metrics"]
    assert set(metrics) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    asked = ["latency < 1e6", "generalization_gap < 9"]
    tuner = searched(tmp_path, constraint=asked, max_trials=1, overwrite=True)
    more = tuner.study.trials[0].user_attrs["metrics"]
    assert set(more) - set(metrics) == {"latency", "generalization_gap"}


@pytest.mark.slow
def test_a_function_sees_the_model_of_the_best_epoch(tmp_path):
    def accuracy(model):
        return model.evaluate(X[150:], Y[150:], verbose=0, return_dict=True)["accuracy"]

    class Forgets(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                self.model.set_weights([0 * weights for weights in self.model.get_weights()])

    objective = ["val_accuracy", kt_hpo.Measure(accuracy, "mine", "max")]
    tuner = searched(
        tmp_path, objective=objective, fit=FIT | {"epochs": 3, "callbacks": [Forgets()]},
        early_stopping=None, executions_per_trial=2,
    )  # fmt: skip
    assert any(
        max(history["val_accuracy"]) != history["val_accuracy"][-1]
        for trial in tuner.study.trials
        for history in trial.user_attrs["history"]
    )
    for trial in tuner.study.trials:
        assert trial.values[0] == pytest.approx(trial.values[1])


@pytest.mark.slow
def test_a_bare_function_is_minimized(tmp_path):
    def width(model):
        return model.layers[0].units

    tuner = searched(tmp_path, objective=width, max_trials=3, fit=FIT | {"epochs": 1})
    assert tuner.study.metric_names == ["width"]
    assert tuner.study.best_params["units"] == min(t.params["units"] for t in tuner.study.trials)
    with pytest.raises(kt_hpo.errors.FatalError, match="objective name returned"):
        searched(
            tmp_path / "two", objective=kt_hpo.Measure(lambda model: model.name, "name"),
            fit=FIT | {"epochs": 1},
        )  # fmt: skip


def test_executions_are_averaged(tmp_path):
    counts = iter([3, 5])

    def count(model):
        return next(counts)

    tuner = searched(tmp_path, objective=count, max_trials=1, executions_per_trial=2)
    assert tuner.study.best_value == 4


def test_flops_that_cannot_be_counted_fail_their_trial(tmp_path):
    def unknown(hp):
        model = Subclassed()
        model.compile(loss="sparse_categorical_crossentropy", optimizer=hp.Choice("by", ["sgd"]))
        return model

    with pytest.raises(RuntimeError, match="cannot be counted"):
        searched(tmp_path, hypermodel=unknown, objective="flops", max_trials=1)


@pytest.mark.slow
def test_hyperband_with_a_measured_objective_promotes_by_it(tmp_path):
    fit = {name: value for name, value in FIT.items() if name != "epochs"}
    tuner = searched(tmp_path, UntilPromoted, objective="parameters", max_epochs=3, seed=1, fit=fit)
    first = [trial.value for trial in tuner.study.trials[:3]]
    places = [trial.user_attrs["values"] for trial in tuner.study.trials]
    [promoted] = [place["tuner/trial_id"] for place in places if "tuner/trial_id" in place]
    assert first[int(promoted)] == min(first) < first[0]


@pytest.mark.slow
def test_the_hypermodels_own_result_may_hold_them(tmp_path):
    class Own(kt_hpo.HyperModel):
        def build(self, hp):
            return eager(hp)

        def fit(self, hp, model, *args, **kwargs):
            return model.fit(*args, **kwargs).history["val_loss"][-1]

    with pytest.raises(kt_hpo.errors.FatalError, match="'val_loss' is not among"):
        searched(tmp_path, hypermodel=Own(), objective=["val_loss", "parameters"])
    tuner = searched(
        tmp_path / "two", hypermodel=Own(), objective="val_loss", constraint="parameters < 90"
    )
    assert all("parameters" in trial.user_attrs["metrics"] for trial in tuner.study.trials)
