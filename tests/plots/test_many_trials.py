"""Thousands of trials are drawn in time."""

import time

import numpy as np
import optuna
import pytest
from matplotlib.figure import Figure
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial
from plots.studies import PLOTS_OF_STUDIES, study_of

from kt_hpo import plots

DISTRIBUTIONS = {
    "rate": FloatDistribution(1e-5, 1e-1, log=True),
    "units": IntDistribution(8, 512, log=True),
    "dropout": FloatDistribution(0, 0.5),
    "optimizer": CategoricalDistribution(["sgd", "adam", "rmsprop"]),
    "momentum": FloatDistribution(0, 1),
}


def place_in_population(number):
    """Where a trial stands in a population of a hundred."""
    age, member = divmod(number, 100)
    copied = number - 100 - (member % 4 == 0) * (member // 2)
    past = {"tuner/trial_id": f"{copied:04d}"} if age else {}
    return {"tuner/member": member, "tuner/initial_epoch": age, "tuner/epochs": age + 1} | past


def many_trials(kind, n):
    """A search of thousands of trials, a tenth of them failed or pruned, with ten epochs each."""
    random = np.random.default_rng(0)
    for number in range(n):
        params = {
            "rate": float(10 ** random.uniform(-5, -1)),
            "units": int(random.integers(8, 513)),
            "dropout": float(random.uniform(0, 0.5)),
            "optimizer": ["sgd", "adam", "rmsprop"][random.integers(3)],
        }
        if params["optimizer"] == "sgd":
            params["momentum"] = float(random.uniform())
        loss = abs(np.log10(params["rate"]) + 3) + random.gamma(2)
        curve = {epoch: loss + 9 / (epoch + 1) for epoch in range(10)}
        state = {0: TrialState.FAIL, 1: TrialState.PRUNED}.get(number % 20, TrialState.COMPLETE)
        yield create_trial(
            state=state,
            value=float(loss) if state == TrialState.COMPLETE else None,
            params=params,
            distributions={name: DISTRIBUTIONS[name] for name in params},
            intermediate_values=curve,
            user_attrs={"values": place_in_population(number)} if kind == "population" else None,
        )


def seconds_of_all_plots(study, directory):
    begin = time.process_time()
    for name in ("overview", *PLOTS_OF_STUDIES):
        if name == "overview":
            figure = plots.overview(study)
        else:
            figure = Figure(figsize=(7, 4.2), layout="constrained")
            getattr(plots, name)(study, figure.subplots())
        figure.savefig(directory / f"{name}.png")
    return time.process_time() - begin


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["plain", "population"])
def test_five_times_the_trials_take_less_than_four_times_as_long(kind, tmp_path):
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    few, many = (study_of(many_trials(kind, count)) for count in (1_000, 5_000))
    assert seconds_of_all_plots(many, tmp_path) < 4 * seconds_of_all_plots(few, tmp_path)
