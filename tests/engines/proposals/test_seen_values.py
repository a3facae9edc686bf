"""Samplers see the order of values, and propose only what the code asks for."""

import math

import numpy as np
import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

import kt_hpo
from kt_hpo.engines.proposals.mutation import mutate
from kt_hpo.engines.proposals.samplers import SAMPLERS
from kt_hpo.engines.proposals.seen_values import SeenPlaces, SeenValues
from kt_hpo.space import domain
from kt_hpo.space.kinds import Boolean, Choice, Float, Int

MULTIPLIED = Int("units", 16, 300, step=2, sampling="log")
UNITS = [16, 32, 64, 128, 256]


@st.composite
def hyperparameters(draw):
    kind = draw(st.sampled_from(["choice", "words", "int", "float", "boolean"]))
    if kind == "boolean":
        return Boolean("h")
    if kind == "words":
        return Choice("h", draw(st.lists(st.text(max_size=3), min_size=1, unique=True)))
    if kind == "choice":
        numbers = st.integers(-9, 9) | st.floats(-9, 9)
        return Choice("h", draw(st.lists(numbers, min_size=1, unique=True)))
    low = draw(st.integers(1, 20))
    high = low + draw(st.integers(0, 400))
    sampling = draw(st.sampled_from(["linear", "log", "reverse_log"]))
    step = draw(st.none() | st.integers(1 if sampling == "linear" else 2, 8))
    return {"int": Int, "float": Float}[kind]("h", low, high, step=step, sampling=sampling)


@given(hyperparameters(), st.floats(0, 1))
def test_a_value_is_its_own_again(hyperparameter, place):
    value = hyperparameter.prob_to_value(place)
    for seen in (SeenValues(), SeenPlaces()):
        shown = seen.to_seen(hyperparameter, value)
        assert domain.contains(seen.distribution(hyperparameter), shown)
        again = seen.to_value(hyperparameter, shown)
        assert again == value or math.isclose(again, value, rel_tol=1e-9)


def test_what_has_an_order_is_seen_by_its_place():
    places = SeenPlaces()
    for hyperparameter, distribution in [
        (Choice("c", [64, 16, 32]), IntDistribution(0, 2)),
        (Choice("c", [64, 16]), CategoricalDistribution([64, 16])),
        (Choice("c", [64, 16, 32], ordered=False), CategoricalDistribution([64, 16, 32])),
        (Choice("c", ["a", "b", "c"]), CategoricalDistribution(["a", "b", "c"])),
        (Boolean("b"), CategoricalDistribution([False, True])),
        (MULTIPLIED, IntDistribution(0, 4)),
        (Float("f", 0.1, 0.9, sampling="reverse_log"), FloatDistribution(0, 1)),
        (Int("i", 2, 8, step=2), IntDistribution(2, 8, step=2)),
    ]:
        assert places.distribution(hyperparameter) == distribution
    assert [places.to_value(Choice("c", [64, 16, 32]), place) for place in range(3)] == [16, 32, 64]


class Ordered(kt_hpo.OptunaSearch):
    """The best of ordered choices lies between worse ones."""

    def run_trial(self, trial):
        hp = trial.hyperparameters
        units, steps = hp.Choice("units", UNITS), hp.Int("steps", 1, 1000, step=10, sampling="log")
        with hp.conditional_scope("units", [64, 128]):
            share = hp.Float("share", 0.1, 0.9, sampling="reverse_log") if 50 < units < 150 else 1
        kind = hp.Choice("kind", ["a", "b"])
        return abs(UNITS.index(units) - 2) + abs(len(str(steps)) - 2) + share + (kind == "b")


def searched(folder, sampler="tpe", **kwargs):
    tuner = Ordered(sampler=sampler, seed=0, directory=folder, **{"max_trials": 15, **kwargs})
    tuner.search(verbose=0)
    return tuner


@pytest.mark.parametrize("sampler", sorted({*SAMPLERS} - {"gp", "brute_force"}))
@pytest.mark.filterwarnings("ignore:.*at random")
def test_only_what_the_code_asks_for_is_proposed_and_recorded(sampler, tmp_path):
    trials = searched(tmp_path, sampler).study.trials
    for trial in trials:
        assert trial.params["units"] in UNITS and trial.params["steps"] in (1, 10, 100, 1000)
        assert trial.distributions["units"] == CategoricalDistribution(UNITS)
    assert len({str(trial.params) for trial in trials}) == len(trials)


def test_a_sampler_of_the_users_own_sees_the_values_and_keeps_to_the_steps(tmp_path):
    class Own(optuna.samplers.RandomSampler):
        def sample_independent(self, study, trial, name, distribution):
            seen.append((name, distribution))
            return super().sample_independent(study, trial, name, distribution)

    seen = []
    trials = searched(tmp_path, Own(seed=0), max_trials=8).study.trials
    assert ("units", CategoricalDistribution(UNITS)) in seen
    assert {trial.params["steps"] for trial in trials} <= {1, 10, 100, 1000}


def test_a_search_goes_on_as_it_would_have(tmp_path):
    expected = [trial.params for trial in searched(tmp_path / "whole").study.trials]
    searched(tmp_path / "parts", max_trials=9)
    assert [t.params for t in searched(tmp_path / "parts").study.trials] == expected


def test_cmaes_searches_ordered_choices(tmp_path):
    with pytest.warns(UserWarning, match="draws .*kind") as told:
        searched(tmp_path, "cmaes")
    assert not any("units" in str(warning.message).split(" at random")[0] for warning in told)


def test_an_order_helps(tmp_path):
    """Of twenty places without other help the best is found in fewer trials."""
    levels = [2**n for n in range(20)]

    class Line(kt_hpo.OptunaSearch):
        def run_trial(self, trial):
            hp = trial.hyperparameters
            return sum(abs(levels.index(hp.Choice(name, levels)) - 13) for name in "abc")

    def best(name, sampler, seed):
        tuner = Line(
            sampler=sampler, max_trials=40, seed=seed, directory=tmp_path / f"{name}{seed}"
        )
        tuner.search(verbose=0)
        return tuner.study.best_value

    class Unordered(optuna.samplers.TPESampler):
        """Of another class, so that it sees the values."""

    def unordered():
        return Unordered(multivariate=True, group=True, constant_liar=True)

    ordered = [best("ordered", "tpe", seed) for seed in range(3)]
    assert sum(ordered) < sum(best("unordered", unordered(), seed) for seed in range(3)) / 1.5


def test_enqueued_values_are_tried(tmp_path):
    known = kt_hpo.HyperParameters()
    known.Choice("units", UNITS)
    tuner = Ordered(max_trials=1, seed=0, directory=tmp_path, hyperparameters=known)
    tuner.enqueue({"units": 256})
    tuner.search(verbose=0)
    assert tuner.study.trials[0].params["units"] == 256


def test_an_ordered_choice_moves_near_in_evolution():
    hp, stream = kt_hpo.HyperParameters(), np.random.default_rng(0)
    hp.Choice("units", UNITS)
    moved = [UNITS.index(mutate(hp, {"units": 64}, stream)["units"]) for _ in range(200)]
    near = sum(place in (1, 3) for place in moved)
    assert 2 not in moved and near > 120 and {0, 4} <= {*moved}
