"""Graphs that a training leaves behind, and the collections that let them go."""

import gc
import weakref

import pytest
import tensorflow as tf
from models import blobs, build
from tensorflow.python.framework import ops

import kt_hpo
from kt_hpo.space.hyperparameters import HyperParameters
from kt_hpo.training.memory import quick_collections, released_graphs


@pytest.fixture(autouse=True)
def thawed():
    """Collections look at everything, as they do in a program; the other tests leave most out."""
    gc.unfreeze()
    yield
    gc.collect()
    gc.freeze()


@tf.custom_gradient
def clipped(x):
    return x, lambda upstream: tf.clip_by_value(upstream, -1.0, 1.0)


def graphs():
    gc.collect()
    return [one for one in gc.get_objects() if type(one).__name__ == "FuncGraph"]


@pytest.mark.slow
def test_a_trainings_graphs_are_let_go():
    def train():
        model = build(HyperParameters())
        model.fit(*blobs(), validation_split=0.2, verbose=0)

    before = len(graphs())
    with released_graphs():
        train()
    assert len(graphs()) <= before
    before = len(graphs())  # Some that were there before may have gone too.
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


@pytest.mark.slow
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


class Link:
    """Is part of a circle, which only a collection lets go."""

    def __init__(self):
        self.itself = self


def test_what_was_there_before_is_left_out_of_collections_for_a_while():
    before = Link()
    gone = weakref.ref(before)
    with quick_collections():
        del before
        meanwhile = weakref.ref(Link())
        gc.collect()
        assert gone() is not None and meanwhile() is None
    gc.collect()
    assert gone() is None and gc.get_freeze_count() == 0


def test_what_somebody_has_left_out_stays_out():
    gc.freeze()
    try:
        with quick_collections():
            pass
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()


def test_a_search_is_over_when_its_collections_are_slow_again(tmp_path):
    class Looks(kt_hpo.RandomSearch):
        def run_trial(self, trial):
            return -float(gc.get_freeze_count())

    tuner = Looks(max_trials=1, directory=tmp_path)
    tuner.search(verbose=0)
    assert tuner.oracle.get_best_trials(1)[0].score < 0
    assert gc.get_freeze_count() == 0
