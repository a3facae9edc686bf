"""Code of the program itself, in workers: what reads its text finds it there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import kt_hpo

# A class, a decorator and a closure, all of the main module; a loop and a branch on tensors.
PROGRAM = """
import kt_hpo
import tensorflow as tf


class Halving:
    def __init__(self, times):
        self.times = times

    @tf.function
    def __call__(self, x):
        for _ in tf.range(self.times):
            if x > 1.0:
                x = x / 2.0
        return x


class Search(kt_hpo.GridSearch):
    def run_trial(self, trial):
        x = float(trial.hyperparameters.Int("x", 0, 8, step=4))
        if x == 4.0:
            raise RuntimeError("four is refused")  # the line of the error

        @tf.function
        def twice(value):
            if value > 3.0:
                return value * 2.0
            return value

        return float(twice(Halving(2)(tf.constant(x))))


tuner = Search(directory="runs", executor=1)
tuner.search(verbose=0)
print([(trial.state.name, trial.value) for trial in tuner.study.trials])
print(tuner.study.trials[1].user_attrs["traceback"])
"""


def run(folder, *command):
    environment = {**os.environ, "PYTHONPATH": str(Path(kt_hpo.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment, text=True,
        capture_output=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_autograph_and_tracebacks_read_the_program(tmp_path):
    """Started by a path from another folder; its text goes along."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "program.py").write_text(PROGRAM)
    shown = run(tmp_path, "elsewhere/program.py")
    assert "[('COMPLETE', 0.0), ('FAIL', None), ('COMPLETE', 2.0)]" in shown
    assert re.search(r'program\.py", line \d+, in run_trial', shown)
    assert 'raise RuntimeError("four is refused")  # the line of the error' in shown
