"""Graphs that a training leaves behind."""

import gc
import weakref

import pytest
import tensorflow as tf
from models import blobs, build
from tensorflow.python.framework import ops

from kt_hpo.hyperparameters import HyperParameters
from kt_hpo.training.memory import released_graphs


@tf.custom_gradient
def clipped(x):
    return x, lambda upstream: tf.clip_by_value(upstream, -1.0, 1.0)


def graphs():
    gc.collect()
    return [one for one in gc.get_objects() if type(one).__name__ == "FuncGraph"]


def test_a_trainings_graphs_are_let_go():
    def train():
        model = build(HyperParameters())
        model.fit(*blobs(), validation_split=0.2, verbose=0)

    before = len(graphs())
    with released_graphs():
        train()
    assert len(graphs()) <= before
    train()
    assert len(graphs()) > before, "TensorFlow has mended it: the module can go"


def test_a_function_somebody_still_holds_keeps_its_gradient():
    @tf.function
    def cube(x):
        return clipped(x) ** 3

    x = tf.constant(2.0)
    with released_graphs():
        cube(x)
    graph = weakref.ref(cube.get_concrete_function(x).graph)
    assert graph() is not None
    assert any(name.startswith("CustomGradient") for name in ops.gradient_registry._registry)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = cube(x)
    assert float(tape.gradient(y, x)) == pytest.approx(1.0)


def test_the_graphs_of_a_model_still_held_are_let_go_later():
    before = len(graphs())
    with released_graphs():
        model = build(HyperParameters())
        model.fit(*blobs(), validation_split=0.2, verbose=0)
    assert len(graphs()) > before
    del model
    with released_graphs():
        pass
    assert len(graphs()) <= before
