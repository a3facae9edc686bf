"""What a training may return, and what is made of it."""

import keras_tuner
import numpy as np
import pytest
from models import eager
from searches import FIT, X, searched
from searches import WithFit as InGraphs


class WithFit(InGraphs):
    def build(self, hp):
        return eager(hp)


RESULTS = {
    "History": lambda history: history,
    "dict": lambda history: {k: v[-1] for k, v in history.history.items()},
    "float": lambda history: -history.history["val_accuracy"][-1],
    "list": lambda history: [history, history],
}


@pytest.mark.parametrize("kind", RESULTS)
def test_every_kind_of_result_is_read(kind, tmp_path):
    objective = None if kind == "float" else "val_accuracy"
    tuner = searched(tmp_path, hypermodel=WithFit(RESULTS[kind]), objective=objective, max_trials=1)
    assert [trial.state.name for trial in tuner.study.trials] == ["COMPLETE"]
    # First met in `fit`, and recorded all the same.
    assert all(trial.params["batch_size"] in (16, 64) for trial in tuner.study.trials)
    assert tuner.get_best_models()[0].predict(X, verbose=0).shape == (200, 1)


@pytest.mark.parametrize("result", [None, "0.9", {"other": 1.0}, []])
def test_a_result_without_the_objective_ends_the_search(result, tmp_path):
    with pytest.raises(keras_tuner.errors.FatalError, match="val_accuracy"):
        searched(tmp_path, hypermodel=WithFit(lambda history: result))


def test_executions_are_averaged(tmp_path):
    fit = FIT | {"batch_size": 200}
    tuner = searched(tmp_path, hypermodel=eager, fit=fit, max_trials=1, executions_per_trial=3)
    trial = tuner.study.trials[0]
    best = [max(history["val_accuracy"]) for history in trial.user_attrs["history"]]
    assert len(set(best)) > 1
    assert trial.value == pytest.approx(np.mean(best))
