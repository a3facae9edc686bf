"""What TensorFlow says of itself."""

import logging
import subprocess
import sys

import keras_tuner
import pytest
import tensorflow as tf
from models import blobs, eager

import kt_hpo

ADVICE = "tf.function retracing"


@pytest.fixture
def said():
    """What TensorFlow's logger is told."""
    messages = []

    class Listener(logging.Handler):
        def emit(self, record):
            messages.append(record.getMessage())

    logger, listener = logging.getLogger("tensorflow"), Listener()
    logger.addHandler(listener)
    yield messages
    logger.removeHandler(listener)


def trace_anew(function):
    """Traces a graph for each of some numbers, as each trial does for its model."""
    traced = tf.function(function)
    for number in range(8):
        traced(number)


class Tracing(keras_tuner.HyperModel):
    def build(self, hp):
        return eager(hp)

    def fit(self, hp, model, *args, **kwargs):
        trace_anew(lambda number: number + 1)
        return {"val_loss": 1.0}


def test_no_advice_about_tracing_is_given_in_a_search(said, tmp_path):
    x, y = blobs(40)
    tuner = kt_hpo.RandomSearch(Tracing(), "val_loss", max_trials=1, directory=tmp_path)
    tuner.search(x, y, validation_split=0.5, verbose=0)
    assert not said
    tuner.fit_best(x, y)
    assert not said
    trace_anew(lambda number: number + 2)
    assert ADVICE in said[0], "TensorFlow words its advice in another way: nothing is silenced"


@pytest.mark.slow
def test_a_program_that_imports_keras_after_kt_hpo_hears_nothing_of_tensorflow():
    """Nor is the import of anything else another than it was."""
    program = (
        "import sys, kt_hpo\n"
        "finder = sys.meta_path[0]\n"
        "import keras, tensorflow\n"
        "print(finder in sys.meta_path, tensorflow.__spec__.name)\n"
        "print('a note of its own', file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("False tensorflow\n", "a note of its own\n")


@pytest.mark.slow
def test_a_program_that_has_imported_tensorflow_hears_no_more_of_it():
    """What is said before kt_hpo is there nobody can keep back."""
    program = (
        "import sys, keras\n"
        "print('imported', file=sys.stderr, flush=True)\n"
        "import kt_hpo\n"
        "kt_hpo.datasets.load('digits'), kt_hpo.RandomSearch\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stderr.partition("imported\n")[2] == ""
