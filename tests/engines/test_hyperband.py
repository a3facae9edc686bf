"""Hyperband, as a tuner trains it."""

import keras
import numpy as np
import pytest
from models import eager
from searches import searched

import kt_hpo


@pytest.mark.slow
def test_hyperband_continues_with_the_optimizers_state(tmp_path):
    """A trial of one epoch, promoted to three, equals three epochs at a stretch."""
    seen = {}

    class Steps(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.first = int(self.model.optimizer.iterations)

        def on_train_end(self, logs=None):
            optimizer = self.model.optimizer
            slots = float(sum(np.abs(np.array(v)).sum() for v in optimizer.variables))
            seen[self.first, int(optimizer.iterations)] = slots

    tuner = searched(
        tmp_path,
        kt_hpo.Hyperband,
        hypermodel=eager,
        max_epochs=3,
        fit={"validation_split": 0.25, "batch_size": 75, "verbose": 0, "callbacks": [Steps]},
    )
    # 150 samples in batches of 75 are 2 steps an epoch.
    assert (0, 2) in seen
    assert (2, 6) in seen
    assert [(t.user_attrs["values"]["tuner/round"]) for t in tuner.study.trials].count(1) == 1
    promoted = next(t for t in tuner.study.trials if t.user_attrs["values"]["tuner/round"] == 1)
    assert promoted.user_attrs["history"][0]["epoch"] == [1, 2]
