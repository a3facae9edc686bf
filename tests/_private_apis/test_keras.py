"""Keras without a name of its own: searches find the same, in more time."""

import keras
import pytest
from _private_apis.hiding import hide
from keras import layers
from models import blobs
from vectorized_searches import assert_same, searched

import kt_hpo
from kt_hpo._private_apis.keras import (
    _notes_exclusions,
    build_state,
    calls_of,
    config_of,
    excludes_weights_from_decay,
    given_to_compile,
    inputs_of,
    layers_of,
    learning_rate_of,
    reshaped,
    seed_generators_of,
    slots_of,
)
from kt_hpo.training import model_parts
from kt_hpo.training.compiled.optimizers import fused
from kt_hpo.training.flops import count_flops
from kt_hpo.training.measures import latency

FIT = {"validation_split": 0.25, "batch_size": 100, "epochs": 2, "shuffle": False, "verbose": 0}


def build(hp):
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(4, activation="relu"),
            layers.Dropout(hp.Float("dropout", 0.1, 0.5)),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    optimizer = keras.optimizers.AdamW(hp.Float("rate", 1e-3, 1e-1, sampling="log"))
    smoothing = hp.Float("smoothing", 0.1, 0.3)
    model.compile(optimizer, keras.losses.BinaryCrossentropy(label_smoothing=smoothing))
    return model


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    return searched(tmp_path_factory.mktemp("as it is"), hypermodel=build, fit=FIT, max_trials=2)


@pytest.fixture(scope="module")
def by_themselves(tmp_path_factory):
    """The same trials, each in a program of its own, whose dropout draws other numbers."""
    folder = tmp_path_factory.mktemp("inline")
    return searched(folder, hypermodel=build, fit=FIT, max_trials=2, executor=None)


HIDDEN = {
    "rate": (keras.optimizers.Optimizer, "_learning_rate"),
    "layers": (keras.layers.Layer, "_flatten_layers", "_seed_generators"),
    "smoothing": (keras.losses.Loss, "_fn_kwargs"),
}


@pytest.mark.parametrize(
    "what", ["rate", "layers", pytest.param("smoothing", marks=pytest.mark.slow)]
)
def test_trials_train_alike_without_a_name(what, expected, tmp_path, monkeypatch):
    hide(monkeypatch, *HIDDEN[what])
    found = searched(tmp_path, hypermodel=build, fit=FIT, max_trials=2)
    assert_same(found, expected, relative=1e-4)


def test_layers_whose_losses_are_not_to_be_seen_share_no_program(
    by_themselves, tmp_path, monkeypatch
):
    hide(monkeypatch, keras.layers.Layer, "_losses")
    found = searched(tmp_path, hypermodel=build, fit=FIT, max_trials=2)
    assert "a loss was added" in " ".join(found.executor.notes)
    assert_same(found, by_themselves, relative=1e-4)


def test_models_whose_losses_are_not_to_be_seen_share_no_program(
    by_themselves, tmp_path, monkeypatch
):
    assert given_to_compile(object.__new__(layers.Dense)) == {}
    monkeypatch.setattr(model_parts, "given_to_compile", lambda compiled: {})
    found = searched(tmp_path, hypermodel=build, fit=FIT, max_trials=2)
    assert "not to be seen" in " ".join(found.executor.notes)
    assert_same(found, by_themselves, relative=1e-4)


def test_a_compiled_training_without_slots_is_keras_own(tmp_path, monkeypatch):
    def losses(folder):
        tuner = kt_hpo.RandomSearch(build, "val_loss", max_trials=1, seed=0, directory=folder)
        tuner.search(*blobs(), **FIT)
        return [trial.value for trial in tuner.study.trials]

    fused = losses(tmp_path / "fused")
    hide(monkeypatch, keras.optimizers.Optimizer, "_get_variable_index")
    optimizer, weight = keras.optimizers.Adam(), keras.Variable([1.0])
    optimizer.build([weight])
    assert slots_of(optimizer, weight, "_momentums") == []
    assert losses(tmp_path / "own") == pytest.approx(fused, rel=1e-4)


@pytest.mark.parametrize("name", ["_symbolic_build", "_compile_loss"])
@pytest.mark.parametrize("first", [[], [keras.Input((3,))]])
def test_the_state_of_a_model_is_made_all_the_same(first, name, monkeypatch):
    def variables():
        model = keras.Sequential([*first, layers.Dense(2)])
        model.compile("sgd", "mse", metrics=["mae"])
        assert build_state(model, (keras.ops.ones((2, 3)), keras.ops.ones((2, 2))))
        return [tuple(v.shape) for v in model.variables + model.metrics_variables]

    expected = variables()
    hide(monkeypatch, keras.Model, name)
    assert variables() == expected


def test_trials_train_alike_where_losses_and_metrics_have_another_name(
    expected, tmp_path, monkeypatch
):
    monkeypatch.setattr(model_parts, "COMPILED", ())
    found = searched(tmp_path, hypermodel=build, fit=FIT, max_trials=2)
    assert_same(found, expected, relative=1e-4)


def test_decay_that_may_spare_weights_is_left_to_keras(monkeypatch):
    _notes_exclusions.cache_clear()
    names = ("_exclude_from_weight_decay", "_exclude_from_weight_decay_pattern")
    hide(monkeypatch, keras.optimizers.Optimizer, *names)
    decaying = keras.optimizers.SGD(0.1, weight_decay=0.5)
    assert excludes_weights_from_decay(decaying)
    assert not excludes_weights_from_decay(keras.optimizers.SGD(0.1))
    decaying.exclude_from_weight_decay(var_names=["spared"])
    spared, other = keras.Variable([1.0], name="spared"), keras.Variable([1.0], name="other")
    with fused(decaying):
        decaying.apply([keras.ops.zeros(1)] * 2, [spared, other])
    _notes_exclusions.cache_clear()
    assert [float(spared[0]), float(other[0])] == pytest.approx([1.0, 0.95])


def test_a_loss_takes_an_output_whose_logits_are_not_to_be_seen(monkeypatch):
    output = keras.activations.softmax(keras.ops.array([[0.3, -1.2], [2.0, 0.5]]))
    labels = keras.ops.array([0, 1])
    expected = keras.losses.sparse_categorical_crossentropy(labels, output)
    monkeypatch.delattr(output, "_keras_logits")
    found = keras.losses.sparse_categorical_crossentropy(labels, reshaped(output, (-1, 2)))
    assert keras.ops.convert_to_numpy(found) == pytest.approx(
        keras.ops.convert_to_numpy(expected), rel=1e-5
    )


def test_a_schedule_is_found_by_its_class(monkeypatch):
    schedule = keras.optimizers.schedules.CosineDecay(0.1, decay_steps=10)
    following, constant = keras.optimizers.SGD(schedule), keras.optimizers.SGD(0.25, momentum=0.5)
    hide(monkeypatch, keras.optimizers.Optimizer, "_learning_rate")
    assert learning_rate_of(following) is schedule
    assert float(learning_rate_of(constant)) == 0.25
    assert config_of(constant)["momentum"] == 0.5


def nested():
    inner = keras.Sequential([keras.Input((6, 2)), layers.Bidirectional(layers.LSTM(3))])
    return keras.Sequential([keras.Input((6, 2)), inner, layers.Dropout(0.5), layers.Dense(1)])


def test_layers_within_layers_are_found(monkeypatch):
    model = nested()
    every = set(map(id, layers_of(model)))
    seeds = {id(one) for layer in layers_of(model) for one in seed_generators_of(layer)}
    hide(monkeypatch, keras.layers.Layer, "_flatten_layers", "_seed_generators")
    found = layers_of(model)
    inputs = {id(one) for one in model._flatten_layers() if isinstance(one, layers.InputLayer)}
    assert every - inputs <= set(map(id, found)) <= every
    ours = {id(one) for layer in found for one in seed_generators_of(layer)}
    assert ours == seeds


def test_models_are_measured_without_the_names_of_their_graph(monkeypatch):
    model = keras.Sequential([keras.Input((10,)), layers.Dense(3), layers.Dense(2)])
    flops = count_flops(model)
    hide(monkeypatch, keras.layers.Layer, "_functional", "_nodes_by_depth", "_inputs_struct")
    assert calls_of(model) is not None
    assert count_flops(model) == flops
    assert tuple(inputs_of(model).shape) == (None, 10)
    assert latency(model) > 0
