import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import kt_hpo

ROOT = Path(kt_hpo.__file__).parent.parent


def program(directory, **options):
    given = ", ".join(f"{name}={value!r}" for name, value in options.items())
    return textwrap.dedent(
        f"""
        import sys
        sys.path[:0] = [{str(ROOT / "tests")!r}, {str(ROOT)!r}]
        import kt_hpo
        RandomSearch = kt_hpo.RandomSearch
        from models import blobs, build
        where = {{"directory": {directory!r}}}
        tuner = RandomSearch(build, "val_loss", max_trials=2, seed=5, **where, {given})
        tuner.search(*blobs(), validation_split=0.2, epochs=2, verbose=0)
        import tensorflow as tf
        from tensorflow.python.framework import config
        print(config.is_op_determinism_enabled())
        print([t.user_attrs["history"] for t in tuner.study.trials])
        """
    )


@pytest.mark.slow
def test_deterministic_searches_are_the_same_to_the_last_bit(tmp_path):
    (tmp_path / "repo").mkdir()
    printed = [
        subprocess.run(
            [sys.executable, "-c", program(str(tmp_path / str(run)), deterministic=True)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for run in range(2)
    ]
    assert printed[0] == printed[1]
    assert printed[0].startswith("True\n[")
