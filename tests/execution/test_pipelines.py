"""Pipelines of `tf.data` on their way to the workers: random ones stay random."""

import keras
import numpy as np
import pytest
from programs import Script

import kt_hpo
from kt_hpo.execution.processes.datasets import SavedDatasets, load

tf = pytest.importorskip("tensorflow")

X = np.arange(40, dtype="float32")
BASE = tf.data.Dataset.from_tensor_slices((X, X))

# Another process knows no Python function, table or variable of this one.
ELSEWHERE = """
from kt_hpo.execution.processes.datasets import load
for path in {paths}:
    pipeline = load(path).take(4)
    one, other = ([str(batch) for batch in pipeline] for _ in range(2))
    print(one == other, len(one))
"""


def noisy(x, y):
    return x + tf.random.uniform(()), y


RANDOM = {
    "shuffled": BASE.shuffle(40).batch(10),
    "shuffled with a seed": BASE.shuffle(40, seed=1).batch(10),
    "shuffled anew from a cache": BASE.cache().shuffle(40).batch(10).prefetch(2),
    "augmented": BASE.map(noisy).batch(10),
    "without an end": BASE.shuffle(40).repeat().batch(10),
    "of a dict": tf.data.Dataset.from_tensor_slices(({"a": X}, X)).shuffle(40).batch(10),
}
FIXED = {"plain": BASE.batch(10), "cached": BASE.cache().batch(10)}


@pytest.mark.slow
def test_random_pipelines_are_drawn_anew_in_another_process(tmp_path):
    saved = SavedDatasets(tmp_path)
    paths = [saved.add(pipeline) for pipeline in (RANDOM | FIXED).values()]
    script = tmp_path / "script.py"
    script.write_text(ELSEWHERE.format(paths=paths))
    said, _ = Script(script).communicate(timeout=240)
    assert said.split("\n")[:-1] == ["False 4"] * len(RANDOM) + ["True 4"] * len(FIXED)


def test_what_is_loaded_has_the_elements(tmp_path):
    saved = SavedDatasets(tmp_path)
    for pipeline in (RANDOM["shuffled"], FIXED["plain"]):
        path = saved.add(pipeline)
        assert saved.add(pipeline) == path
        loaded = load(path)
        assert loaded.element_spec == pipeline.element_spec
        assert loaded.cardinality() == pipeline.cardinality()
        assert sorted(np.concatenate([x for x, _ in loaded.as_numpy_iterator()])) == list(X)


def python_code():
    return BASE.map(lambda x, y: (tf.numpy_function(lambda v: v, [x], tf.float32), y)).batch(10)


def keras_layer():
    noise = keras.layers.GaussianNoise(1.0)
    return BASE.batch(10).map(lambda x, y: (noise(x, training=True), y))


def generator():
    signature = tf.TensorSpec((), "int32")
    return tf.data.Dataset.from_generator(lambda: iter(range(4)), output_signature=signature)


@pytest.mark.parametrize("make", [python_code, keras_layer, generator])
def test_what_cannot_travel_is_said_to_be_frozen(make, tmp_path):
    with pytest.warns(UserWarning, match=r"frozen\. Give search\(\) a function that makes it"):
        path = SavedDatasets(tmp_path).add(make())
    assert len(list(load(path))) == 4


def test_python_code_without_an_end_cannot_be_saved(tmp_path):
    with pytest.raises(ValueError, match=r"search\(make_dataset\)"):
        SavedDatasets(tmp_path).add(python_code().repeat())


def test_the_remedy_is_named_for_what_cannot_be_sent(tmp_path):
    class Box(kt_hpo.RandomSearch):
        def run_trial(self, trial, data):
            return 0.0

    tuner = Box(max_trials=1, directory=tmp_path, executor=1)
    with pytest.raises(TypeError, match=r"argument 1 of search\(\).*search\(make_data\)"):
        tuner.search((number for number in range(3)), verbose=0)
