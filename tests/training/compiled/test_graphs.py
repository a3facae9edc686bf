"""How TensorFlow makes its graphs while the engine trains."""

import threading

import pytest
import tensorflow as tf

from kt_hpo.training.compiled.graphs import as_traced

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
