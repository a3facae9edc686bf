"""The JAX backend, in an environment of its own: Keras Tuner imports TensorFlow where it is."""

import os
import subprocess
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PYTHON = ROOT / ".venv-jax" / "bin" / "python"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON.exists(), reason="`make test-all` installs JAX in .venv-jax"),
]
PROGRAM = """
import sys
import keras
import numpy as np
from keras import layers, regularizers
import kt_hpo

generator = np.random.default_rng(0)
x = generator.normal(size=(90, 6, 6, 1)).astype("float32")
y = (x.mean(axis=(1, 2, 3)) > 0).astype("int32")

def build(hp):
    rate = hp.Float("rate", 1e-3, 1e-1, sampling="log")
    model = keras.Sequential([keras.Input((6, 6, 1))])
    model.add(layers.Conv2D(3, 3, kernel_regularizer=regularizers.L2(rate)))
    model.add(layers.BatchNormalization())
    model.add(layers.Flatten())
    if DROPOUT:
        model.add(layers.Dropout(hp.Float("dropout", 0.1, 0.5)))
    model.add(layers.Dense(1, activation="sigmoid"))
    loss = keras.losses.BinaryCrossentropy(label_smoothing=rate)
    model.compile(keras.optimizers.SGD(rate, momentum=0.5 + rate), loss, metrics=["accuracy"])
    return model

def curves(executor):
    tuner = kt_hpo.RandomSearch(build, "val_loss", max_trials=2, seed=0, directory=sys.argv[1],
                                project_name=repr(executor)[:13], executor=executor)
    tuner.search(x, y, validation_split=0.28, batch_size=24, epochs=2, shuffle=DROPOUT, verbose=0,
                 class_weight={1: 2.0})
    assert not getattr(executor, "notes", None)
    best = tuner.oracle.get_best_trials(1)[0]
    loss = tuner.get_best_models()[0].evaluate(x[64:], y[64:], batch_size=24, verbose=0)[0]
    assert abs(loss - best.score) < 1e-5 * best.score
    return [trial.user_attrs["history"][0] for trial in tuner.study.trials]

def assert_equal(ours, theirs, relative):
    for one, other in zip(ours, theirs, strict=True):
        for name in other:
            np.testing.assert_allclose(one[name], other[name], rtol=relative, err_msg=name)

DROPOUT = False
assert_equal(curves(kt_hpo.Vectorized()), curves(None), 1e-4)
DROPOUT = True
sys.argv[1] += "/dropout"
assert_equal(curves(kt_hpo.Vectorized(k=2)), curves(kt_hpo.Vectorized(k=1)), 1e-5)
assert keras.backend.backend() == "jax"
assert "tensorflow" not in sys.modules
print("fine")
"""

SCHEDULES = """
import sys
import keras
import numpy as np
from keras.optimizers import schedules
import kt_hpo

generator = np.random.default_rng(0)
x = generator.normal(size=(64, 4)).astype("float32")
y = (x.sum(1) > 0).astype("int32")

class Private(schedules.LearningRateSchedule):
    def __init__(self, rate):
        self._rate = rate

    def __call__(self, step):
        return self._rate / (1.0 + keras.ops.cast(step, "float32"))

    def get_config(self):
        return {"rate": 0.1}  # For all of them.

class Derived(schedules.ExponentialDecay):
    def __init__(self, rate):
        super().__init__(0.01, 10, 0.9)
        self._factors = np.array([rate * 100, rate * 50], "float32")

    def __call__(self, step):
        factor = keras.ops.take(self._factors, keras.ops.minimum(step, 1))
        return super().__call__(step) * factor

def closure(rate):
    class Local(schedules.LearningRateSchedule):
        def __call__(self, step):
            return rate / (1.0 + keras.ops.cast(step, "float32"))

        def get_config(self):
            return {}

    return Local()

adam, sgd = keras.optimizers.Adam, keras.optimizers.SGD
CASES = {"private": (Private, adam), "derived": (Derived, sgd), "closure": (closure, adam),
         "cosine": (lambda rate: schedules.CosineDecay(rate, 6), sgd)}

def build(hp):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, activation="sigmoid")])
    schedule, optimizer = CASES[hp.Choice("case", list(CASES))]
    model.compile(optimizer(schedule(hp.Choice("rate", [0.003, 0.1]))), "binary_crossentropy")
    return model

def eagerly(hp):
    model = build(hp)
    model.run_eagerly = True
    return model

def curves(executor):
    tuner = kt_hpo.GridSearch(build if executor else eagerly, "val_loss", seed=0,
                              directory=sys.argv[1], project_name=repr(executor)[:13],
                              executor=executor)
    tuner.search(x, y, validation_split=0.25, batch_size=16, epochs=2, shuffle=False, verbose=0)
    return {tuple(t.params.values()): t.user_attrs["history"][0] for t in tuner.study.trials}

inline = curves(None)
assert len({history["val_loss"][-1] for history in inline.values()}) == 2 * len(CASES)
for executor in (kt_hpo.Vectorized(), "auto"):
    for case, ours in curves(executor).items():
        np.testing.assert_allclose(ours["loss"], inline[case]["loss"], rtol=1e-5)
        np.testing.assert_allclose(ours["val_loss"], inline[case]["val_loss"], rtol=1e-5)
print("fine")
"""


@pytest.mark.parametrize("program", [PROGRAM, SCHEDULES], ids=["losses", "schedules"])
def test_losses_are_those_of_fit_and_tensorflow_is_not_imported(program, tmp_path):
    environment = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        [PYTHON, "-c", textwrap.dedent(program), str(tmp_path)],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert ended.stdout == "fine\n", ended.stderr
