"""Which trial is the best: the same one for the tuner, the tables, the plots and the status."""

from pathlib import Path

import keras
import numpy as np
import optuna
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from kt_hpo.oracles import RandomSearchOracle
from models import blobs, eager
from optuna.trial import create_trial

import kt_hpo
from kt_hpo.plots.search import Search
from kt_hpo.record import tables
from kt_hpo.record.best import best_first, best_so_far, level, order, pareto_front, standing
from kt_hpo.record.status import search_status
from kt_hpo.reports.advice import best_trials
from kt_hpo.reports.answer import answer
from kt_hpo.training import checkpoints

X, Y = blobs()
# Accuracy, loss and units of each trial. The best accuracy is there four times.
TIED = [(0.8, 0.1, 4), (0.9, 0.5, 4), (0.9, 0.3, 64), (0.9, 0.3, 8), (0.9, 0.3, 8), (0.7, 0.2, 1)]
BEST_FIRST = [3, 4, 2, 1, 0, 5]


class Tied(kt_hpo.RandomSearch):
    def run_trial(self, trial):
        trial.hyperparameters.Int("x", 0, 1000)
        accuracy, loss, units = TIED[int(trial.trial_id)]
        self.annotate(trial, parameters=units)
        return {"val_accuracy": accuracy, "val_loss": loss}


def searched(folder, **kwargs):
    tuner = Tied(objective="val_accuracy", max_trials=len(TIED), seed=0, directory=folder, **kwargs)
    tuner.search(verbose=0)
    return tuner


def numbers(trials):
    return [int(trial.trial_id) for trial in trials]


@pytest.mark.parametrize("reopened", [False, True])
def test_there_is_one_best_of_equal_ones(tmp_path, reopened, capsys):
    tuner = searched(tmp_path)
    if reopened:
        tuner = searched(tmp_path)
    study, search = tuner.study, Search.of(tuner)
    assert numbers(tuner.oracle.get_best_trials(6)) == BEST_FIRST
    values = [hp.values for hp in tuner.get_best_hyperparameters(6)]
    assert values == [study.trials[number].params for number in BEST_FIRST]
    assert search.best().number == BEST_FIRST[0]
    assert [trial.number for trial in best_first(study, study.trials)] == BEST_FIRST
    assert [trial.number for trial in best_trials(search)] == BEST_FIRST[:5]
    assert tables.best_trials(study)["trial"].tolist() == BEST_FIRST
    assert [one.number for one in search_status(tuner).best] == BEST_FIRST[:1]
    assert answer(search, None).trial.number == BEST_FIRST[0]
    capsys.readouterr()
    tuner.results_summary()
    said = "3 other trials have the same val_accuracy as trial 3, the earliest of them."
    assert said in capsys.readouterr().out
    assert search_status(tuner).level == said
    assert said in answer(search, None).remarks


def test_the_weights_of_the_best_of_equal_ones_are_kept(tmp_path):
    class Trained(Tied):
        def run_trial(self, trial):
            path = Path(self.get_trial_dir(trial.trial_id)) / checkpoints.BEST
            path.parent.mkdir(parents=True, exist_ok=True)
            keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]).save_weights(path)
            return super().run_trial(trial)

    tuner = Trained(objective="val_accuracy", max_trials=6, directory=tmp_path, keep_checkpoints=1)
    tuner.search(verbose=0)
    kept = [path.parent.name for path in Path(tuner.project_dir).rglob(checkpoints.BEST)]
    assert kept == ["trial_0003"]


# Loss and seconds of each trial. Two of the others dominate trials 0 and 1, and 4 takes too long.
SEVERAL = [(0.9, 1.0), (0.5, 5.0), (0.2, 2.0), (0.3, 0.5), (0.1, 9.0), (0.3, 0.5)]
BY_DOMINATION, FRONT = [3, 5, 2, 0, 1], [2, 3, 5]


class Several(kt_hpo.RandomSearch):
    def run_trial(self, trial):
        trial.hyperparameters.Int("x", 0, 1000)
        return dict(zip(("val_loss", "seconds"), SEVERAL[int(trial.trial_id)], strict=True))


@pytest.mark.parametrize("reopened", [False, True])
def test_there_is_one_best_of_several_objectives(tmp_path, reopened):
    objectives = [kt_hpo.Objective(name, "min") for name in ("val_loss", "seconds")]
    for _ in range(1 + reopened):
        tuner = Several(
            objective=objectives, max_trials=len(SEVERAL), constraint="seconds < 6", seed=0,
            directory=tmp_path,
        )  # fmt: skip
        tuner.search(verbose=0)
    study, search = tuner.study, Search.of(tuner)
    assert numbers(tuner.oracle.get_best_trials(6)) == BY_DOMINATION
    assert numbers(tuner.pareto_front()) == FRONT
    assert [trial.number for trial in best_first(study, study.trials)] == BY_DOMINATION
    assert [trial.number for trial in pareto_front(study, study.trials)] == FRONT
    assert tables.best_trials(study, 4)["trial"].tolist() == BY_DOMINATION[:4]
    assert search.best().number == BY_DOMINATION[0]
    assert [trial.number for trial in best_trials(search)] == BY_DOMINATION
    assert [one.number for one in search_status(tuner).best] == FRONT
    # What is drawn over the trials is the first objective, in which no line may go back.
    so_far = best_so_far(study, study.trials)
    assert [best.number for best in so_far.values()] == [0, 1, 2, 2, 2]


def test_the_best_of_any_objectives_is_the_least_standing():
    """Also where the sum of the objectives cannot tell them apart."""
    stream = np.random.default_rng(0)
    for losses in (stream.integers(0, 5, (100, 3)), 1e16 + stream.integers(0, 3, (50, 2))):
        standings = [standing(i, list(map(float, row)), {}) for i, row in enumerate(losses)]
        ordered = [standings[place] for place in order(standings)]
        assert ordered[0] == min(standings)
        for place, one in enumerate(ordered):
            assert not any(later.dominates(one) for later in ordered[place:])


@pytest.mark.parametrize(("objective", "sign"), [("val_accuracy", 1), ("val_mse", -1)])
def test_the_order_does_not_hang_on_when_trials_end(tmp_path, objective, sign):
    oracle = RandomSearchOracle(objective=objective, max_trials=len(TIED), seed=0)
    oracle.storage = optuna.storages.InMemoryStorage()
    oracle._set_project_dir(tmp_path, "search")
    oracle.reload()
    oracle.hyperparameters.Int("x", 0, 1000)
    trials = [oracle.create_trial(f"tuner{number}") for number in range(len(TIED))]
    for trial in reversed(trials):
        score, loss, units = TIED[int(trial.trial_id)]
        oracle.annotate(trial.trial_id, parameters=units)
        oracle.update_trial(trial.trial_id, {objective: sign * score, "val_loss": loss})
        trial.status = "COMPLETED"
        oracle.end_trial(trial)
    assert numbers(oracle.get_best_trials(6)) == BEST_FIRST
    study = oracle.record.study
    assert [trial.number for trial in best_first(study, study.trials)] == BEST_FIRST


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2)), max_size=40),
    st.integers(0, 45),
    st.sampled_from(["minimize", "maximize"]),
)
def test_a_few_of_the_best_are_the_first_of_all(values, count, direction):
    study = optuna.create_study(direction=direction)
    for value, loss in values:
        attributes = {"metrics": {"val_loss": float(loss)}}
        study.add_trial(create_trial(value=float(value), user_attrs=attributes))
    ordered = [trial.number for trial in best_first(study, study.trials)]
    assert [trial.number for trial in best_first(study, study.trials, count)] == ordered[:count]


def study_of(*trials):
    study = optuna.create_study()
    for value, attributes in trials:
        study.add_trial(create_trial(value=value, user_attrs=attributes))
    return study


def executed(value, error):
    return value, {"standard_error": {"loss": error}}


def test_what_is_level_is_told_by_the_standard_errors_of_executions():
    study = study_of(executed(0.50, 0.03), executed(0.53, 0.03), executed(0.56, 0.03))
    assert level(study, "loss") == (
        "1 other trial is level with trial 0 within the standard error of its executions, 0.03."
    )


def test_what_is_level_is_told_by_the_samples_of_an_accuracy():
    study = optuna.create_study(direction="maximize")
    study.add_trials([create_trial(value=value) for value in (0.93, 0.92, 0.9)])
    assert level(study, "val_accuracy") == ""
    study.set_user_attr("validation_samples", 750)
    assert level(study, "val_accuracy") == (
        "1 other trial is level with trial 0 within the standard error of an accuracy on 750 "
        "validation samples, 0.0093."
    )
    assert level(study, "val_auc") == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("data", "samples"),
    [
        ({"validation_split": 0.25}, 50),
        ({"validation_data": (X[:30], Y[:30])}, 30),
        ({"validation_data": (X[:30], Y[:30]), "validation_steps": 1}, None),
        ({"validation_data": tf.data.Dataset.from_tensor_slices((X, Y)).batch(50)}, None),
    ],
)
def test_a_search_knows_the_samples_it_validates_on(tmp_path, data, samples):
    tuner = kt_hpo.RandomSearch(eager, "val_accuracy", max_trials=1, directory=tmp_path)
    tuner.search(X, Y, batch_size=200, verbose=0, **data)
    assert tuner.study.user_attrs.get("validation_samples") == samples


@pytest.mark.parametrize(
    ("trials", "said"),
    [
        ([], ""),
        ([(0.5, {})], ""),
        ([(0.5, {}), (0.6, {})], ""),
        ([(0.5, {}), (0.5, {})], "1 other trial has the same loss as trial 0, the earliest"),
        ([(0.5, {}), (0.5, {"metrics": {"val_loss": 1.0}})], "trial 1, which has the lowest loss"),
        (
            [(0.5, {"parameters": 9}), (0.5, {"parameters": 3}), (0.5, {})],
            "2 other trials have the same loss as trial 1, which has the fewest parameters",
        ),
        ([(0.5, {"metrics": {"val_loss": float("nan")}}), (0.5, {})], "trial 0, the earliest"),
    ],
)
def test_why_one_of_equal_ones_is_the_best_is_said(trials, said):
    found = level(study_of(*trials), "loss")
    assert said in found and bool(found) == bool(said)


def test_what_breaks_a_constraint_or_is_not_finite_is_never_the_best():
    study = study_of((float("-inf"), {}), (0.5, {}))
    study.add_trial(create_trial(value=0.1, system_attrs={"constraints:size": 1.0}))
    assert [trial.number for trial in best_first(study, study.trials)] == [1]
    several = optuna.create_study(directions=["minimize", "minimize"])
    several.add_trials([create_trial(values=both) for both in ([0.1, float("inf")], [0.5, 2.0])])
    assert [trial.number for trial in pareto_front(several, several.trials)] == [1]
    assert standing(0, [0.1, float("inf")], {}) > standing(1, [0.5, 2.0], {})
