"""The oracle as a worker has it."""

import re
from pathlib import Path

import pytest

import kt_hpo
from kt_hpo.execution.distributed.client import OracleClient
from kt_hpo.execution.distributed.dispatcher import OPEN, OWN

ROOT = Path(kt_hpo.__file__).parent
# What runs in a worker when a trial does.
FILES = [
    "execution/inline.py", "execution/trial.py", "training/fit.py", "training/executions.py",
    "training/build.py", "training/callback_list.py", "training/inheritance.py",
]  # fmt: skip


@pytest.mark.parametrize("file", FILES)
def test_a_worker_may_ask_all_that_a_trial_asks(file):
    asked = set(re.findall(r"oracle\.(\w+)\(", (ROOT / file).read_text()))
    assert asked <= OPEN | OWN | set(vars(OracleClient))
