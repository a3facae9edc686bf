"""Population-based training of real models."""

from pathlib import Path

import keras
import numpy as np
import pytest
from models import blobs, eager

import kt_hpo
from kt_hpo.training import checkpoints

pytestmark = pytest.mark.slow

X, Y = blobs()
FIT = {"validation_data": (X[150:], Y[150:]), "batch_size": 75, "verbose": 0}
SEARCH = {"population_size": 3, "max_epochs": 3, "quantile": 0.5, "seed": 0}
STEPS = 2  # 150 samples in batches of 75.


class Watch(keras.callbacks.Callback):
    """Notes what each training begins and ends with."""

    begun, ended = [], []

    def note(self, notes):
        optimizer = self.model.optimizer
        state = [np.array(variable) for variable in optimizer.variables[2:]]
        rate = float(np.array(optimizer.learning_rate))
        notes.append((int(optimizer.iterations), rate, self.model.get_weights(), state))

    def on_train_begin(self, logs=None):
        self.note(self.begun)

    def on_train_end(self, logs=None):
        self.note(self.ended)


class Watched(kt_hpo.PopulationBasedTraining):
    """Notes what is on disk after each trial."""

    def on_trial_end(self, trial):
        super().on_trial_end(trial)
        folders = {path.parent.name for path in Path(self.project_dir).rglob(checkpoints.LAST)}
        self.left = [*getattr(self, "left", []), folders]
        assert folders == {f"trial_{name}" for name in self.oracle.checkpoints_needed()}


def reopened(directory):
    return Watched(eager, "val_loss", directory=directory, **SEARCH)


@pytest.fixture(scope="module")
def tuner(tmp_path_factory):
    made = reopened(tmp_path_factory.mktemp("search"))
    made.search(X[:150], Y[:150], callbacks=[Watch], **FIT)
    return made


def test_members_go_on_with_the_optimizers_state(tuner):
    assert [trial.state.name for trial in tuner.study.trials] == ["COMPLETE"] * 9
    for number, (iterations, _, weights, state) in enumerate(Watch.begun):
        values = tuner.oracle.trials[f"{number:04d}"].hyperparameters.values
        assert iterations == values["tuner/initial_epoch"] * STEPS
        if "tuner/trial_id" in values:
            _, _, weights_before, state_before = Watch.ended[int(values["tuner/trial_id"])]
            for one, other in zip(
                [*weights, *state], [*weights_before, *state_before], strict=True
            ):
                np.testing.assert_array_equal(one, other)


def test_who_explores_trains_with_its_own_learning_rate(tuner):
    explored = 0
    for number, (_, rate, _, _) in enumerate(Watch.ended):
        values = tuner.oracle.trials[f"{number:04d}"].hyperparameters.values
        assert rate == pytest.approx(values["rate"])
        if "tuner/trial_id" in values:
            explored += rate != Watch.ended[int(values["tuner/trial_id"])][1]
    assert explored == 2


def test_only_checkpoints_that_may_be_needed_stay(tuner):
    assert max(map(len, tuner.left)) <= 6
    assert tuner.left[-1] == set()


def test_the_schedule_is_in_the_record(tuner):
    trial = tuner.oracle.get_best_trials(1)[0]
    schedule = tuner.schedule()
    assert schedule == tuner.schedule(trial) == reopened(Path(tuner.directory)).schedule()
    last = trial.hyperparameters.values
    epochs = last["tuner/epochs"]
    assert [(begin, end) for begin, end, _ in schedule] == [(e, e + 1) for e in range(epochs)]
    assert schedule[-1][2] == {"units": last["units"], "rate": last["rate"]}
    schedules = [tuner.schedule(trial) for trial in tuner.oracle.trials.values()]
    assert any(len({part[2]["rate"] for part in each}) > 1 for each in schedules)


def test_fit_best_lives_through_the_schedule_again(tuner):
    best = tuner.get_best_models()[0]
    again = reopened(Path(tuner.directory))
    rates = []

    class Rate(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            rates.append((epoch, float(np.array(self.model.optimizer.learning_rate))))

    model = again.fit_best(X[:150], Y[:150], batch_size=75, callbacks=[Rate()])
    expected = [(begin, values["rate"]) for begin, _, values in tuner.schedule()]
    assert rates == [(epoch, pytest.approx(rate)) for epoch, rate in expected]
    assert int(model.optimizer.iterations) == len(expected) * STEPS
    for one, other in zip(model.get_weights(), best.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("epochs", [1, 5])
def test_fit_best_for_other_epochs(tuner, epochs):
    model = tuner.fit_best(X[:150], Y[:150], batch_size=75, epochs=epochs)
    assert int(model.optimizer.iterations) == epochs * STEPS


def test_there_is_no_schedule_before_a_search(tmp_path):
    with pytest.raises(ValueError, match="run search"):
        reopened(tmp_path).schedule()
