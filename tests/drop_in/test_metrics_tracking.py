"""Metrics: their directions, and what a trial keeps of them."""

import keras
import numpy as np
import pytest


@pytest.fixture
def trial(kt, drive):
    oracle = kt.oracles.RandomSearchOracle(kt.Objective("score", "max"), max_trials=3)
    return drive(oracle).create_trial("a")


def values(trial, name):
    return [
        (observation.step, *observation.value) for observation in trial.metrics.get_history(name)
    ]


def test_a_metric_is_registered_once_with_a_direction(trial):
    tracker = trial.metrics
    tracker.register("new", direction="max")
    assert tracker.exists("new")
    assert not tracker.exists("other")
    assert tracker.get_direction("new") == "max"
    with pytest.raises(ValueError, match="should be one of"):
        tracker.register("other", direction="wrong")
    with pytest.raises(ValueError, match="already exists"):
        tracker.register("new", direction="max")


def test_an_unknown_metric_has_no_history(trial):
    for read in (trial.metrics.get_history, trial.metrics.get_best_value):
        with pytest.raises(ValueError, match="Unknown metric"):
            read("other")


def test_an_update_registers_and_keeps_steps_in_order(trial):
    for step, value in ((1, 1.5), (0, 0.5), (2, 2.0)):
        trial.metrics.update("new", value, step=step)
    assert trial.metrics.get_direction("new") == "min"
    assert values(trial, "new") == [(0, 0.5), (1, 1.5), (2, 2.0)]
    assert trial.metrics.get_best_value("new") == 0.5
    assert trial.metrics.get_best_step("new") == 0
    assert trial.metrics.get_last_value("new") == 2.0


def test_values_of_one_step_are_averaged(trial):
    for value, step in ((10, 1), (20, 1), (16, 2)):
        trial.metrics.update("score", value, step=step)
    assert values(trial, "score") == [(1, 10, 20), (2, 16)]
    best = trial.metrics.get_best_value("score")
    assert best == (16 if trial.metrics.get_direction("score") == "max" else 15)


def test_nothing_measured_has_no_best_and_no_last(trial):
    trial.metrics.register("new", "max")
    assert trial.metrics.get_best_value("new") is None
    assert trial.metrics.get_last_value("new") is None


def test_statistics_are_those_of_numpy(trial):
    drawn = np.random.default_rng(0).random(10)
    for step, value in enumerate(drawn):
        trial.metrics.update("new", value, step=step)
    found = trial.metrics.get_statistics("new")
    for name in ("min", "max", "mean", "median", "var", "std"):
        assert found[name] == pytest.approx(getattr(np, name)(drawn))


@pytest.mark.parametrize("direction", ["min", "max"])
def test_the_direction_of_the_objective_is_that_of_its_metric(kt, drive, direction):
    oracle = drive(kt.oracles.RandomSearchOracle(kt.Objective("a", direction), max_trials=1))
    trial = oracle.create_trial("tuner0")
    oracle.update_trial(trial.trial_id, {"a": 1})
    assert oracle.get_trial(trial.trial_id).metrics.get_direction("a") == direction


@pytest.mark.parametrize(
    ("metric", "direction"),
    [
        ("loss", "min"),
        ("val_loss", "min"),
        ("acc", "max"),
        ("val_acc", "max"),
        ("crossentropy", "min"),
        ("ce", "min"),
        ("weighted_acc", "max"),
        ("val_weighted_ce", "min"),
        ("weighted_binary_accuracy", "max"),
        ("MAE", "min"),
        ("squared_hinge", "min"),
        ("binary_accuracy", "max"),
        ("my_metric", None),
        (keras.metrics.binary_crossentropy, "min"),
        (keras.metrics.categorical_accuracy, "max"),
        (keras.losses.hinge, "min"),
        (lambda x, y: x, None),
    ],
)
def test_directions_are_known(kt, metric, direction):
    assert kt.engine.metrics_tracking.infer_metric_direction(metric) == direction


@pytest.mark.parametrize(
    ("make", "direction"),
    [
        (keras.metrics.FalsePositives, "min"),
        (keras.metrics.Precision, "max"),
        (keras.metrics.CategoricalAccuracy, "max"),
        (keras.metrics.MeanSquaredError, "min"),
        (keras.losses.CategoricalCrossentropy, "min"),
    ],
)
def test_directions_of_objects_are_known(kt, make, direction):
    assert kt.engine.metrics_tracking.infer_metric_direction(make()) == direction


def test_a_metric_of_the_users_has_no_direction(kt):
    class Own(keras.metrics.Metric):
        def update_state(self, x, y):
            return 1

        def result(self):
            return 1

    assert kt.engine.metrics_tracking.infer_metric_direction(Own()) is None
