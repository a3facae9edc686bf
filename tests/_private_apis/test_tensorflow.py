import pytest
from models import blobs, build
from tensorflow.python.framework import ops

import kt_hpo
from kt_hpo._private_apis.tensorflow import gradient_registry


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


class Renamed:
    """TensorFlow's registry with its table under another name."""

    def __init__(self, registry):
        self._registry_of_another_name = registry

    def __getattr__(self, name):
        if name == "_registry":
            raise AttributeError(name)
        return getattr(self._registry_of_another_name, name)
