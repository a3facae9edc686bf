"""Directions: all of Keras' metrics by all of their names, and nothing that is only like them."""

import inspect

import keras
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import kt_hpo
from kt_hpo.metric_directions import metric_direction

ARGUMENTS = {
    "IoU": {"num_classes": 2, "target_class_ids": [0]},
    "OneHotIoU": {"num_classes": 2, "target_class_ids": [0]},
    "MeanIoU": {"num_classes": 2},
    "OneHotMeanIoU": {"num_classes": 2},
    "PrecisionAtRecall": {"recall": 0.5},
    "RecallAtPrecision": {"precision": 0.5},
    "SensitivityAtSpecificity": {"specificity": 0.5},
    "SpecificityAtSensitivity": {"sensitivity": 0.5},
}
# They say nothing of what they are made of.
UNKNOWN = {"Mean", "Sum", "Metric", "MeanMetricWrapper"}
# A coefficient has the same name, and the other direction.
AMBIGUOUS = {"dice", "tversky"}
ALIASES = {"acc": "max", "ce": "min", "crossentropy": "min", "loss": "min", "mean_iou": "max"}


def metric_classes():
    every = inspect.getmembers(keras.metrics, inspect.isclass)
    return [pytest.param(kind, id=name) for name, kind in every if name not in UNKNOWN]


@pytest.mark.parametrize("kind", metric_classes())
def test_every_metric_of_keras_is_known_by_its_names(kind):
    keras.utils.clear_session(free_memory=False)
    metric = kind(**ARGUMENTS.get(kind.__name__, {}))
    # Keras' own word for it, which is not public and not there for every metric.
    expected = {"up": "max", "down": "min", None: None}[getattr(metric, "_direction", None)]
    found = {
        metric_direction(f"{val}{name}")
        for val in ("", "val_", "weighted_", "val_out_")
        for name in (metric.name, f"{metric.name}_1", f"{metric.name}_12", kind.__name__)
    }
    assert len(found) == 1
    assert found <= {"min", "max"}
    assert expected is None or found == {expected}


def names_in(module):
    every = [name for name, _ in inspect.getmembers(module, callable)]
    others = UNKNOWN | {"Loss", "get", "serialize", "deserialize"}
    return [name for name in every if not name.startswith("_") and name not in others]


@pytest.mark.parametrize("name", names_in(keras.metrics))
def test_every_name_of_a_metric_is_known(name):
    assert metric_direction(f"val_{name}") == metric_direction(name)
    assert metric_direction(name) in ("min", "max")


@pytest.mark.parametrize("name", names_in(keras.losses))
def test_every_name_of_a_loss_is_known_unless_a_score_has_it_too(name):
    # As a metric `cosine_similarity` is the similarity; as a loss it is never logged by its name.
    own = {"CosineSimilarity": "max", "cosine_similarity": "max"}
    expected = None if name.lower() in AMBIGUOUS else own.get(name, "min")
    assert metric_direction(f"val_{name}") == expected


def test_aliases_are_known():
    for name, direction in ALIASES.items():
        assert metric_direction(name) == metric_direction(f"val_head_{name}") == direction


@given(st.text(st.characters(categories=["Ll", "Nd"], include_characters="_ /"), max_size=12))
@example("error")
def test_what_is_behind_a_name_makes_another_of_it(behind):
    name = f"accuracy_{behind}"
    number = behind.isdigit() and behind.isascii()
    known = any(metric_direction(behind[place:]) for place in range(len(behind)))
    if not (number or known or set(behind) <= {"_"}):
        assert metric_direction(name) is None


@pytest.mark.parametrize(
    "name", ["neg_log_loss", "neg_mean_squared_error", "val_std_accuracy", "one_minus_accuracy"]
)
def test_what_is_turned_around_is_asked_for(name):
    assert metric_direction(name) is None


def test_a_model_of_two_outputs_logs_names_that_are_known():
    x = keras.Input((2,))
    outputs = [keras.layers.Dense(1, "sigmoid", name=name)(x) for name in ("cat", "big_dog")]
    model = keras.Model(x, outputs)
    model.compile(
        loss="binary_crossentropy",
        metrics=[["accuracy", "AUC", keras.metrics.AUC(), "MSE"], ["acc", keras.metrics.F1Score()]],
        weighted_metrics=[["accuracy"], ["bce"]],
        run_eagerly=True,
    )
    ones = np.ones((4, 2)), [np.ones((4, 1)), np.ones((4, 1))]
    history = model.fit(*ones, sample_weight=[np.ones(4)] * 2, validation_split=0.5, verbose=0)
    found = {name: metric_direction(name) for name in history.history}
    smaller = {name for name in found if name.endswith(("loss", "MSE", "bce"))}
    assert {name for name, way in found.items() if way == "min"} == smaller
    assert set(found.values()) == {"min", "max"}


@pytest.mark.parametrize(
    ("metric", "direction"),
    [
        (keras.metrics.AUC, "max"),
        (keras.metrics.R2Score(), "max"),
        (keras.metrics.CosineSimilarity(), "max"),
        (keras.losses.CosineSimilarity(), "min"),
        (keras.losses.cosine_similarity, "min"),
        (keras.losses.Dice, "min"),
        (keras.metrics.binary_accuracy, "max"),
        (keras.metrics.MeanMetricWrapper(keras.metrics.pearson_correlation), "max"),
        (keras.metrics.Mean(), None),
        (lambda labels, outputs: 0.0, None),
        ("val_head_mse", "min"),
    ],
)
def test_objects_are_read_as_keras_tuner_reads_them(metric, direction):
    assert kt_hpo.engine.metrics_tracking.infer_metric_direction(metric) == direction
