"""Both engines of Bayesian optimization."""

import keras_tuner
import pytest

import kt_hpo


class Parabola(kt_hpo.BayesianOptimization):
    def run_trial(self, trial):
        return trial.hyperparameters.Float("x", -1, 1) ** 2


@pytest.mark.parametrize("engine", ["keras_tuner", "optuna"])
def test_both_engines_search(engine, tmp_path):
    tuner = Parabola(max_trials=8, num_initial_points=6, seed=0, engine=engine, directory=tmp_path)
    tuner.search(verbose=0)
    theirs = isinstance(tuner.oracle, keras_tuner.oracles.BayesianOptimizationOracle)
    assert theirs == (engine == "keras_tuner")
    assert len(tuner.study.trials) == 8
    assert tuner.study.best_value < 0.1


class Plain(kt_hpo.Tuner):
    run_trial = Parabola.run_trial


def test_keras_tuners_own_oracle_searches_alike(tmp_path):
    kwargs = {"max_trials": 8, "num_initial_points": 6, "seed": 1}
    objective = keras_tuner.Objective("default_objective", "min")
    theirs = keras_tuner.oracles.BayesianOptimizationOracle(objective, **kwargs)
    tuners = [
        Parabola(directory=tmp_path / "ours", **kwargs),
        Plain(theirs, directory=tmp_path / "theirs"),
    ]
    for tuner in tuners:
        tuner.search(verbose=0)
    ours, found = ([trial.params for trial in tuner.study.trials] for tuner in tuners)
    assert found == ours


def test_wrong_engines_are_early_errors():
    with pytest.raises(ValueError, match="'keras_tuner' or 'optuna'"):
        Parabola(engine="gp")
    with pytest.raises(ValueError, match="TPE has neither"):
        Parabola(engine="optuna", beta=1.0)
