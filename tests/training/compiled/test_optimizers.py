"""A fused kernel updates variables as `update_step` of Keras' optimizer does."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import optimizers

from kt_hpo.training.compiled.optimizers import fused


def sparing():
    optimizer = optimizers.AdamW(0.01, weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_names=["variable"])
    return optimizer


OPTIMIZERS = {
    "adam": lambda: optimizers.Adam(0.01, beta_1=0.8, beta_2=0.95, epsilon=1e-4),
    "adam with amsgrad": lambda: optimizers.Adam(0.01, amsgrad=True),
    "adamw": lambda: optimizers.AdamW(0.01, weight_decay=0.1, clipnorm=0.5),
    "adamw that spares weights": sparing,
    "adam averaged": lambda: optimizers.Adam(0.01, use_ema=True, ema_overwrite_frequency=2),
    "adam accumulating": lambda: optimizers.Adam(0.01, gradient_accumulation_steps=2),
    "adam scaling its loss": lambda: optimizers.LossScaleOptimizer(optimizers.Adam(0.01)),
    "sgd": lambda: optimizers.SGD(0.1),
    "momentum": lambda: optimizers.SGD(0.1, momentum=0.7),
    "nesterov": lambda: optimizers.SGD(0.1, momentum=0.7, nesterov=True, weight_decay=0.01),
    "a schedule": lambda: optimizers.SGD(optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)),
    "rmsprop": lambda: optimizers.RMSprop(0.01),
}
STREAM = np.random.default_rng(0)
START = [STREAM.normal(size=shape).astype("float32") for shape in ((3, 4), (4,), ())]
GRADIENTS = [[STREAM.normal(size=w.shape).astype("float32") for w in START] for _ in range(7)]


def stepped(optimizer, with_kernels):
    """The variables and the state of an optimizer after some steps."""
    variables = [keras.Variable(start) for start in START]
    optimizer.build(variables)

    def step(*gradients):
        optimizer.apply(gradients, variables)

    if with_kernels:
        with fused(optimizer):
            step = tf.function(step).get_concrete_function(*map(tf.constant, GRADIENTS[0]))
    for gradients in GRADIENTS:
        step(*map(tf.constant, gradients))
    return [variable.numpy() for variable in (*variables, *optimizer.variables)], step


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_kernels_calculate_what_the_optimizer_does(name):
    expected, _ = stepped(OPTIMIZERS[name](), with_kernels=False)
    found, _ = stepped(OPTIMIZERS[name](), with_kernels=True)
    for own, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(own, theirs, rtol=2e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("name", "kernel"),
    [("adamw", "ResourceApplyAdam"), ("nesterov", "ResourceApplyKerasMomentum")],
)
def test_the_kernels_are_there_and_go(name, kernel):
    optimizer = OPTIMIZERS[name]()
    _, step = stepped(optimizer, with_kernels=True)
    operations = [operation.type for operation in step.graph.get_operations()]
    assert operations.count(kernel) == len(START)
    assert operations.count("ResourceApplyGradientDescent") == len(START)  # Weights decay.
    assert "AssignSubVariableOp" not in operations and optimizer.weight_decay
    assert not {"apply", "update_step"} & set(vars(optimizer))


def test_numbers_of_a_step_are_calculated_once_a_call_of_apply():
    """Also where a step applies gradients twice, as those of two networks that play a game do."""

    def twice(with_kernels):
        optimizer = optimizers.Adam(0.1)
        variables = [keras.Variable(start) for start in START]
        optimizer.build(variables)

        def step(first, *others):
            optimizer.apply([first], variables[:1])
            optimizer.apply(others, variables[1:])

        if with_kernels:
            with fused(optimizer):
                step = tf.function(step).get_concrete_function(*map(tf.constant, GRADIENTS[0]))
            operations = [operation.type for operation in step.graph.get_operations()]
            assert operations.count("Pow") == 4 and operations.count("ResourceApplyAdam") == 3
        for gradients in GRADIENTS:
            step(*map(tf.constant, gradients))
        return [variable.numpy() for variable in variables]

    for own, theirs in zip(twice(with_kernels=True), twice(with_kernels=False), strict=True):
        np.testing.assert_allclose(own, theirs, rtol=2e-5)


def test_slots_of_other_names_leave_keras_formulas(monkeypatch):
    expected, _ = stepped(optimizers.Adam(0.1), with_kernels=False)
    monkeypatch.setattr("kt_hpo.training.compiled.optimizers._slots", lambda *args: [])
    found, step = stepped(optimizers.Adam(0.1), with_kernels=True)
    for own, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(own, theirs, rtol=1e-6)
    operations = {operation.type for operation in step.graph.get_operations()}
    assert "AssignAddVariableOp" in operations and "ResourceApplyAdam" not in operations
