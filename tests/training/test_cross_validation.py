from pathlib import Path

import keras
import keras_tuner
import numpy as np
import pandas as pd
import pytest
from models import Drawn, blobs, eager
from searches import UntilPromoted
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit, TimeSeriesSplit

import kt_hpo
from kt_hpo.training.cross_validation import classes_of, make_folds, rows, select

X, Y = blobs(90)


FIT = {"batch_size": 90, "epochs": 2, "verbose": 0}


def tuner_for(tmp_path, hypermodel=eager, **kwargs):
    arguments = {"objective": "val_loss", "max_trials": 2, "seed": 0, "directory": tmp_path}
    return kt_hpo.RandomSearch(hypermodel, **{**arguments, **kwargs})


@pytest.mark.slow
def test_the_folds_are_those_of_model_fit(tmp_path):
    """The objective is the mean over trainings of Keras on the folds, one by one."""
    tuner = tuner_for(tmp_path, cross_validation=KFold(3), max_trials=1)
    tuner.search(X, Y, **FIT)
    [trial] = tuner.study.trials
    assert [set(row) for row in trial.user_attrs["executions"]] == [{"metrics", "best_epoch"}] * 3
    expected = []
    for place, (train, held) in enumerate(KFold(3).split(X)):
        keras.utils.clear_session()
        seed = np.random.SeedSequence([0, 0, 0, place] if place else [0, 0, 0])
        keras.utils.set_random_seed(int(seed.generate_state(1)[0]))
        model = eager(tuner.get_best_hyperparameters()[0])
        history = model.fit(X[train], Y[train], validation_data=(X[held], Y[held]), **FIT)
        expected.append(min(history.history["val_loss"]))
    measured = [row["metrics"]["val_loss"] for row in trial.user_attrs["executions"]]
    assert measured == pytest.approx(expected, rel=1e-5)
    assert trial.value == pytest.approx(np.mean(expected), rel=1e-5)
    error = np.std(expected, ddof=1) / np.sqrt(3)
    assert trial.user_attrs["standard_error"]["val_loss"] == pytest.approx(error, rel=1e-4)
    assert len(trial.user_attrs["history"]) == 3


def test_a_number_of_folds_is_stratified_where_the_targets_are_classes():
    y = np.repeat([0, 1, 2], [60, 20, 10])
    for targets in (y, np.eye(3)[y], np.array(["a", "b", "c"])[y]):
        for fold in make_folds(5, np.zeros((90, 1)), targets, None, seed=3):
            assert np.bincount(y[fold.validation]).tolist() == [12, 4, 2]
            assert not set(fold.train) & set(fold.validation)
    folds = make_folds(5, np.zeros((90, 1)), np.linspace(0, 1, 90), None, seed=3)
    assert sorted(np.concatenate([fold.validation for fold in folds])) == list(range(90))
    again = make_folds(5, np.zeros((90, 1)), np.linspace(0, 1, 90), None, seed=3)
    assert all(np.array_equal(a.train, b.train) for a, b in zip(folds, again, strict=True))


def test_a_splitter_without_a_seed_gets_that_of_the_search():
    def validated(seed):
        splitter = ShuffleSplit(2, test_size=0.3)
        return [fold.validation.tolist() for fold in make_folds(splitter, X, Y, None, seed)]

    assert validated(1) == validated(1) != validated(2)


def test_groups_stay_together_and_time_goes_on(tmp_path):
    groups = np.repeat(np.arange(30), 3)
    tuner = tuner_for(tmp_path, cross_validation=GroupKFold(3), max_trials=1)
    tuner.search(X, Y, groups=groups, **FIT | {"epochs": 1})
    assert len(tuner.study.trials[0].user_attrs["executions"]) == 3
    for fold in make_folds(GroupKFold(3), X, Y, groups, seed=0):
        assert not set(groups[fold.train]) & set(groups[fold.validation])
    for fold in make_folds(TimeSeriesSplit(4), X, Y, None, seed=0):
        assert fold.train.max() < fold.validation.min()


def test_arrays_of_every_kind_are_split():
    fold = make_folds([([0, 1], [2])], np.zeros((3, 1)), None, None, seed=0)[0]
    tree = {"a": np.arange(3), "b": pd.Series([5, 6, 7], index=[9, 8, 7])}
    assert rows(tree, fold.train)["b"].tolist() == [5, 6]
    tensor = keras.ops.convert_to_tensor([1.0, 2.0, 3.0])
    args, kwargs = select(((tree, tensor), {"sample_weight": np.array([1, 2, 3])}), fold)
    assert args[0]["a"].tolist() == [0, 1]
    assert kwargs["sample_weight"].tolist() == [1, 2]
    held_x, held_y, held_weight = kwargs["validation_data"]
    assert (held_x["a"].tolist(), held_y.tolist(), held_weight.tolist()) == ([2], [3.0], [3])


def test_classes_are_told_from_values():
    assert classes_of(np.array([[0], [1]])).tolist() == [0, 1]
    assert classes_of(np.array([[0.2, 0.8], [0.5, 0.5]])) is None
    assert classes_of({"a": np.array([1]), "b": np.array([2])}) is None


@pytest.mark.slow
def test_an_interrupted_trial_goes_on_with_its_next_fold(tmp_path):
    trained = []

    class Cut(keras_tuner.HyperModel):
        uses_model_fit = True
        left = 1

        def build(self, hp):
            return eager(hp)

        def fit(self, hp, model, *args, **kwargs):
            if self.left == 0:
                raise KeyboardInterrupt
            self.left -= 1
            trained.append(len(args[0]))
            return model.fit(*args, **kwargs)

    fit, options = FIT | {"epochs": 1}, {"cross_validation": 2, "max_trials": 1}
    whole = tuner_for(tmp_path, project_name="whole", **options)
    whole.search(X, Y, **fit)
    with pytest.raises(KeyboardInterrupt):
        tuner_for(tmp_path, Cut(), **options).search(X, Y, **fit)
    hypermodel = Cut()
    hypermodel.left = 9
    tuner = tuner_for(tmp_path, hypermodel, **options)
    tuner.search(X, Y, **fit)
    assert len(trained) == 2
    assert tuner.study.trials[0].value == pytest.approx(whole.study.trials[0].value)
    assert len(tuner.study.trials[0].user_attrs["history"]) == 2


def test_a_trial_interrupted_behind_its_last_fold_is_only_ended(tmp_path):
    class Cut(kt_hpo.RandomSearch):
        def annotate(self, trial, **attributes):
            super().annotate(trial, **attributes)
            if len(attributes.get("executions", [])) == 2:
                raise KeyboardInterrupt

    fit = FIT | {"epochs": 1}
    arguments = {"max_trials": 1, "seed": 0, "directory": tmp_path, "cross_validation": 2}
    with pytest.raises(KeyboardInterrupt):
        Cut(eager, "val_loss", **arguments).search(X, Y, **fit)
    trained = []
    tuner = tuner_for(tmp_path, cross_validation=2, max_trials=1)
    tuner.search(X, Y, callbacks=[lambda: trained.append(1) or keras.callbacks.Callback()], **fit)
    assert not trained
    [trial] = tuner.study.trials
    values = [row["metrics"]["val_loss"] for row in trial.user_attrs["executions"]]
    assert trial.value == pytest.approx(np.mean(values))
    assert trial.user_attrs["parameters"] > 0
    assert tuner.get_best_models()[0].predict(X, verbose=0).shape == (90, 1)


def test_wilcoxon_prunes_between_folds(tmp_path):
    """The second trial is worse on every fold."""
    tuner = tuner_for(tmp_path, Drawn(), cross_validation=6, pruner="wilcoxon", max_trials=2)
    tuner.enqueue({"learns": True, "units": 16, "rate": 0.01})
    tuner.enqueue({"learns": False, "units": 16, "rate": 0.01})
    tuner.search(X, Y, verbose=0)
    good, bad = tuner.study.trials
    assert (good.state.name, bad.state.name) == ("COMPLETE", "PRUNED")
    assert list(good.intermediate_values) == list(range(6))
    assert 2 < len(bad.user_attrs["executions"]) < 6


def assert_two_folds(tuner):
    assert tuner.study.trials
    for trial in tuner.study.trials:
        values = [row["metrics"]["val_loss"] for row in trial.user_attrs["executions"]]
        assert len(values) == 2
        assert trial.value == pytest.approx(np.mean(values))
    assert len(list(Path(tuner.directory).rglob("log_1.csv"))) == len(tuner.study.trials)


@pytest.mark.slow
def test_hyperband_goes_on_with_each_fold_where_that_fold_ended(tmp_path):
    """A fold that went on from another one would know the samples it is validated on."""
    begun = []

    class Begun(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            begun.append([array.copy() for array in self.model.get_weights()])

        def on_train_end(self, logs=None):
            begun.append([array.copy() for array in self.model.get_weights()])

    tuner = UntilPromoted(
        eager, "val_loss", max_epochs=2, factor=2, seed=0, directory=tmp_path, csv_log=True,
        cross_validation=2,
    )  # fmt: skip
    tuner.search(X, Y, batch_size=90, verbose=0, callbacks=[Begun])
    assert_two_folds(tuner)
    pairs = list(zip(begun[::2], begun[1::2], strict=True))
    trials = tuner.study.trials
    child = trials[-1]
    parent = int(child.user_attrs["values"]["tuner/trial_id"])
    for fold in range(2):
        ended, went_on = pairs[2 * parent + fold][1], pairs[2 * child.number + fold][0]
        assert all(np.allclose(a, b) for a, b in zip(ended, went_on, strict=True))


ENGINES = {
    kt_hpo.GridSearch: {"max_trials": 1},
    kt_hpo.BayesianOptimization: {"max_trials": 1},
    kt_hpo.OptunaSearch: {"max_trials": 1},
    kt_hpo.PopulationBasedTraining: {"population_size": 2, "max_epochs": 2},
}


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.__name__)
def test_every_engine_trains_this_way(engine, tmp_path):
    tuner = engine(
        eager, "val_loss", seed=0, directory=tmp_path, cross_validation=2, csv_log=True,
        **ENGINES[engine],
    )  # fmt: skip
    fit = {"epochs": 1} if "max_trials" in ENGINES[engine] else {}
    tuner.search(X, Y, batch_size=90, verbose=0, **fit)
    assert_two_folds(tuner)


@pytest.mark.parametrize(
    ("options", "fit", "message"),
    [
        ({"cross_validation": 1}, {}, "cross_validation=1"),
        ({"cross_validation": "5"}, {}, "cross_validation='5'"),
        ({"cross_validation": [1, 2, 3]}, {}, "cross_validation="),
        ({"cross_validation": 3}, {"validation_split": 0.2}, "validation_split="),
        ({"cross_validation": 300}, {}, "n_splits=300"),
        ({"cross_validation": [([0], [900])]}, {}, "beyond the 90 samples"),
        ({"cross_validation": GroupKFold(3)}, {}, "groups"),
        ({}, {"validation_split": 0.2, "groups": np.zeros(90)}, "GroupKFold"),
    ],
)
def test_what_cannot_be_split_is_an_error_before_any_training(options, fit, message, tmp_path):
    with pytest.raises((ValueError, TypeError), match=message):
        tuner_for(tmp_path, **options).search(X, Y, epochs=1, verbose=0, **fit)
    with pytest.raises(ValueError, match="as arrays"):
        import tensorflow as tf

        data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(8)
        tuner_for(tmp_path, cross_validation=3).search(data, verbose=0)
