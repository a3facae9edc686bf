import importlib
import os
import subprocess
import sys

import kt_hpo.integrations.ray_tune

MISSING = """
import sys
sys.modules["ray"] = None
import kt_hpo
try:
    kt_hpo.ray
except ImportError as error:
    print(error)
"""


def printed(program):
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_missing_ray_gives_the_install_line():
    assert 'Run: pip install "kt-hpo[ray]' in printed(MISSING)


def test_ray_sends_no_usage_reports(monkeypatch):
    monkeypatch.delenv("RAY_USAGE_STATS_ENABLED", raising=False)
    importlib.reload(kt_hpo.integrations.ray_tune)
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
