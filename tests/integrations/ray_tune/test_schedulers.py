"""Ray's schedulers run a hypermodel, or what is as quick, in actors, and all is recorded."""

import pytest
from kt_hpo.ray import load_model, param_space, trainable
from optuna.trial import TrialState
from ray import tune
from ray.tune.schedulers import (
    ASHAScheduler,
    HyperBandScheduler,
    MedianStoppingRule,
    PopulationBasedTraining,
)
from ray.tune.schedulers.pb2 import PB2
from ray.tune.search.optuna import OptunaSearch
from ray_curves import Descent, fit
from ray_experiments import DATA, X, Y, noisy

import kt_hpo
from kt_hpo.oracle.trials import trial_id_of
from kt_hpo.plots import plot_lineage
from kt_hpo.record.status import search_status

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("ray"),
    pytest.mark.usefixtures("local_ray"),
]
GOOD, BAD = 0.05, 1e-6
# One actor, in which trials take turns: each needs all of Ray's processors.
IN_TURNS = tune.with_resources(Descent, {"cpu": 2})


def epochs_of(trial):
    return sorted(trial.intermediate_values)


def rate_of(trial):
    return trial.user_attrs["values"]["rate"]


def test_asha_stops_what_is_hopeless_and_actors_are_reused(tmp_path):
    space = param_space(noisy) | {"outputs": 1, "rate": tune.grid_search([GOOD, 0.04, BAD, BAD])}
    scheduler = ASHAScheduler(max_t=4, grace_period=1, reduction_factor=2)
    run = {"checkpoint_config": tune.CheckpointConfig(checkpoint_at_end=True)}
    made = trainable(noisy, X, Y, epochs=4, **DATA)
    results, study = fit(made, tmp_path, space, scheduler, run=run, max_concurrent_trials=1)
    assert not results.errors
    assert len({result.metrics["pid"] for result in results}) == 1  # TensorFlow, once an actor.
    good = [trial for trial in study.trials if trial.params["rate"] > BAD]
    bad = [trial for trial in study.trials if trial.params["rate"] == BAD]
    assert [epochs_of(trial) for trial in bad] == [[0], [0]]
    assert {trial.state for trial in bad} == {TrialState.PRUNED}
    [best] = [trial for trial in good if trial == study.best_trial]
    assert epochs_of(best) == [0, 1, 2, 3]
    assert best.params == {"outputs": 1, "rate": best.params["rate"]}
    assert best.user_attrs["parameters"] == 49
    assert {"loss", "val_loss", "epoch"} <= best.user_attrs["history"][0].keys()
    standing = search_status(tmp_path / "r")
    assert (standing.state, standing.planned) == ("finished", 4)
    assert kt_hpo.report(tmp_path / "r").exists()

    result = results.get_best_result("val_loss", "min", scope="last")
    model = load_model(noisy, result)
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(result.metrics["val_loss"], rel=1e-5)


class Pauses(tune.Callback):
    """Counts how often a trial is seen that waits."""

    seen = 0

    def on_step_end(self, iteration, trials, **info):
        Pauses.seen += sum(trial.status == "PAUSED" for trial in trials)


def test_hyperband_pauses_trials_that_go_on_as_if_nothing_had_happened(tmp_path):
    # Ray fills a bracket that pauses nobody first, with three trials.
    rates = [GOOD, 0.04, 0.03, 0.02, 1e-3, BAD]
    space = {"rate": tune.grid_search(rates)}
    Pauses.seen = 0
    scheduler = HyperBandScheduler(max_t=4, reduction_factor=2)
    _, study = fit(IN_TURNS, tmp_path, space, scheduler, callbacks=[Pauses()])
    assert Pauses.seen > 0
    assert len(study.trials) == 6  # A pause is no end.
    for trial in study.trials:
        alone = {n: (1 - 10 * rate_of(trial)) ** (n + 1) for n in range(len(epochs_of(trial)))}
        assert trial.intermediate_values == pytest.approx(alone)
    assert study.best_trial.state == TrialState.COMPLETE and len(epochs_of(study.best_trial)) == 4


def test_an_exploiting_trial_goes_on_from_the_weights_of_the_other(tmp_path):
    space = {"rate": tune.grid_search([GOOD, BAD])}
    scheduler = PopulationBasedTraining(
        "training_iteration",
        perturbation_interval=1,
        hyperparam_mutations={"rate": param_space(noisy)["rate"]},
        quantile_fraction=0.5,
        resample_probability=0,
    )
    _, study = fit(IN_TURNS, tmp_path, space, scheduler)
    donor, behind = sorted(study.trials[:2], key=rate_of, reverse=True)
    child = study.trials[2]
    place = child.user_attrs["values"]
    assert place["tuner/trial_id"] == trial_id_of(donor.number) and place["tuner/member"] == 1
    assert (place["tuner/generation"], place["tuner/initial_epoch"]) == (1, 2)
    assert epochs_of(behind) == [0, 1] and epochs_of(child)[0] == 2
    assert place["rate"] in [pytest.approx(GOOD * by) for by in (0.8, 1.2)]
    there, here = donor.intermediate_values, child.intermediate_values
    assert here[2] == pytest.approx(there[1] * (1 - 10 * place["rate"]))
    assert {trial.state for trial in study.trials} == {TrialState.COMPLETE}
    assert search_status(tmp_path / "r").state == "finished"
    assert plot_lineage(study).get_xlabel() == "epoch"


def test_pb2_chooses_within_its_bounds(tmp_path):
    scheduler = PB2(
        "training_iteration",
        perturbation_interval=1,
        hyperparam_bounds={"rate": [1e-4, 1e-1]},
        quantile_fraction=0.5,
    )
    space = {"rate": tune.grid_search([GOOD, 1e-4])}
    _, study = fit(IN_TURNS, tmp_path, space, scheduler)
    changed = [t for t in study.trials if "tuner/trial_id" in t.user_attrs["values"]]
    assert changed and all(1e-4 <= rate_of(trial) <= 1e-1 for trial in changed)


def test_optuna_proposes_and_the_median_rule_stops(tmp_path):
    points = [{"rate": rate} for rate in (GOOD, 0.04, BAD, BAD)]
    searcher = OptunaSearch(seed=0, points_to_evaluate=points)
    rule = MedianStoppingRule("training_iteration", grace_period=1, min_samples_required=2)
    limited = {"search_alg": searcher, "max_concurrent_trials": 2}
    space = {"rate": param_space(noisy)["rate"]}
    results, study = fit(IN_TURNS, tmp_path, space, rule, samples=5, **limited)
    assert not results.errors
    hopeless = [trial for trial in study.trials if rate_of(trial) == BAD]
    assert [len(trial.intermediate_values) for trial in hopeless] == [1, 1]
    assert {rate_of(trial) for trial in study.trials} >= {GOOD, 0.04}
    assert (search_status(tmp_path / "r").planned, len(study.trials)) == (5, 5)


def test_bohb_proposes_and_its_hyperband_pauses(tmp_path):
    pytest.importorskip("hpbandster", reason="pip install hpbandster ConfigSpace")
    from ray.tune.schedulers import HyperBandForBOHB
    from ray.tune.search.bohb import TuneBOHB

    space = {"rate": param_space(noisy)["rate"]}
    scheduler = HyperBandForBOHB("training_iteration", max_t=4, reduction_factor=2)
    limited = {"search_alg": TuneBOHB(seed=0), "max_concurrent_trials": 2}
    results, study = fit(IN_TURNS, tmp_path, space, scheduler, samples=6, **limited)
    assert not results.errors and len(study.trials) == 6
    assert {trial.state for trial in study.trials} == {TrialState.COMPLETE, TrialState.PRUNED}
    assert epochs_of(study.best_trial) == [0, 1, 2, 3]
