import os
import subprocess
import sys
import textwrap

import pytest
from programs import Script


@pytest.mark.slow
def test_deterministic_searches_are_the_same_to_the_last_bit(tmp_path):
    """In a new process and in a copy of an old one, whose hashes are others."""
    program = """
        from pathlib import Path
        import kt_hpo
        from models import blobs, build
        tuner = kt_hpo.RandomSearch(
            build, "val_loss", max_trials=2, seed=5, directory="runs", deterministic=True
        )
        tuner.search(*blobs(), validation_split=0.2, epochs=2, batch_size=80, verbose=0)
        from tensorflow.python.framework import config
        found = [trial.user_attrs["history"] for trial in tuner.study.trials]
        Path("found").write_text(f"{config.is_op_determinism_enabled()} {found}")
    """
    new, copy = (tmp_path / name / "program.py" for name in ("new", "copy"))
    for path in (new, copy):
        path.parent.mkdir()
        path.write_text(textwrap.dedent(program))
    paths = {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, new.name]
    subprocess.run(command, cwd=new.parent, env=os.environ | paths, check=True)
    process = Script(copy)
    said, _ = process.communicate()
    assert process.returncode == 0, said
    found = [(path.parent / "found").read_text() for path in (new, copy)]
    assert found[0] == found[1]
    assert found[0].startswith("True [[")
