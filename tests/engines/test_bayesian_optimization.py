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


def test_wrong_engines_are_early_errors():
    with pytest.raises(ValueError, match="'keras_tuner' or 'optuna'"):
        Parabola(engine="gp")
    with pytest.raises(ValueError, match="TPE has neither"):
        Parabola(engine="optuna", beta=1.0)
