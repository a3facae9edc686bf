"""A tuner is what an executor asks for."""

from models import eager
from protocols import attributes, broken

import kt_hpo
from kt_hpo.execution.context import ExecutionContext


def test_a_tuner_has_what_an_executor_asks_for(tmp_path):
    tuner = kt_hpo.RandomSearch(eager, "val_loss", max_trials=1, directory=tmp_path)
    assert {"tuner_id", "study", "keep_checkpoints"} <= attributes(ExecutionContext)
    assert broken(ExecutionContext, tuner) == []
