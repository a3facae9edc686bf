"""On JAX a program trains as `model.fit` does; Keras Tuner imports TensorFlow where it is."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PYTHON = ROOT / ".venv-jax" / "bin" / "python"
PROGRAM = Path(__file__).with_name("jax_program.py")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON.exists(), reason="`make test-all` installs JAX in .venv-jax"),
]


def test_losses_metrics_and_weights_are_those_of_fit():
    environment = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [PYTHON, PROGRAM], capture_output=True, text=True, env=environment, timeout=600
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "texts"
