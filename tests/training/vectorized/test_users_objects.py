"""Numbers that only a user's object knows: every trial trains with its own, together or alone."""

import functools

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
from kt_hpo.training.vectorized.rates import scheduled

X, Y = blobs(48)
FIT = {"validation_split": 0.25, "batch_size": 18, "epochs": 1, "shuffle": False, "verbose": 0}
NUMBERS = [0.3, 1.7]
GLOBAL = {"number": 1.0}


def in_private_attribute(base, method, function, number):
    class Private(base):
        def __init__(self):
            super().__init__()
            self._number = number

    def call(self, *args, **more):
        return function(self._number, *args, **more)

    setattr(Private, method, call)
    return Private()


def in_array(base, method, function, number):
    class Array(base):
        def __init__(self, array):
            super().__init__()
            self.array = array

    setattr(Array, method, lambda self, *args, **more: function(self.array[0], *args, **more))
    return Array(np.array([number], "float32"))


def in_list(base, method, function, number):
    class Listed(base):
        def __init__(self, numbers):
            super().__init__()
            self.numbers = numbers

    setattr(Listed, method, lambda self, *args, **more: function(self.numbers[0], *args, **more))
    return Listed([number])


def in_class_made_in_build(base, method, function, number):
    class Local(base):
        pass

    setattr(Local, method, lambda self, *args, **more: function(number, *args, **more))
    return Local()


class Forgetting:
    """Has a config that is every number's."""

    def get_config(self):
        return {}


def in_forgotten_config(base, method, function, number):
    class Forgets(Forgetting, base):
        def __init__(self, number=1.0):
            super().__init__()
            self.number = number

    setattr(Forgets, method, lambda self, *args, **more: function(self.number, *args, **more))
    return Forgets(number)


def in_registered_class(base, method, function, number):
    @keras.saving.register_keras_serializable(package=f"{base.__name__}_{number}")
    class Registered(base):
        def __init__(self, number=1.0):
            super().__init__()
            self.hidden = {"number": number}

        def get_config(self):
            return {"number": self.hidden["number"]}

    setattr(
        Registered,
        method,
        lambda self, *args, **more: function(self.hidden["number"], *args, **more),
    )
    return Registered(number)


def in_closure(base, method, function, number):
    def closed(*args, **more):
        return function(number, *args, **more)

    return closed


def in_default_argument(base, method, function, number):
    def defaulted(*args, number=number, **more):
        return function(number, *args, **more)

    return defaulted


def in_partial(base, method, function, number):
    return functools.partial(function, number)


def in_lambda(base, method, function, number):
    return lambda *args, **more: function(number, *args, **more)


def in_global(base, method, function, number):
    """A global that the next build sets anew."""
    GLOBAL["number"] = number
    return reading_global(function)


@functools.cache
def reading_global(function):
    return lambda *args, **more: function(GLOBAL["number"], *args, **more)


CLASSES = [
    in_private_attribute, in_array, in_list, in_class_made_in_build, in_forgotten_config,
    in_registered_class,
]  # fmt: skip
FUNCTIONS = [in_closure, in_default_argument, in_partial, in_lambda, in_global]


def compiled(layer=None, loss="mse", optimizer=None, metrics=None, **dense):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, **dense)])
    if layer is not None:
        model.add(layer)
    model.add(layers.Dense(1))
    model.compile(optimizer or optimizers.SGD(0.05), loss, metrics=metrics)
    return model


def power(number, true, predicted):
    true = ops.cast(true, predicted.dtype)
    return ops.mean(ops.abs(true - predicted) ** (1 + number), axis=-1)


def scaled(number, value):
    return value * number


def ranged(number, value):
    return ops.clip(value, -number / 4, number / 4)


def penalty(number, value):
    return number * ops.sum(ops.square(value))


def decayed(number, step=0):
    return number * 0.1 / (1.0 + ops.cast(step, "float32"))


def drawn(number, shape, dtype=None, **more):
    return number * ops.ones(shape, dtype)


class Metric(keras.metrics.Metric):
    """A mean of what `call` gives."""

    def __init__(self):
        super().__init__(name="own")
        self.total = self.add_variable((), "zeros", name="total")

    def update_state(self, true, predicted, sample_weight=None):
        self.total.assign_add(ops.sum(self.call(true, predicted)))

    def result(self):
        return self.total + 0.0


class Stepping(optimizers.SGD):
    """Scales every step by what `call` gives."""

    def __init__(self):
        super().__init__(0.05)

    def update_step(self, gradient, variable, learning_rate):
        super().update_step(self.call(gradient), variable, learning_rate)


def lambda_layer(made):
    return made if isinstance(made, keras.layers.Layer) else layers.Lambda(made)


KINDS = {
    "optimizer": (Stepping, "call", scaled, lambda made: compiled(optimizer=made)),
    "loss": (keras.losses.Loss, "call", power, lambda made: compiled(loss=made)),
    "metric": (Metric, "call", power, lambda made: compiled(metrics=[made])),
    "layer": (layers.Layer, "call", scaled, lambda made: compiled(lambda_layer(made))),
    "activation": (layers.Layer, "call", scaled, lambda made: compiled(activation=made)),
    "constraint": (
        keras.constraints.Constraint, "__call__", ranged,
        lambda made: compiled(kernel_constraint=made),
    ),
    "regularizer": (
        keras.regularizers.Regularizer, "__call__", penalty,
        lambda made: compiled(kernel_regularizer=made),
    ),
    "activity regularizer": (
        keras.regularizers.Regularizer, "__call__", penalty,
        lambda made: compiled(activity_regularizer=made),
    ),
    "initializer": (
        keras.initializers.Initializer, "__call__", drawn,
        lambda made: compiled(kernel_initializer=made),
    ),
    "schedule": (
        optimizers.schedules.LearningRateSchedule, "__call__", decayed,
        lambda made: compiled(optimizer=optimizers.SGD(made)),
    ),
    "layer within a model": (
        layers.Layer, "call", scaled,
        lambda made: compiled(keras.Sequential([lambda_layer(made)])),
    ),
}  # fmt: skip


def cases(kind):
    """All places where an object of a kind can hide a number."""
    return CLASSES if kind == "optimizer" else [*CLASSES, *FUNCTIONS]


def quick(kind):
    """One of them, another one for each kind."""
    return cases(kind)[list(KINDS).index(kind)]


def made(kind, place, number):
    base, method, function, model = KINDS[kind]
    keras.utils.set_random_seed(1)  # What differs is the number alone.
    return model(place(base, method, function, number))


def histories(tmp_path, build, executor):
    tuner = kt_hpo.GridSearch(
        build if executor else eagerly(build),
        "val_loss",
        directory=tmp_path,
        project_name=f"{executor}",
        executor=executor,
    )
    tuner.search(X, Y, **FIT)
    return {tuple(t.params.values()): t.user_attrs["history"][0] for t in tuner.study.trials}


OTHERS = [kind for kind in KINDS if kind != "loss"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "kinds", [["loss"], pytest.param(OTHERS, marks=pytest.mark.slow)], ids=["loss", "others"]
)
def test_a_number_that_no_config_tells_is_a_trials_own(kinds, tmp_path):
    def build(hp):
        kind = hp.Choice("kind", kinds)
        return made(kind, quick(kind), hp.Choice("number", NUMBERS))

    executors = kt_hpo.Vectorized(), None
    ours, theirs = (histories(tmp_path, build, executor) for executor in executors)
    assert len(ours) == len(theirs) == len(NUMBERS) * len(kinds)
    for case, history in theirs.items():
        assert ours[case].keys() == history.keys()
        for name in history:
            assert ours[case][name] == pytest.approx(history[name], rel=1e-4, abs=1e-6), case
    for kind in kinds:
        curves = [theirs[kind, number] for number in NUMBERS]
        assert curves[0] != curves[1], f"{kind}: the number makes no difference"


def test_every_place_is_among_the_quick_ones():
    assert {quick(kind) for kind in KINDS} == {*CLASSES, *FUNCTIONS}


def known(build, *args):
    """What a model would be trained by together with others, if it would."""
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(1)
    try:
        found = drawn_from(build(*args))
        rates = found.schedule and scheduled(found.schedule, 0, 3, backend()).tolist()
    except CannotShareError:
        return object()
    return found.signature, found.scalars, rates, [one.tolist() for one in found.weights]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_no_two_numbers_share_a_program_wherever_they_are_kept(kind):
    assert known(compiled) == known(compiled)
    for place in cases(kind):
        one, other = (known(made, kind, place, number) for number in NUMBERS)
        assert one != other, place.__name__
