"""Libraries of which one name is used: what is done without it."""

from types import SimpleNamespace

import numpy as np
import pytest
import sklearn.utils.validation
from _private_apis.hiding import hide
from bayes_opt import BayesianOptimization
from bayes_opt.acquisition import AcquisitionFunction

import kt_hpo
from kt_hpo._private_apis import tensorflow_datasets as ours
from kt_hpo._private_apis.argparse import option_names
from kt_hpo._private_apis.sklearn import checked_weights
from kt_hpo._private_apis.tensorflow_datasets import names_in_package, shows_progress
from kt_hpo._private_apis.wandb import stop_agent
from kt_hpo.cli.parser import Parser


class Parabola(kt_hpo.BayesOptSearch):
    def run_trial(self, trial):
        hp = trial.hyperparameters
        return (hp.Float("x", -1, 1) - 0.3) ** 2 + abs(hp.Int("n", 1, 3) - 2)


def test_bayesian_optimization_without_its_names_searches_by_itself(tmp_path, monkeypatch):
    own = AcquisitionFunction._smart_minimize
    calls = []

    def renamed(self, *args, **kwargs):
        calls.append(self)
        return own(self, *args, **kwargs)

    hide(monkeypatch, BayesianOptimization, "_gp")
    hide(monkeypatch, AcquisitionFunction, "_smart_minimize")
    monkeypatch.setattr(AcquisitionFunction, "_smart_minimize", renamed)
    tuner = Parabola(max_trials=12, seed=0, directory=tmp_path)
    tuner.search(verbose=0)
    assert calls
    assert tuner.study.best_value < 0.2


@pytest.mark.parametrize(("weights", "expected"), [([1, 2], [1.0, 2.0]), (3, [3.0, 3.0])])
def test_weights_are_checked_without_scikit_learns_own(weights, expected, monkeypatch):
    samples = np.zeros((2, 1))
    assert checked_weights(weights, samples).tolist() == expected
    monkeypatch.delattr(sklearn.utils.validation, "_check_sample_weight")
    assert checked_weights(weights, samples).tolist() == expected
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        checked_weights([1.0], samples)


def test_an_agent_that_cannot_be_stopped_says_so():
    assert not stop_agent(SimpleNamespace())
    agent = SimpleNamespace(_exit_flag=False)
    assert stop_agent(agent)
    assert agent._exit_flag


def test_progress_is_shown_where_nobody_knows():
    modules = SimpleNamespace(core=SimpleNamespace(utils=SimpleNamespace(tqdm_utils=None)))
    assert shows_progress(modules)


def test_an_option_is_refused_without_a_hint(capsys):
    parser = Parser(prog="kt-hpo")
    parser.add_argument("--seed")
    assert "--seed" in option_names(parser)
    assert option_names(SimpleNamespace()) == []
    with pytest.raises(SystemExit):
        parser.parse_args(["--sed", "1"])
    assert "--seed" in capsys.readouterr().err


def test_every_data_set_of_tfds_is_among_the_names_in_its_files(monkeypatch):
    import tensorflow_datasets as tfds

    names_in_package.cache_clear()
    builders = set(tfds.list_builders(with_community_datasets=False))
    modules = {name: tfds.builder_cls(name).__module__ for name in builders}
    package = {name for name in builders if modules[name].startswith("tensorflow_datasets.")}
    assert len(package) > 100
    assert package <= names_in_package()
    names_in_package.cache_clear()
    monkeypatch.setattr(ours, "find_spec", lambda name: None)
    assert names_in_package() is None
    names_in_package.cache_clear()
