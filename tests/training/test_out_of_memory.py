from functools import partial

import keras
import keras_tuner
import pytest
import tensorflow as tf
from models import blobs, eager

import kt_hpo
from kt_hpo.training.memory import is_out_of_memory

X, Y = blobs(60)


def exhausts(error):
    class Exhausts(keras.callbacks.Callback):
        """Has no memory for the first batch of a large model."""

        def on_train_batch_begin(self, batch, logs=None):
            if self.model.count_params() > 100:
                raise error()

    return Exhausts


@pytest.mark.parametrize(
    "error",
    [MemoryError, lambda: tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")],
    ids=["host", "device"],
)
def test_a_trial_without_memory_fails_alone_and_is_not_tried_again(error, tmp_path):
    tuner = kt_hpo.RandomSearch(
        eager, "val_loss", max_trials=4, seed=0, directory=tmp_path, max_retries_per_trial=2,
        max_consecutive_failed_trials=9,
    )  # fmt: skip
    fit = {"validation_split": 0.25, "batch_size": 60, "verbose": 0}
    tuner.search(X, Y, **fit, callbacks=[exhausts(error)])
    for trial in tuner.study.trials:
        large = 6 * trial.params["units"] + 1 > 100
        assert (trial.state.name == "FAIL") == large
        assert trial.user_attrs.get("out_of_memory", False) == large
        assert "attempts" not in trial.user_attrs
    assert {trial.state.name for trial in tuner.study.trials} == {"FAIL", "COMPLETE"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "engine",
    [
        kt_hpo.RandomSearch,
        kt_hpo.OptunaSearch,
        partial(kt_hpo.BayesianOptimization, num_initial_points=2),
    ],
    ids=["random", "optuna", "bayesian"],
)
def test_what_is_as_large_is_not_tried_again(engine, tmp_path):
    class Exhausts(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            if self.params["steps"] < 3:
                raise MemoryError
            self.model.stop_training = True  # One step is enough.

    def search(max_trials):
        tuner = engine(
            kt_hpo.Training(fixed, batch_size=[8, 16, 32, 64]), "val_loss", max_trials=max_trials,
            seed=0, directory=tmp_path, max_consecutive_failed_trials=9,
        )  # fmt: skip
        tuner.enqueue({"batch_size": 32})
        tuner.search(X, Y, validation_split=0.25, verbose=0, callbacks=[Exhausts])
        return [(trial.params["batch_size"], trial.state.name) for trial in tuner.study.trials]

    def fixed(hp):
        hp.Float("unused", 0.0, 1.0)
        return eager(keras_tuner.HyperParameters())

    assert search(3)[0] == (32, "FAIL")
    # The search that goes on knows of it, too.
    assert all(size < 32 and state == "COMPLETE" for size, state in search(7)[1:])


@pytest.mark.slow  # TensorFlow waits ten seconds for memory.
def test_a_real_allocation_that_fails_is_known():
    @tf.function
    def huge(size):
        return tf.zeros([size, size, size], tf.float64) + 1

    with pytest.raises((tf.errors.ResourceExhaustedError, tf.errors.InvalidArgumentError)) as error:
        huge(tf.constant(100_000))
    assert is_out_of_memory(error.value)
    assert not is_out_of_memory(ValueError("RESOURCE_EXHAUSTED"))
