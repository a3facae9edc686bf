"""The built wheel, installed where TensorFlow is there already, as on Colab."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Older than the newest, as what a notebook service has: an upgrade would be seen.
THERE = ["tensorflow-cpu<2.21", "numpy<2.2", "pandas<2.3", "matplotlib<3.10"]

PROGRAM = """
import keras, kt_hpo, numpy

def build(hp):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(hp.Int("units", 1, 4))])
    model.compile(loss="mse")
    return model

x = numpy.ones((8, 2))
tuner = kt_hpo.RandomSearch(build, "val_loss", max_trials=1, project_name="wheel")
tuner.search(x, x[:, :1], validation_split=0.5, verbose=0)
print(len(tuner.study.trials), kt_hpo.__file__)
"""


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The Python of an environment that has only TensorFlow and a few packages."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "uv", "venv", "--quiet", "--python", sys.executable, folder)
    python = folder / "bin" / "python"
    install(python, *THERE)
    return python


def install(python, *what):
    run(sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", python, *what)


def versions(python):
    listed = run(sys.executable, "-m", "uv", "pip", "list", "--python", python, "--format=json")
    return {package["name"]: package["version"] for package in json.loads(listed)}


@pytest.mark.slow
def test_it_installs_beside_tensorflow_replaces_nothing_and_searches(python, tmp_path):
    run(sys.executable, "-m", "uv", "build", "--wheel", "--out-dir", tmp_path, ROOT)
    (wheel,) = tmp_path.glob("kt_hpo-*.whl")
    before = versions(python)
    assert "optuna" not in before
    install(python, wheel)
    after = versions(python)
    assert {name: after.get(name) for name in before} == before
    trials, file = run(python, "-I", "-c", PROGRAM, cwd=tmp_path).split()
    assert trials == "1"
    assert Path(file).is_relative_to(python.parent.parent)
    assert "search" in run(python.parent / "kt-hpo", "--help", cwd=tmp_path)
