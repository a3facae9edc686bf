"""Promises of Keras Tuner, each kept by both packages unless a test says otherwise."""

import importlib

import pytest


@pytest.fixture(params=["keras_tuner", "kt_hpo"])
def kt(request):
    if request.param == "keras_tuner":
        pytest.importorskip("tensorboard")  # Keras Tuner's tuners import it.
    return importlib.import_module(request.param)


@pytest.fixture
def drive(tmp_path):
    """Gives an oracle a folder, as a tuner does, so that it can be driven by hand."""

    def drive(oracle):
        oracle._set_project_dir(tmp_path, "driven")
        return oracle

    return drive


@pytest.fixture
def places(tmp_path):
    return {"directory": tmp_path, "project_name": "demo"}
