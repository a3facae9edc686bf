"""Models of many kinds: together or alone, a trial's curves are those of `fit`."""

import keras
import numpy as np
import pytest
from keras import layers, ops, optimizers
from models import blobs
from vectorized_searches import eagerly

import kt_hpo
from kt_hpo.training.vectorized.learner import Batch, Learner
from kt_hpo.training.vectorized.obstacles import CannotVectorizeError
from kt_hpo.training.vectorized.program import backend

X, Y = blobs(48)
SEQUENCES = np.random.default_rng(0).normal(size=(48, 5, 3)).astype("float32")
FIT = {"validation_split": 0.25, "batch_size": 12, "epochs": 2, "shuffle": False, "verbose": 0}
NUMBERS = [0.4, 1.6]


def compiled(inputs, outputs, optimizer=None, loss="mse"):
    model = keras.Model(inputs, outputs)
    model.compile(optimizer or optimizers.SGD(0.05), loss)
    return model


def stacked(*stack, shape=(4,), **more):
    made = keras.Sequential([keras.Input(shape), *stack, layers.Flatten(), layers.Dense(1)])
    return compiled(made.inputs[0], made.outputs[0], **more)


def optimized(optimizer):
    return stacked(layers.Dense(3, "tanh"), optimizer=optimizer)


def order_of_layers(number):
    inputs, first, second = keras.Input((4,)), layers.Dense(4, "tanh"), layers.Dense(4, "relu")
    x = second(first(inputs)) if number > 1 else first(second(inputs))
    return compiled(inputs, layers.Dense(1)(x))


def order_of_inputs(number):
    inputs = keras.Input((4,))
    both = [layers.Dense(4, "tanh")(inputs), layers.Dense(4, "relu")(inputs)]
    x = layers.Subtract()(both if number > 1 else both[::-1])
    return compiled(inputs, layers.Dense(1)(x))


def shared_layer(number):
    inputs, dense = keras.Input((4,)), layers.Dense(4, "tanh")
    x = dense(dense(inputs)) if number > 1 else dense(inputs)
    return compiled(inputs, layers.Dense(1)(x))


def constant_of_an_operation(number):
    inputs = keras.Input((4,))
    x = layers.Dense(3)(inputs) * number
    return compiled(inputs, layers.Dense(1)(ops.maximum(x, -number)))


def nested_model(number):
    inner = keras.Input((4,))
    nested = keras.Model(inner, ops.tanh(layers.Dense(4)(inner) * number))
    inputs = keras.Input((4,))
    return compiled(inputs, layers.Dense(1)(nested(nested(inputs))))


def frozen_layer(number):
    model = stacked(layers.Dense(3, "tanh"), layers.BatchNormalization())
    model.layers[1 + int(number)].trainable = False
    model.compile(optimizers.SGD(0.05), "mse")
    return model


def set_weights(number):
    model = stacked(layers.Dense(3))
    model.set_weights([np.full_like(weight, number / 5) for weight in model.get_weights()])
    return model


def trained_in_build(number):
    model = optimized(optimizers.Adam(0.01))
    model.fit(X, Y * number, verbose=0, shuffle=False)
    return model


def adapted(number):
    normalization = layers.Normalization()
    normalization.adapt(X * number + number)
    return stacked(normalization)


def stateful(number):
    inputs = keras.Input(batch_shape=(12, 5, 3))
    x = layers.LSTM(3, stateful=True)(inputs)
    return compiled(inputs, layers.Dense(1)(x), optimizers.SGD(0.1 * number))


def asked_to_train(number):
    inputs = keras.Input((4,))
    x = layers.BatchNormalization()(layers.Dense(3)(inputs), training=True)
    return compiled(inputs, layers.Dense(1)(x), optimizers.SGD(0.1 * number))


def l2(number):
    return keras.regularizers.L2(number / 10)


TOGETHER = {
    "order of layers": order_of_layers,
    "order of inputs": order_of_inputs,
    "shared layer": shared_layer,
    "constant of an operation": constant_of_an_operation,
    "nested model": nested_model,
    "frozen layer": frozen_layer,
    "set weights": set_weights,
    "adapted": adapted,
    "asked to train": asked_to_train,
    "rescaled": lambda n: stacked(layers.Rescaling(n, offset=-n)),
    "momentum": lambda n: stacked(layers.BatchNormalization(momentum=n / 2)),
    "averages": lambda n: optimized(optimizers.SGD(0.1, use_ema=True, ema_momentum=n / 2)),
    "clipped": lambda n: optimized(optimizers.Adam(0.03, global_clipnorm=n / 10)),
    "decayed": lambda n: optimized(optimizers.AdamW(0.01, weight_decay=n / 10)),
    "recurrent": lambda n: stacked(layers.GRU(3, kernel_regularizer=l2(n)), shape=(5, 3)),
    "masked": lambda n: stacked(layers.Masking(n / 2), layers.LSTM(2), shape=(5, 3)),
    "distributed over time": lambda n: stacked(
        layers.TimeDistributed(layers.Dense(2, kernel_regularizer=l2(n))), shape=(5, 3)
    ),
}
ALONE = {
    "trained in build": (trained_in_build, "uses the function"),
    "stateful": (stateful, "nobody's weight"),
    "spectral": (
        lambda n: stacked(layers.SpectralNormalization(layers.Dense(3, kernel_regularizer=l2(n)))),
        "while its model trains",
    ),
    "overwritten": (
        lambda n: optimized(
            optimizers.SGD(0.1, use_ema=True, ema_momentum=n / 2, ema_overwrite_frequency=3)
        ),
        "the same in every step",
    ),
    "accumulated": (
        lambda n: optimized(optimizers.SGD(0.1 * n, gradient_accumulation_steps=2)),
        "the same in every step",
    ),
}


def curves(tmp_path, model, executor, x=X, y=Y):
    def build(hp):
        return model(hp.Choice("number", NUMBERS))

    tuner = kt_hpo.GridSearch(
        build if executor else eagerly(build),
        "val_loss",
        seed=3,
        directory=tmp_path,
        project_name="alone" if executor is None else "together",
        executor=executor,
    )
    tuner.search(x, y, **FIT)
    return [trial.user_attrs["history"][0] for trial in tuner.study.trials]


def check(tmp_path, model, x=X, y=Y):
    """Compares both ways; gives why trials trained alone."""
    executor = kt_hpo.Vectorized(k=8)
    ours = curves(tmp_path, model, executor, x, y)
    theirs = curves(tmp_path, model, None, x, y)
    assert len(theirs) == len(NUMBERS)
    assert theirs[0] != theirs[1]
    for one, other in zip(ours, theirs, strict=True):
        assert one.keys() == other.keys()
        for name in other:
            assert one[name] == pytest.approx(other[name], rel=1e-4), name
    return executor.notes


def data_for(model):
    return SEQUENCES if model(NUMBERS[0]).input_shape[1:] == (5, 3) else X


@pytest.mark.slow
@pytest.mark.parametrize("name", TOGETHER)
def test_models_that_train_together_train_right(name, tmp_path):
    assert check(tmp_path, TOGETHER[name], data_for(TOGETHER[name])) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ALONE)
def test_models_that_cannot_train_together_train_right_alone(name, tmp_path):
    model, reason = ALONE[name]
    notes = check(tmp_path, model, data_for(model))
    assert len(notes) == 1
    assert reason in notes[0]


@pytest.mark.slow
def test_a_model_with_several_inputs_and_outputs_trains_right(tmp_path):
    def model(number):
        inputs = {"one": keras.Input((4,), name="one"), "other": keras.Input((4,), name="other")}
        x = layers.Concatenate()([layers.Dense(3)(inputs["one"]), inputs["other"]])
        outputs = {name: layers.Dense(1, name=name)(x) for name in ("first", "second")}
        made = keras.Model(inputs, outputs)
        loss = {"first": "mse", "second": keras.losses.Huber(number)}
        made.compile("sgd", loss, loss_weights={"first": number, "second": 1.0})
        return made

    x, y = {"one": X, "other": X**2}, {"first": Y, "second": X[:, :1]}
    assert check(tmp_path, model, x, y) == []


class Counting(layers.Layer):
    """Counts its calls, also those of a validation."""

    def build(self, shape):
        self.count = self.add_weight((), "zeros", trainable=False, name="count")

    def call(self, inputs):
        self.count.assign_add(1.0)
        return inputs


def test_a_layer_that_writes_in_a_validation_is_noticed():
    model = stacked(Counting())
    optimizer = backend().twin(model.optimizer)
    optimizer.build(model.trainable_variables)
    learner = Learner(model, optimizer, Batch(X[:1], Y[:1]))
    values = [ops.convert_to_tensor(variable.value) for variable in learner.state]
    with pytest.raises(CannotVectorizeError, match="count while its model validates"):
        learner.test(values, learner.fresh_metrics(), Batch(X, Y), [])
