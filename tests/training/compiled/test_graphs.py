"""How TensorFlow makes its graphs while the engine trains."""

import threading

import keras
import pytest
import tensorflow as tf
from keras import layers

from kt_hpo.training.compiled.graphs import as_traced, is_small

OFF = "disable_meta_optimizer"


def is_off():
    return tf.config.optimizer.get_experimental_options().get(OFF, False)


@pytest.mark.parametrize("users", [False, True])
def test_the_last_thread_leaves_what_the_user_has_set(users):
    tf.config.optimizer.set_experimental_options({OFF: users})
    entered, leave = threading.Event(), threading.Event()

    def other():
        with as_traced():
            entered.set()
            leave.wait(60)

    thread = threading.Thread(target=other)
    try:
        with as_traced():
            thread.start()
            assert entered.wait(60)
            assert is_off()
        assert is_off()  # The other thread is still inside.
        leave.set()
        thread.join()
        assert is_off() == users
    finally:
        leave.set()
        tf.config.optimizer.set_experimental_options({OFF: False})


def enter_with_a_choice_of_ones_own():
    tf.config.optimizer.set_experimental_options({"constant_folding": False})
    with as_traced():
        assert not is_off()


def test_a_users_own_choice_of_optimizations_holds(processes):
    """In a process of its own: a choice cannot be taken back."""
    process = processes.Process(target=enter_with_a_choice_of_ones_own)
    process.start()
    process.join()
    assert process.exitcode == 0


class Own(layers.Layer):
    """A layer of which nothing is known."""


def stacked(*inner, shape=(8,), dtype="float32"):
    return keras.Sequential([keras.Input(shape, dtype=dtype), *inner, layers.Dense(1)])


MODELS = {
    "dense layers": (stacked(layers.Dense(16), layers.Dropout(0.1)), True),
    "wide ones": (stacked(layers.Dense(512), layers.Dense(512)), False),
    "a recurrent layer of many words": (
        stacked(layers.Embedding(30_000, 32), layers.GRU(16), dtype="int32"),
        True,
    ),
    "a convolution": (stacked(layers.Conv1D(2, 3), layers.Flatten(), shape=(8, 2)), False),
    "a layer of the user's": (stacked(Own()), False),
    "one within another model": (stacked(stacked(Own())), False),
}


@pytest.mark.parametrize("name", MODELS)
def test_small_models_are_of_small_layers_of_keras_own(name):
    model, expected = MODELS[name]
    assert is_small(model, batch_size=32) == expected
