import pytest
import tensorflow as tf
from models import blobs, build
from tensorflow.python.eager import context
from tensorflow.python.framework import ops
from tensorflow.python.ops.parallel_for import pfor
from vectorized_searches import assert_same, histories, one_size, searched

import kt_hpo
from kt_hpo._private_apis.tensorflow import gradient_registry, in_sequence


def losses(folder):
    x, y = blobs()
    tuner = kt_hpo.RandomSearch(
        build, "val_loss", max_trials=2, seed=0, directory=folder, compiled=False
    )
    tuner.search(x, y, validation_split=0.25, epochs=1, verbose=0)
    return [trial.value for trial in tuner.study.trials]


@pytest.mark.slow
def test_without_its_registry_a_search_finds_the_same(tmp_path, monkeypatch):
    expected = losses(tmp_path / "as it is")
    monkeypatch.setattr(ops, "gradient_registry", Renamed(ops.gradient_registry))
    assert gradient_registry() == {}
    assert losses(tmp_path / "renamed") == expected


def test_tensorflow_knows_the_bitcast_only_while_we_trace(tmp_path):
    found = searched(tmp_path, max_trials=2)
    assert not found.executor.notes
    assert "val_accuracy" in histories(found)[0][0]
    assert "Bitcast" not in pfor._pfor_converter_registry


@pytest.mark.slow
def test_without_its_converters_trials_train_in_a_loop(tmp_path, monkeypatch):
    # A loop draws other numbers for dropout.
    plain = {"hypermodel": one_size, "max_trials": 2}
    expected = searched(tmp_path / "as it is", **plain)
    monkeypatch.delattr(pfor, "wrap")
    assert_same(searched(tmp_path / "loop", **plain), expected, relative=1e-4)


def test_without_its_executor_functions_run_as_they_do_elsewhere(monkeypatch):
    monkeypatch.delattr(context, "function_executor_type")
    with in_sequence():
        assert float(tf.function(lambda x: 2 * x)(tf.constant(3.0))) == 6


class Renamed:
    """TensorFlow's registry with its table under another name."""

    def __init__(self, registry):
        self._registry_of_another_name = registry

    def __getattr__(self, name):
        if name == "_registry":
            raise AttributeError(name)
        return getattr(self._registry_of_another_name, name)
