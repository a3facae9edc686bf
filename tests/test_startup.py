"""What TensorFlow says of itself."""

import logging
import os
import subprocess
import sys

import keras_tuner
import numpy as np
import pytest
import tensorflow as tf
from models import blobs, eager

import kt_hpo
from kt_hpo._private_apis.tensorflow import log_errors_only
from kt_hpo.startup import tensorflow_gpus

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


KERAS_FIRST = """
import keras, os, sys
os.write(2, b"imported\\n")
import kt_hpo
kt_hpo.datasets.load("digits"), kt_hpo.RandomSearch
import tensorflow as tf
tf.function(lambda x: 2 * x, jit_compile=True)(tf.ones(3))
print("a note of its own", file=sys.stderr)
os.write(2, b"one from C\\n")
"""


def heard_after_the_import(**variables):
    """What a program that imported Keras first hears after that."""
    command = [sys.executable, "-c", KERAS_FIRST]
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"} | variables
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stderr.partition("imported\n")[2]


@pytest.mark.slow
def test_a_program_that_has_imported_tensorflow_hears_no_more_of_it():
    """What is said before kt_hpo is there nobody can keep back."""
    assert heard_after_the_import() == "a note of its own\none from C\n"


@pytest.mark.slow
def test_who_asks_tensorflow_for_its_notes_has_them():
    assert "Compiled cluster using XLA" in heard_after_the_import(TF_CPP_MIN_LOG_LEVEL="0")


def test_no_log_level_is_set_where_tensorflow_is_built_in_another_way(monkeypatch, tmp_path):
    monkeypatch.setattr(tf.sysconfig, "get_include", lambda: str(tmp_path))
    assert not log_errors_only()
    (tmp_path / "absl" / "base").mkdir(parents=True)
    header = tmp_path / "absl" / "base" / "options.h"
    header.write_text("#define ABSL_OPTION_INLINE_NAMESPACE_NAME lts_1\n")
    assert not log_errors_only()
    monkeypatch.undo()
    monkeypatch.setattr(tf.sysconfig, "get_lib", lambda: str(tmp_path))
    assert not log_errors_only()


NO_GPU = "cuda_platform.cc:52] failed call to cuInit: INTERNAL: CUDA error: Failed call to cuInit: "


@pytest.mark.parametrize(
    ("error", "is_heard"),
    [
        ("UNKNOWN ERROR (303)", False),
        ("CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected", False),
        ("CUDA_ERROR_SYSTEM_DRIVER_MISMATCH: driver/library version mismatch", True),
    ],
)
def test_a_machine_without_a_gpu_is_no_error_and_a_broken_driver_is(
    error, is_heard, monkeypatch, capfd
):
    def look(kind):
        os.write(2, f"E0000 00:00:1.5 17 {NO_GPU}{error}\nanother line\n".encode())
        return []

    monkeypatch.setattr(tf.config, "list_physical_devices", look)
    assert tensorflow_gpus() == []
    written = capfd.readouterr().err
    assert (error in written) == is_heard and written.endswith("another line\n")


def test_memory_grows_before_data_are_prepared(monkeypatch):
    """After the first operation it could not: TensorFlow has taken all of it then."""
    grown = []
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["a GPU"])
    monkeypatch.setattr(tf.config, "get_logical_device_configuration", lambda gpu: None)
    monkeypatch.setattr(
        tf.config.experimental, "set_memory_growth", lambda gpu, on: grown.append((gpu, on))
    )
    kt_hpo.datasets.from_arrays(np.zeros((40, 2)), np.arange(40) % 2)
    assert grown and set(grown) == {("a GPU", True)}
