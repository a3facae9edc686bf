import os
import secrets
import shutil
import sys
import tempfile

import pytest
import ray

# Ray asks for a token by default; this one leaves no file behind.
os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))


@pytest.fixture(scope="session")
def ray_folder():
    """A folder whose name is short enough for the sockets in it."""
    folder = tempfile.mkdtemp(prefix="r")
    yield folder
    ray.shutdown()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def ray_runs(ray_folder, monkeypatch):
    """One Ray for all tests, unless another test has shut it down."""
    if not ray.is_initialized():
        # Its actors import what the tests do.
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        ray.init(
            num_cpus=2,
            include_dashboard=False,
            log_to_driver=False,
            logging_level="ERROR",
            _temp_dir=ray_folder,
        )
