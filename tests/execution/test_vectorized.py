"""Searches whose trials train together."""

import os
import signal
from pathlib import Path

import keras
import numpy as np
import pytest
import scipy.stats
from keras import layers
from vectorized_searches import (
    FIT,
    X,
    Y,
    assert_same,
    eagerly,
    histories,
    made,
    one_size,
    searched,
    without_dropout,
)

import kt_hpo
from kt_hpo.training import checkpoints
from kt_hpo.training.reproducibility import seed_of
from kt_hpo.training.vectorized import eligibility, engine, group, state_cache


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A search whose trials have trained two at a time."""
    folder, executor = tmp_path_factory.mktemp("whole"), kt_hpo.Vectorized(k=2)
    return searched(folder, keep_checkpoints=2, executor=executor)


def test_trials_together_are_what_each_is_alone(whole, tmp_path):
    alone = searched(tmp_path, executor=kt_hpo.Vectorized(k=1))
    assert_same(whole, alone)
    assert whole.executor.notes == alone.executor.notes == []


@pytest.mark.slow
def test_groups_fill_with_trials_of_one_architecture(tmp_path, monkeypatch):
    sizes = []
    made_as_ever = group.Group.__init__

    def counting(self, learner, run, slots, *others):
        sizes.append(len(slots))
        made_as_ever(self, learner, run, slots, *others)

    monkeypatch.setattr(group.Group, "__init__", counting)
    executor = kt_hpo.Vectorized(k=4)
    kwargs = {"hypermodel": without_dropout, "fit": FIT | {"epochs": 1}, "executor": executor}
    searched(tmp_path / "random", max_trials=16, **kwargs)
    assert sum(sizes) == 16
    assert max(sizes) == 4
    assert len(sizes) <= 6
    sizes.clear()
    searched(tmp_path / "tpe", kt_hpo.OptunaSearch, max_trials=12, **kwargs)
    assert len(sizes) > 3


def test_the_record_holds_what_a_trial_was(whole):
    for trial in whole.study.trials:
        history = trial.user_attrs["history"][0]
        assert history["epoch"] == [0, 1, 2]
        assert trial.intermediate_values == dict(enumerate(history["val_loss"]))
        assert trial.value == min(history["val_loss"])
        assert trial.user_attrs["parameters"] == 49
    assert kt_hpo.open_study(whole.directory).trials == whole.study.trials


def loss(model):
    """The loss on the validation data, without a graph."""
    model.run_eagerly = True
    return model.evaluate(X[150:], Y[150:], batch_size=50, verbose=0)[0]


def test_the_best_models_are_those_that_were_measured(whole):
    trials = whole.oracle.get_best_trials(2)
    for model, trial in zip(whole.get_best_models(2), trials, strict=True):
        assert loss(model) == pytest.approx(trial.score, rel=1e-5)
    assert len(list(Path(whole.directory).rglob("checkpoint.weights.h5"))) == 2


@pytest.mark.slow
def test_hyperband_goes_on_from_where_a_trial_ended(tmp_path):
    kwargs = {
        "kind": kt_hpo.Hyperband, "max_epochs": 2, "factor": 2, "hypermodel": without_dropout,
        "executions_per_trial": 2,
    }  # fmt: skip
    fit = FIT | {"shuffle": False, "batch_size": 100}
    ours = searched(tmp_path / "ours", fit=fit, **kwargs)
    # One at a time: otherwise a rung knows of more trials when it promotes.
    alone = searched(tmp_path / "alone", fit=fit, executor=kt_hpo.Vectorized(k=1), **kwargs)
    inline = searched(
        tmp_path / "inline",
        fit=fit,
        executor=None,
        **kwargs | {"hypermodel": eagerly(without_dropout)},
    )
    assert len(ours.study.trials) == len(inline.study.trials)
    assert_same(alone, inline, relative=1e-4)
    past = {t.number: t.user_attrs["values"].get("tuner/trial_id") for t in ours.study.trials}
    promoted = [number for number, past_id in past.items() if past_id is not None]
    assert promoted
    for number in promoted:
        before = ours.study.trials[int(past[number])].user_attrs["history"][0]
        after = ours.study.trials[number].user_attrs["history"][0]
        assert after["epoch"][0] == before["epoch"][-1] + 1
        assert after["loss"][0] < before["loss"][0]


@pytest.mark.slow
def test_a_population_exploits_in_memory(tmp_path, monkeypatch):
    kwargs = {
        "kind": kt_hpo.PopulationBasedTraining, "population_size": 4, "max_epochs": 3,
        "hypermodel": one_size, "seed": 1,
    }  # fmt: skip
    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "go_on_from", None)
        in_memory = searched(tmp_path / "memory", **kwargs)
    monkeypatch.setattr(state_cache.StateCache, "get", lambda self, trial_id, execution: None)
    from_files = searched(tmp_path / "files", **kwargs)
    assert_same(in_memory, from_files)
    values = [trial.user_attrs["values"] for trial in in_memory.study.trials]
    assert sum("tuner/trial_id" in one for one in values) >= 4
    assert in_memory.executor.notes == []
    for tuner in (in_memory, from_files):
        best = tuner.oracle.get_best_trials(1)[0]
        model = tuner.get_best_models()[0]
        assert loss(model) == pytest.approx(best.score, rel=1e-5)
        rate = float(model.optimizer.learning_rate)
        assert rate == pytest.approx(best.hyperparameters["rate"])


@pytest.mark.slow
def test_a_diverging_trial_touches_no_other(tmp_path):
    def explosive(hp):
        rate = hp.Float("rate", 1e-3, 1e-1, sampling="log")
        model = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dense(1)])
        model.compile(keras.optimizers.SGD(rate if rate < 0.006 else 1e9), "mse")
        return model

    kwargs = {"hypermodel": explosive, "max_trials": 4, "seed": 1}
    tuner = searched(tmp_path / "4", **kwargs)
    states = [trial.state.name for trial in tuner.study.trials]
    assert states.count("FAIL") and states.count("COMPLETE")
    alone = searched(tmp_path / "1", executor=kt_hpo.Vectorized(k=1), **kwargs)
    for one, other in zip(tuner.study.trials, alone.study.trials, strict=True):
        assert one.state == other.state
        assert one.values == pytest.approx(other.values, rel=1e-5) if one.values else True
    failed = tuner.study.trials[states.index("FAIL")]
    assert "learning rate" in failed.user_attrs["traceback"]


def test_a_build_that_fails_fails_alone(tmp_path):
    def broken(hp):
        if hp.Int("units", 2, 4) == 3:
            raise RuntimeError("no three")
        return without_dropout(hp)

    tuner = searched(
        tmp_path, hypermodel=broken, max_trials=6, seed=2, max_consecutive_failed_trials=6
    )
    for trial in tuner.study.trials:
        assert (trial.state.name == "FAIL") == (trial.params["units"] == 3)
    assert {trial.state.name for trial in tuner.study.trials} == {"FAIL", "COMPLETE"}


SIZES = {"hypermodel": without_dropout, "max_trials": 6}


@pytest.fixture(scope="module")
def two_at_once(tmp_path_factory):
    """A search that trains two groups at the same time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine.Engine, "_groups_at_once", lambda self: 2)
        return searched(tmp_path_factory.mktemp("two"), **SIZES)


@pytest.mark.slow
def test_groups_at_the_same_time_are_what_each_is_alone(two_at_once, tmp_path, monkeypatch):
    monkeypatch.setattr(engine.Engine, "_groups_at_once", lambda self: 1)
    assert_same(two_at_once, searched(tmp_path, **SIZES))
    assert {trial.state.name for trial in two_at_once.study.trials} == {"COMPLETE"}


@pytest.mark.slow
def test_ctrl_c_ends_groups_that_train_at_the_same_time(two_at_once, tmp_path, monkeypatch):
    class Interrupting(keras.callbacks.LearningRateScheduler):
        """Presses Ctrl-C in the second epoch."""

        def __init__(self):
            super().__init__(self.pressed)

        def pressed(self, epoch, rate):
            if epoch == 1:
                os.kill(os.getpid(), signal.SIGINT)
            return rate

    monkeypatch.setattr(eligibility, "_CALLBACKS", (*eligibility._CALLBACKS, Interrupting))
    with pytest.raises(KeyboardInterrupt):
        searched(tmp_path, fit=FIT | {"callbacks": [Interrupting]}, **SIZES)
    resumed = made(tmp_path, **SIZES)
    assert {trial.state.name for trial in resumed.study.trials} == {"RUNNING"}
    resumed.search(X, Y, **FIT)
    assert_same(resumed, two_at_once)


class Stopping(kt_hpo.RandomSearch):
    """Stops every second trial after its second epoch."""

    def report(self, trial, epoch, metrics):
        goes_on = super().report(trial, epoch, metrics)
        return goes_on and (epoch < 1 or int(trial.trial_id) % 2 == 0)


@pytest.mark.slow
def test_a_trial_that_is_told_to_stop_stops_and_the_others_go_on(whole, tmp_path, monkeypatch):
    def compacts(self, remaining, compiling):
        return not all(slot.running for slot in self._slots)

    kept = searched(tmp_path / "kept", kind=Stopping)
    monkeypatch.setattr(group.Group, "_is_worth_compacting", compacts)
    compacted = searched(tmp_path / "compacted", kind=Stopping)
    assert [len(history[0]["epoch"]) for history in histories(kept)] == [3, 2, 3, 2]
    assert_same(compacted, kept)
    assert histories(whole)[0][0]["loss"] == pytest.approx(histories(kept)[0][0]["loss"])
    for tuner in (kept, compacted):
        trial = tuner.oracle.get_best_trials(1)[0]
        assert loss(tuner.get_best_models()[0]) == pytest.approx(trial.score, rel=1e-5)


@pytest.mark.slow
def test_known_callbacks_do_what_they_do_in_fit(tmp_path):
    fit = FIT | {"epochs": 6, "shuffle": False, "batch_size": 100}
    fit["callbacks"] = [
        keras.callbacks.EarlyStopping("val_accuracy", patience=2),
        keras.callbacks.ReduceLROnPlateau("val_accuracy", factor=0.1, patience=1),
    ]
    kwargs = {"fit": fit, "max_trials": 2}
    ours = searched(tmp_path / "ours", hypermodel=without_dropout, **kwargs)
    hypermodel = eagerly(without_dropout)
    theirs = searched(tmp_path / "theirs", hypermodel=hypermodel, executor=None, **kwargs)
    assert_same(ours, theirs, relative=1e-4)
    assert ours.executor.notes == []
    rates = [history[0]["learning_rate"] for history in histories(ours)]
    assert any(rate[0] > rate[-1] for rate in rates)


@pytest.mark.slow
def test_executions_are_averaged(tmp_path):
    kwargs = {"fit": FIT | {"shuffle": False}, "executions_per_trial": 2, "max_trials": 1}
    ours = searched(tmp_path / "ours", hypermodel=without_dropout, **kwargs)
    theirs = searched(
        tmp_path / "theirs", hypermodel=eagerly(without_dropout), executor=None, **kwargs
    )
    assert [t.value for t in ours.study.trials] == pytest.approx(
        [t.value for t in theirs.study.trials], rel=1e-4
    )
    assert len(histories(ours)[0]) == 2


@pytest.mark.slow
def test_a_killed_search_goes_on_as_if_it_was_not(whole, tmp_path):
    class Killed(kt_hpo.RandomSearch):
        def report(self, trial, epoch, metrics):
            if (int(trial.trial_id), epoch) == (3, 1):
                raise KeyboardInterrupt
            return super().report(trial, epoch, metrics)

    kwargs = {"executor": kt_hpo.Vectorized(k=2)}
    with pytest.raises(KeyboardInterrupt):
        searched(tmp_path, kind=Killed, **kwargs)
    resumed = made(tmp_path, kind=kt_hpo.RandomSearch, **kwargs)
    states = [trial.state.name for trial in resumed.study.trials]
    assert states == ["COMPLETE"] * 2 + ["RUNNING"] * 2
    resumed.search(X, Y, **FIT)
    assert_same(resumed, whole)
    assert [t.params for t in resumed.study.trials] == [t.params for t in whole.study.trials]


@pytest.mark.slow
def test_dropout_gives_the_same_distribution_of_scores(tmp_path):
    def fixed(hp):
        hp.Float("unused", 0, 1)
        model = keras.Sequential([keras.Input((4,)), layers.Dense(8, activation="relu")])
        model.add(layers.Dropout(0.5))
        model.add(layers.Dense(1, activation="sigmoid"))
        model.compile(keras.optimizers.SGD(0.5), loss="binary_crossentropy")
        return model

    fit = FIT | {"batch_size": 100}
    kwargs = {"executor": kt_hpo.Vectorized(k=24), "max_trials": 24, "early_stopping": None}
    tuner = searched(tmp_path, hypermodel=fixed, fit=fit, **kwargs)
    ours, theirs = [history for [history] in histories(tuner)], []
    model = fixed(kt_hpo.HyperParameters())  # Traced once.
    for trial in tuner.oracle.trials.values():
        keras.utils.set_random_seed(seed_of(tuner.oracle.seed, trial))
        model.set_weights(fixed(kt_hpo.HyperParameters()).get_weights())
        theirs.append(model.fit(X, Y, **fit).history)
    samples = [[min(each["val_loss"]) for each in curves] for curves in (ours, theirs)]
    assert scipy.stats.ks_2samp(*samples).pvalue > 0.05
    # Initial weights are the same in pairs: what differs is order and masks alone.
    assert np.corrcoef(*samples)[0, 1] > 0.5
    training = [[each["loss"][-1] for each in curves] for curves in (ours, theirs)]
    assert scipy.stats.ks_2samp(*training).pvalue > 0.05


@pytest.mark.slow
@pytest.mark.parametrize("pruner", ["asha", pytest.param("median", marks=pytest.mark.slow)])
def test_pruners_stop_trials_in_a_group(pruner, tmp_path):
    kwargs = {"max_trials": 12, "pruner": pruner, "fit": FIT | {"epochs": 8}}
    # The median is that of trials that have ended: of the first six.
    tuner = searched(tmp_path, executor=kt_hpo.Vectorized(k=6), **kwargs)
    states = [trial.state.name for trial in tuner.study.trials]
    assert set(states) == {"COMPLETE", "PRUNED"}
    for trial in tuner.study.trials:
        epochs = len(trial.user_attrs["history"][0]["epoch"])
        assert (epochs < 8) == (trial.state.name == "PRUNED")
        assert len(trial.intermediate_values) == epochs
    best = tuner.oracle.get_best_trials(1)[0]
    assert loss(tuner.get_best_models()[0]) == pytest.approx(best.score, rel=1e-5)


@pytest.mark.slow
def test_several_objectives_keep_the_weights_of_the_best(tmp_path):
    tuner = searched(
        tmp_path, objective=["val_loss", "val_accuracy"], keep_checkpoints=2, max_trials=3
    )
    for trial in tuner.oracle.get_best_trials(2):
        assert tuner.load_model(trial).built
    assert len(list(tmp_path.rglob("checkpoint.weights.h5"))) == 2
