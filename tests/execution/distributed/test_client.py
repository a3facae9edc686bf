"""The oracle as a worker has it."""

import re
from pathlib import Path

import pytest

import kt_hpo
from kt_hpo.execution.distributed.client import _SAME, OracleClient
from kt_hpo.execution.distributed.dispatcher import OPEN, OWN
from kt_hpo.training.context import TrainingOracle

ROOT = Path(kt_hpo.__file__).parent
KNOWN = OPEN | OWN | set(vars(OracleClient))


@pytest.mark.parametrize("file", ["execution/inline.py", "execution/trial.py"])
def test_a_worker_may_ask_all_that_a_trial_asks(file):
    asked = set(re.findall(r"oracle\.(\w+)\(", (ROOT / file).read_text()))
    assert asked <= KNOWN


def test_a_worker_has_all_that_a_training_asks():
    asked = {name for name in vars(TrainingOracle) if not name.startswith("_")}
    assert asked | set(TrainingOracle.__annotations__) <= KNOWN | _SAME
