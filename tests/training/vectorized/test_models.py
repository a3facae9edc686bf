"""Models of many kinds: together or alone, a trial's curves are those of `fit`."""

import keras
import numpy as np
import pytest
from keras import layers, ops, optimizers
from models import blobs
from vectorized_searches import eagerly

import kt_hpo
from kt_hpo.training.model_parts import CannotShareError
from kt_hpo.training.vectorized.backend import backend
from kt_hpo.training.vectorized.blueprint import drawn_from
from kt_hpo.training.vectorized.learner import Batch, Learner

X, Y = blobs(48)
FIT = {"validation_split": 0.25, "batch_size": 12, "epochs": 2, "shuffle": False, "verbose": 0}
NUMBERS = [0.4, 1.6]


def compiled(inputs, outputs, optimizer=None, loss="mse", **more):
    model = keras.Model(inputs, outputs)
    model.compile(optimizer or optimizers.SGD(0.05), loss, **more)
    return model


def stacked(*stack, **more):
    made = keras.Sequential([keras.Input((4,)), *stack, layers.Flatten(), layers.Dense(1)])
    return compiled(made.inputs[0], made.outputs[0], **more)


def sequence(*stack):
    """Layers of sequences, in which every step of some samples is 0.8."""
    return stacked(layers.ReLU(max_value=0.8), layers.Reshape((4, 1)), *stack)


def dense(**options):
    return stacked(layers.Dense(3, **options))


def changed(change):
    """A model that `build` changes when it is there already."""

    def model(number):
        made = stacked(layers.Dense(3), layers.LeakyReLU())
        change(made.layers[1], made.layers[2], number)
        made.compile(optimizers.SGD(0.05), "mse")
        return made

    return model


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


def freeze(dense, activation, number):
    dense.trainable = number > 1


def set_weights(dense, activation, number):
    dense.set_weights([np.full_like(weight, number / 5) for weight in dense.get_weights()])


def set_slope(dense, activation, number):
    activation.negative_slope = number


def regularize(dense, activation, number):
    dense.activity_regularizer = l2(number)


def patch(dense, activation, number):
    activation.call = lambda inputs: inputs * number


def trained_in_build(number):
    model = optimized(optimizers.Adam(0.01))
    model.fit(X, Y * number, verbose=0, shuffle=False)
    return model


def adapted(number):
    normalization = layers.Normalization()
    normalization.adapt(X * number + number)
    return stacked(normalization)


def stateful(number):
    inputs = keras.Input(batch_shape=(12, 4))
    x = layers.LSTM(3, stateful=True)(layers.Reshape((4, 1))(inputs))
    return compiled(inputs, layers.Dense(1)(x), optimizers.SGD(0.1 * number))


class Table(layers.Layer):
    """Has no config that could be asked for."""

    def __init__(self, table):
        super().__init__()
        self.table = table

    def call(self, inputs):
        return inputs * self.table

    def get_config(self):
        raise NotImplementedError


def l2(number):
    return keras.regularizers.L2(number / 10)


def everything_in_a_graph(number):
    """Layers called twice, a model within the model, and operations with constants."""
    inputs, inner, twice = keras.Input((4,)), keras.Input((4,)), layers.Dense(4, "tanh")
    nested = keras.Model(inner, ops.tanh(layers.Dense(4)(inner) * 0.4))
    x = layers.Subtract()([twice(twice(inputs)), nested(nested(inputs))])
    x = layers.BatchNormalization()(layers.Dense(3)(x), training=True)
    return compiled(inputs, layers.Dense(1)(ops.maximum(x * 1.6, -0.5)))


def everything_in_a_stack(number):
    """Parts with numbers, some of them set when the model is there already."""
    adapts = layers.Normalization()
    adapts.adapt(X * 2 + 1)
    model = stacked(
        adapts,
        layers.Rescaling(0.4, offset=-0.4),
        layers.Dense(3, "tanh", kernel_constraint=keras.constraints.MaxNorm(1.2)),
        layers.BatchNormalization(momentum=0.8),
        layers.Dense(3, kernel_initializer=keras.initializers.Constant(0.4)),
        layers.LeakyReLU(),
        layers.Dense(3, activity_regularizer=keras.regularizers.L1(0.4)),
    )
    set_weights(model.layers[5], None, 0.4)
    model.layers[5].trainable = False
    set_slope(None, model.layers[6], 0.4)
    averaged = {"use_ema": True, "ema_momentum": 0.8}
    model.compile(
        optimizers.AdamW(0.01, weight_decay=0.04, global_clipnorm=0.1, **averaged),
        keras.losses.Huber(0.4),
        loss_weights=0.4,
        metrics=[keras.metrics.BinaryAccuracy(threshold=0.4)],
        steps_per_execution=2,
    )
    return model


def everything_in_sequence(number):
    return sequence(
        layers.Masking(0.8),
        layers.TimeDistributed(layers.Dense(2, kernel_regularizer=l2(number))),
        layers.GRU(3, kernel_regularizer=l2(number), return_sequences=True),
        layers.LSTM(2),
    )


NUMBERED = {
    "order of layers": order_of_layers,
    "order of inputs": order_of_inputs,
    "shared layer": shared_layer,
    "constant of an operation": constant_of_an_operation,
    "nested model": nested_model,
    "adapted": adapted,
    "frozen": changed(freeze),
    "weights set": changed(set_weights),
    "an attribute set later": changed(set_slope),
    "a regularizer set later": changed(regularize),
    "rescaled": lambda n: stacked(layers.Rescaling(n, offset=-n)),
    "momentum": lambda n: stacked(layers.BatchNormalization(momentum=n / 2)),
    "max norm": lambda n: dense(kernel_constraint=keras.constraints.MaxNorm(n)),
    "activity": lambda n: dense(activity_regularizer=keras.regularizers.L1(n)),
    "initial": lambda n: dense(kernel_initializer=keras.initializers.Constant(n)),
    "seeded": lambda n: dense(kernel_initializer=keras.initializers.HeNormal(int(9 * n))),
    "averages": lambda n: optimized(optimizers.SGD(0.1, use_ema=True, ema_momentum=n / 2)),
    "clipped": lambda n: optimized(optimizers.SGD(0.3, clipnorm=n)),
    "clipped by value": lambda n: optimized(optimizers.SGD(0.3, clipvalue=n)),
    "clipped together": lambda n: optimized(optimizers.Adam(0.03, global_clipnorm=n / 10)),
    "decayed": lambda n: optimized(optimizers.AdamW(0.01, weight_decay=n / 10)),
    "recurrent": lambda n: sequence(layers.GRU(3, kernel_regularizer=l2(n))),
    "masked": lambda n: sequence(layers.Masking(n / 2), layers.LSTM(2)),
    "distributed over time": lambda n: sequence(
        layers.TimeDistributed(layers.Dense(2, kernel_regularizer=l2(n)))
    ),
    "loss": lambda n: stacked(loss=keras.losses.Huber(n)),
    "weight of the loss": lambda n: stacked(loss_weights=n),
    "metric": lambda n: stacked(metrics=[keras.metrics.BinaryAccuracy(threshold=n)]),
}
TOGETHER = [
    everything_in_a_graph,
    everything_in_a_stack,
    everything_in_sequence,
    trained_in_build,
]
ALONE = {
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
    "without a config": (lambda n: stacked(Table(np.full(4, n, "float32"))), "uses Table"),
    "a method of one instance": (changed(patch), "uses the function <lambda>"),
}


@pytest.mark.parametrize("name", NUMBERED)
def test_no_two_numbers_make_the_same_model(name):
    found = []
    for number in (*NUMBERS, NUMBERS[1]):
        keras.utils.clear_session(free_memory=False)
        keras.utils.set_random_seed(1)
        known = drawn_from(NUMBERED[name](number))
        weights = [weight.tolist() for weight in known.weights]
        found.append((known.signature, known.scalars, known.rate, weights))
    assert found[0] != found[1]
    assert found[1] == found[2]


def curves(tmp_path, model, cases, executor, numbers=NUMBERS, x=X, y=Y):
    def build(hp):
        return model(hp.Choice("case", cases), hp.Choice("number", numbers))

    tuner = kt_hpo.GridSearch(
        build if executor else eagerly(build),
        "val_loss",
        seed=3,
        directory=tmp_path,
        project_name="alone" if executor is None else "together",
        executor=executor,
    )
    tuner.search(x, y, **FIT)
    return {tuple(t.params.values()): t.user_attrs["history"][0] for t in tuner.study.trials}


def check(tmp_path, model, cases, **given):
    """Compares both ways; gives why trials trained alone."""
    executor = kt_hpo.Vectorized(k=8)
    ours = curves(tmp_path, model, cases, executor, **given)
    theirs = curves(tmp_path, model, cases, None, **given)
    assert ours.keys() == theirs.keys() and {case for case, _ in theirs} == set(cases)
    for case, history in theirs.items():
        assert ours[case].keys() == history.keys()
        for name in history:
            assert ours[case][name] == pytest.approx(history[name], rel=1e-4), (case, name)
    return executor.notes


@pytest.mark.slow
def test_models_that_train_together_train_right(tmp_path):
    made = {model.__name__: model for model in TOGETHER}
    assert check(tmp_path, lambda name, number: made[name](number), list(made)) == []


@pytest.mark.slow
def test_models_that_cannot_train_together_train_right_alone(tmp_path):
    made = {name: model for name, (model, _) in ALONE.items()}
    notes = check(tmp_path, lambda name, number: made[name](number), list(made), numbers=[1.6])
    reasons = {reason for _, reason in ALONE.values()}
    assert len(notes) == len(reasons)
    assert all(any(reason in note for note in notes) for reason in reasons)


@pytest.mark.slow
def test_a_model_with_several_inputs_and_outputs_trains_right(tmp_path):
    def model(name, number):
        inputs = {"one": keras.Input((4,), name="one"), "other": keras.Input((4,), name="other")}
        x = layers.Concatenate()([layers.Dense(3)(inputs["one"]), inputs["other"]])
        outputs = {name: layers.Dense(1, name=name)(x) for name in ("first", "second")}
        made = keras.Model(inputs, outputs)
        loss = {"first": "mse", "second": keras.losses.Huber(number)}
        made.compile("sgd", loss, loss_weights={"first": number, "second": 1.0})
        return made

    x, y = {"one": X, "other": X**2}, {"first": Y, "second": X[:, :1]}
    assert check(tmp_path, model, ["several"], x=x, y=y) == []


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
    with pytest.raises(CannotShareError, match="count while its model validates"):
        learner.test(values, learner.fresh_metrics(), Batch(X, Y), [])
