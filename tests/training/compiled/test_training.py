"""A program trains as `model.fit` does, and `fit` trains what a program cannot."""

from contextlib import contextmanager

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from keras import layers, optimizers
from models import blobs
from tiers import few

from kt_hpo._private_apis.tensorflow import in_sequence
from kt_hpo.execution.processes.arrays import SharedArray
from kt_hpo.training.compiled import tensorflow as program
from kt_hpo.training.compiled import trained_by_programs

X, Y = blobs(50)
X_VAL, Y_VAL = blobs(23, seed=1)
FIT = {"epochs": 3, "batch_size": 12, "validation_data": (X_VAL, Y_VAL), "verbose": 0}


def dense(*, optimizer="sgd", loss="binary_crossentropy", metrics=("accuracy",), **kwargs):
    x = inputs = keras.Input((4,))
    x = layers.Dropout(0.3)(layers.BatchNormalization()(layers.Dense(8, activation="relu")(x)))
    outputs = layers.Dense(1, activation="sigmoid", **kwargs)(x)
    model = keras.Model(inputs, outputs)
    model.compile(optimizer, loss, metrics=list(metrics))
    return model


def unbuilt():
    model = keras.Sequential([layers.Dense(5, activation="relu"), layers.Dense(1)])
    model.compile(optimizers.SGD(0.1, momentum=0.9), "mse")
    return model


class Subclassed(keras.Model):
    """With a step of its own around Keras' own, and a layer that is made at the first call."""

    def __init__(self):
        super().__init__()
        self.head = layers.Dense(1, activity_regularizer=keras.regularizers.L2(0.1))
        self.seen = keras.metrics.Mean("seen")

    def call(self, inputs, training=None):
        return self.head(inputs * 2 if training else inputs)

    def train_step(self, data):
        logs = super().train_step(data)
        self.seen.update_state(keras.ops.mean(data[0]))
        return logs | {"seen": self.seen.result()}


class OwnStep(keras.Model):
    """With a step that does not call Keras' own, and other logs than metrics."""

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = keras.ops.mean((self(x)[:, 0] - keras.ops.cast(y, "float32")) ** 2)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        return {"squared": loss}


def compiled(model, **kwargs):
    model.compile(**{"optimizer": "sgd", "loss": "mse", **kwargs})
    return model


def own_step():
    inputs = keras.Input((4,))
    return compiled(OwnStep(inputs, layers.Dense(1)(inputs)))


class OwnMetrics(keras.Model):
    """With logs that are no metrics."""

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        logs = super().compute_metrics(x, y, y_pred, sample_weight)
        return logs | {"mean": keras.ops.mean(y_pred)}


def own_metrics():
    inputs = keras.Input((4,))
    return compiled(OwnMetrics(inputs, layers.Dense(1)(inputs)))


class Autoencoder(keras.Model):
    """With a step that gets samples without targets, as they are."""

    def train_step(self, data):
        with tf.GradientTape() as tape:
            loss = keras.ops.mean((self(data) - data) ** 2)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        return {"loss": loss, "rank": keras.ops.convert_to_tensor(len(data.shape))}


def autoencoder():
    inputs = keras.Input((4,))
    return compiled(Autoencoder(inputs, layers.Dense(4)(layers.Dense(2)(inputs))))


def several():
    """Two inputs by name, two outputs with a loss and a weight each."""
    a, b = keras.Input((4,), name="a"), keras.Input((1,), name="b")
    both = layers.Concatenate()([a, b])
    outputs = {"p": layers.Dense(1, name="p")(both), "q": layers.Dense(2, name="q")(both)}
    model = keras.Model({"a": a, "b": b}, outputs)
    losses = {"p": "mse", "q": keras.losses.SparseCategoricalCrossentropy(from_logits=True)}
    return compiled(model, loss=losses, loss_weights={"p": 0.3, "q": 2.0}, metrics={"p": ["mae"]})


def tokens():
    model = keras.Sequential([layers.Embedding(7, 3), layers.LSTM(4), layers.Dense(1)])
    return compiled(model, optimizer="adam")


def focal(y_true, y_pred):
    error = keras.ops.abs(keras.ops.cast(y_true, y_pred.dtype) - y_pred)
    return keras.ops.mean(error**1.7, axis=-1)


SEVERAL = {
    "x": {"a": X, "b": X[:, :1]},
    "y": {"p": X[:, 1:2], "q": Y},
    "validation_data": ({"a": X_VAL, "b": X_VAL[:, :1]}, {"p": X_VAL[:, :1], "q": Y_VAL}),
}
WEIGHTS = np.linspace(0, 2, 50, dtype="float32")
TOKENS = np.random.default_rng(0).integers(0, 7, (50, 6))
COSINE = optimizers.schedules.CosineDecay(0.1, 12)
CASES = {
    "layers with a state": (dense, {}),
    "all at once, in order, tables of pandas": (
        dense,
        {"batch_size": 64, "shuffle": False, "x": pd.DataFrame(X), "y": pd.Series(Y)},
    ),
    "no batch size, tensors, a regularizer": (
        lambda: dense(kernel_regularizer=keras.regularizers.L1(0.01)),
        {"batch_size": None, "x": tf.constant(X), "y": tf.constant(Y)},
    ),
    "the last samples validate now and then, double precision": (
        dense,
        {
            "validation_data": None,
            "validation_split": 0.3,
            "validation_freq": 2,
            "x": X.astype("float64"),
            "y": Y.astype("float64"),
        },
    ),
    "batches shuffled, a loss of one's own, weights of classes": (
        lambda: dense(loss=focal, metrics=["auc", focal]),
        {"shuffle": "batch", "class_weight": {0: 0.2, 1: 3.0}},
    ),
    "steps without a batch size, no validation": (
        dense,
        {"steps_per_epoch": 7, "batch_size": None, "validation_data": None},
    ),
    "epochs of a few steps, a schedule": (
        lambda: dense(optimizer=optimizers.SGD(COSINE, nesterov=True)),
        {"steps_per_epoch": 2, "validation_steps": 1},
    ),
    "epochs from the third, validated in other batches, weights of samples and in a range": (
        lambda: dense(kernel_constraint=keras.constraints.MaxNorm(0.5)),
        {
            "initial_epoch": 2,
            "epochs": 5,
            "validation_batch_size": 5,
            "sample_weight": WEIGHTS,
            "validation_data": (X_VAL, Y_VAL, WEIGHTS[:23]),
        },
    ),
    "arrays that workers share": (dense, {"x": X.view(SharedArray), "y": Y.view(SharedArray)}),
    "a model without weights yet": (unbuilt, {}),
    "a subclass": (lambda: compiled(Subclassed()), {}),
    "a step of its own": (own_step, {}),
    "logs of its own": (own_metrics, {}),
    "samples without targets": (autoencoder, {"y": None, "validation_data": None}),
    "several with weights": (several, SEVERAL | {"sample_weight": WEIGHTS}),
    "texts": (tokens, {"x": TOKENS, "y": TOKENS[:, 0], "validation_data": None}),
    "XLA": (lambda: compiled(unbuilt(), jit_compile=True), {"batch_size": 25}),
}
QUICK = (
    "layers with a state",
    "several with weights",
    "arrays that workers share",
    "a model without weights yet",
    "a subclass",
)


def trained(build, fit, by_programs, tell=lambda sentence: None):
    keras.utils.clear_session()
    keras.utils.set_random_seed(1)
    model, arguments = build(), {"x": X, "y": Y, **FIT, **fit}
    if not by_programs:
        return model, model.fit(**arguments).history
    with trained_by_programs(model, tell):
        return model, model.fit(**arguments).history


@pytest.fixture
def no_fit(monkeypatch):
    """Has `fit` itself fail, so that what trains is trained by programs."""

    def forbid():
        monkeypatch.setattr(keras.Model, "fit", lambda *args, **kwargs: pytest.fail("fit ran"))

    return forbid


@pytest.mark.parametrize("name", few(CASES, *QUICK))
def test_losses_metrics_and_weights_are_those_of_fit(name, no_fit):
    build, fit = CASES[name]
    theirs, expected = trained(build, fit, by_programs=False)
    no_fit()
    ours, history = trained(build, fit, by_programs=True)
    assert list(history) == list(expected)
    for metric, values in expected.items():
        assert history[metric] == pytest.approx(values, rel=1e-4, abs=1e-6), metric
    for own, weights in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(own, weights, rtol=1e-3, atol=1e-5)


@tf.function(input_signature=[tf.TensorSpec(())])
def doubled_thrice(number):
    """Traced on its own, so that its loop is one of operations that do not run in sequence."""
    return tf.while_loop(lambda i, x: i < 3, lambda i, x: (i + 1, 2 * x), (0, number))[1]


def squares_eightfold(y_true, y_pred):
    return doubled_thrice(keras.ops.mean((keras.ops.cast(y_true, y_pred.dtype) - y_pred) ** 2))


@pytest.mark.parametrize("can", [True, False])
def test_kernels_run_in_sequence_unless_one_cannot(can, no_fit, monkeypatch):
    """What fails at the first step has changed nothing: no weight, no dropout, no mean."""
    build, fit = lambda: dense(loss="mse" if can else squares_eightfold), {}
    doubled_thrice.get_concrete_function()
    _, expected = trained(build, fit, by_programs=False)
    no_fit()
    chosen = []

    @contextmanager
    def noted():
        chosen.append(True)
        with in_sequence():
            yield

    monkeypatch.setattr(program, "in_sequence", noted)
    _, history = trained(build, fit, by_programs=True)
    # Each of two programs is traced, and then runs three epochs or fails once.
    assert len(chosen) == (8 if can else 4)
    for metric, values in expected.items():
        assert history[metric] == pytest.approx(values, rel=1e-4, abs=1e-6), metric


def test_callbacks_see_and_change_the_model_at_the_end_of_an_epoch(no_fit):
    class Watches(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.model.layers[1].trainable = False
            self.seen = []

        def on_epoch_end(self, epoch, logs=None):
            self.seen.append((self.model.layers[1].get_weights()[0], dict(logs)))
            if epoch == 1:
                self.model.optimizer.learning_rate = 0.0

    def callbacks():
        plateau = keras.callbacks.ReduceLROnPlateau(patience=1, min_delta=9)
        stop = keras.callbacks.EarlyStopping(patience=3, min_delta=9, restore_best_weights=True)
        return [Watches(), plateau, stop]

    theirs, ours = callbacks(), callbacks()
    _, expected = trained(dense, {"callbacks": theirs, "epochs": 9}, by_programs=False)
    no_fit()
    model, history = trained(dense, {"callbacks": ours, "epochs": 9}, by_programs=True)
    assert len(history["loss"]) == len(expected["loss"]) == 4
    for own, seen in zip(ours[0].seen, theirs[0].seen, strict=True):
        np.testing.assert_array_equal(own[0], seen[0])
        assert own[1] == pytest.approx(seen[1], rel=1e-4)
    assert "fit" not in vars(model)


class Untraceable(keras.Sequential):
    """Looks at numbers, which a graph does not have; Keras' `fit` is told to run it eagerly."""

    def train_step(self, data):
        float(self.optimizer.iterations + data[1][0])
        return super().train_step(data)


def test_a_model_that_cannot_be_traced_is_left_to_fit_also_after_callbacks():
    class Begins(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            Begins.begun += 1
            self.model.run_eagerly = True

    def build():
        return compiled(Untraceable([layers.Dense(1)]))

    Begins.begun = 0
    _, history = trained(build, {"callbacks": [Begins()]}, by_programs=True)
    assert len(history["loss"]) == 3 and Begins.begun == 2


class AtBatches(keras.callbacks.Callback):
    batches = 0

    def on_train_batch_end(self, batch, logs=None):
        AtBatches.batches += 1


class OwnFit(keras.Sequential):
    def fit(self, *args, **kwargs):
        return super().fit(*args, **kwargs)


def in_pipeline():
    return {"x": tf.data.Dataset.from_tensor_slices((X, Y)).batch(10), "y": None}


def eager():
    return compiled(unbuilt(), run_eagerly=True)


LEFT_TO_FIT = {
    "a callback at batches": (
        dense,
        lambda: {"callbacks": [AtBatches()]},
        "AtBatches acts at every batch",
    ),
    "a function at batches": (
        dense,
        lambda: {
            "callbacks": [
                keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: None)
            ]
        },
        "LambdaCallback acts at every batch",
    ),
    "a progress bar": (dense, lambda: {"verbose": 1}, "a progress bar shows every batch"),
    "a pipeline": (
        dense,
        lambda: in_pipeline() | {"batch_size": None},
        "data of type _BatchDataset are not in memory",
    ),
    "a pipeline to validate with": (
        dense,
        lambda: {"validation_data": tf.data.Dataset.from_tensors((X_VAL, Y_VAL))},
        "the validation data are not in memory",
    ),
    "eager execution": (eager, dict, "the model runs eagerly"),
    "a fit of its own": (lambda: compiled(OwnFit([layers.Dense(1)])), dict, ""),
}


@pytest.mark.parametrize("name", LEFT_TO_FIT)
def test_what_a_program_cannot_do_fit_does(name, monkeypatch, capsys):
    ran, fit = [], keras.Model.fit

    def counted(self, *args, **kwargs):
        ran.append(self)
        return fit(self, *args, **kwargs)

    (build, arguments, reason), told = LEFT_TO_FIT[name], []
    if name != "a fit of its own":
        monkeypatch.setattr(keras.Model, "fit", counted)
    _, history = trained(build, {"epochs": 1, **arguments()}, True, told.append)
    assert len(history["loss"]) == 1
    assert ran or name == "a fit of its own"
    assert told == [f"Models train by model.fit, because {reason}."] * bool(ran)


MISTAKES = {
    "samples without targets": {"y": Y[:-1]},
    "another shape": {"x": X[:, :3]},
    "an unknown argument": {"epoch": 3},
    "two kinds of weights": {"class_weight": {0: 1.0}, "sample_weight": WEIGHTS},
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_in_the_words_of_fit(name):
    with pytest.raises(Exception) as theirs:
        trained(dense, MISTAKES[name], by_programs=False)
    with pytest.raises(type(theirs.value)) as ours:
        trained(dense, MISTAKES[name], by_programs=True)
    assert str(ours.value) == str(theirs.value)


def test_steps_that_no_epoch_has_are_warned_of():
    with pytest.warns(UserWarning, match="fewer than the 9 steps"):
        _, history = trained(unbuilt, {"validation_steps": 9}, by_programs=True)
    assert len(history["val_loss"]) == 3


def test_a_hook_that_may_miss_batches_sees_some_and_may_end_the_training(no_fit, monkeypatch):
    class Looks(keras.callbacks.Callback):
        may_miss_batches = True

        def __init__(self, last):
            super().__init__()
            self.last, self.seen = last, []

        def on_train_batch_end(self, batch, logs=None):
            self.seen.append(batch)
            if batch >= self.last:
                raise RuntimeError("enough")

    monkeypatch.setattr("kt_hpo.training.compiled.pace._FIRST_STEPS", 2)
    monkeypatch.setattr("kt_hpo.training.compiled.pace._SECONDS", 0.0)
    no_fit()
    whole, part = Looks(99), Looks(2)
    trained(unbuilt, {"callbacks": [whole], "epochs": 1}, by_programs=True)
    assert whole.seen == [1, 2, 3, 4]
    with pytest.raises(RuntimeError, match="enough"):
        trained(unbuilt, {"callbacks": [part], "epochs": 1}, by_programs=True)
    assert part.seen == [1, 2]
