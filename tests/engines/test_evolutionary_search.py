import tempfile

import keras_tuner
import numpy as np
import optuna
import pytest
from keras_tuner.engine.trial import TrialStatus
from kt_hpo.oracles import EvolutionarySearchOracle, RandomSearchOracle
from scipy.stats import wilcoxon

import kt_hpo
from kt_hpo.objectives import with_objective
from kt_hpo.space.hyperparameters import HyperParameters

OBJECTIVE = keras_tuner.Objective("score", "min")
PARENT = "tuner/parent"


def sphere_space():
    hp = HyperParameters()
    for axis in range(5):
        hp.Float(f"x{axis}", -5, 5)
    return hp


def sphere(values):
    return sum((values[f"x{axis}"] - 1) ** 2 for axis in range(5))


def network_space():
    hp = HyperParameters()
    hp.Int("layers", 1, 4)
    for layer in range(4):
        with hp.conditional_scope("layers", list(range(layer + 1, 5))):
            hp.Int(f"units_{layer}", 4, 256, sampling="log")
    hp.Float("rate", 1e-5, 1, sampling="log")
    hp.Choice("activation", ["relu", "tanh", "elu", "gelu"])
    return hp


def network(values):
    """As if three layers of 64, 32 and 16 units were right."""
    layers = values["layers"]
    wrong = sum(abs(np.log2(values[f"units_{i}"] / (64 >> i))) for i in range(layers)) / layers
    rate = abs(np.log10(values["rate"] / 3e-3))
    return abs(layers - 3) + wrong + rate + 0.5 * (values["activation"] != "gelu")


def opened(folder=None, kind=EvolutionarySearchOracle, space=network_space, **kwargs):
    kwargs = {"objective": OBJECTIVE, "max_trials": 40, "seed": 0} | kwargs
    oracle = kind(hyperparameters=space(), **kwargs)
    if folder is None:
        oracle.storage = optuna.storages.InMemoryStorage()
    oracle._set_project_dir(folder or tempfile.mkdtemp(), "search")
    oracle.reload()
    return oracle


def end(oracle, trial, function=network, status=TrialStatus.COMPLETED):
    metrics = function(trial.hyperparameters.values)
    metrics = metrics if isinstance(metrics, dict) else {"score": metrics}
    oracle.update_trial(trial.trial_id, with_objective(oracle.objective, metrics))
    trial.status = status
    oracle.end_trial(trial)


def run(oracle, function=network, trials=None):
    while trials is None or trials > 0:
        trial = oracle.create_trial("tuner0")
        if trial.status == TrialStatus.STOPPED:
            break
        end(oracle, trial, function)
        trials = trials and trials - 1
    return [dict(trial.hyperparameters.values) for trial in oracle.trials.values()]


def best(kind, seed):
    oracle = opened(kind=kind, space=sphere_space, seed=seed, max_trials=100)
    run(oracle, sphere)
    assert len(oracle.trials) == 100
    return min(trial.score for trial in oracle.trials.values())


def test_evolution_beats_random_search():
    evolved = [best(EvolutionarySearchOracle, seed) for seed in range(10)]
    drawn = [best(RandomSearchOracle, seed) for seed in range(10)]
    assert wilcoxon(evolved, drawn, alternative="less").pvalue < 0.05


def test_each_trial_is_a_mutation_of_its_parent():
    oracle = opened(population_size=8)
    found = run(oracle)
    assert all(PARENT not in values for values in found[:8])
    for number, values in enumerate(found[8:], start=8):
        parent = found[int(values[PARENT])]
        common = (parent.keys() & values.keys()) - {PARENT}
        assert sum(parent[name] != values[name] for name in common) == 1
        assert number - 8 <= int(values[PARENT]) < number


def test_the_oldest_dies_though_it_is_the_best():
    oracle = opened(population_size=4, sample_size=4, max_trials=12)
    run(oracle, lambda values: float(len(oracle.trials)))
    assert [trial.trial_id for trial in oracle.population] == ["0008", "0009", "0010", "0011"]
    assert oracle.get_best_trials(1)[0].trial_id == "0000"
    parents = [int(t.hyperparameters.values[PARENT]) for t in list(oracle.trials.values())[4:]]
    assert all(number - 4 <= parent < number for number, parent in enumerate(parents, start=4))


def test_a_larger_sample_is_greedier():
    def parents_rank(sample_size):
        ranks = []
        for seed in range(20):
            oracle = opened(population_size=16, sample_size=sample_size, max_trials=17, seed=seed)
            last = run(oracle)[-1]
            first = list(oracle.trials.values())[:16]
            order = sorted(first, key=lambda trial: trial.score)
            ranks.append([trial.trial_id for trial in order].index(last[PARENT]))
        return np.mean(ranks)

    assert parents_rank(16) < parents_rank(4) < parents_rank(1)


def test_with_several_objectives_no_parent_is_dominated():
    objectives = [keras_tuner.Objective("small", "min"), keras_tuner.Objective("large", "max")]

    def measure(values):
        return {"small": values["x0"] ** 2, "large": -((values["x0"] - 2) ** 2) - values["x1"] ** 2}

    oracle = opened(space=sphere_space, objective=objectives, population_size=40, max_trials=41)
    oracle.sample_size = 400  # Larger than can be given, so that all are in it.
    run(oracle, measure)
    trials = list(oracle.trials.values())
    parent = oracle.trials[trials[-1].hyperparameters.values[PARENT]]
    values = [tuple(measure(trial.hyperparameters.values).values()) for trial in trials[:40]]
    small, large = measure(parent.hyperparameters.values).values()
    assert not any(s <= small and g >= large and (s, g) != (small, large) for s, g in values)


def test_the_same_seed_gives_the_same_trials():
    first = run(opened(seed=3))
    assert first == run(opened(seed=3))
    assert first != run(opened(seed=4))


@pytest.mark.parametrize("stop", [3, 20])
def test_an_interrupted_search_goes_on_as_if_it_was_not(stop, tmp_path):
    whole = run(opened(tmp_path / "whole", max_trials=25))
    run(opened(tmp_path / "parts", max_trials=25), trials=stop)
    interrupted = opened(tmp_path / "parts", max_trials=25)
    interrupted.create_trial("tuner0")  # Killed while this one runs.
    assert run(opened(tmp_path / "parts", max_trials=25)) == whole


def test_only_active_values_are_proposed():
    for values in run(opened()):
        units = {name for name in values if name.startswith("units")}
        assert units == {f"units_{layer}" for layer in range(values["layers"])}


def small_space():
    hp = HyperParameters()
    hp.Int("a", 1, 3)
    with hp.conditional_scope("a", [2]):
        hp.Boolean("b")
    return hp


def test_an_exhausted_space_ends_the_search():
    found = run(opened(space=small_space, population_size=2), lambda values: values["a"])
    configurations = [(values["a"], values.get("b")) for values in found]
    assert sorted(configurations, key=str) == [(1, None), (2, False), (2, True), (3, None)]


def test_a_child_of_two_parents_is_tried_once():
    hp = HyperParameters()
    hp.Int("a", 1, 30)
    found = run(opened(space=lambda: hp, population_size=4), lambda values: abs(values["a"] - 15))
    assert len({values["a"] for values in found}) == len(found) > 15


def test_failed_trials_have_no_children_and_a_search_without_any_goes_on():
    oracle = opened(population_size=4, max_trials=30, max_consecutive_failed_trials=40)
    for number in range(30):
        trial = oracle.create_trial("tuner0")
        failed = number < 6 or number % 3 == 0
        end(oracle, trial, status=TrialStatus.FAILED if failed else TrialStatus.COMPLETED)
    ended = {t.trial_id: t.status for t in oracle.trials.values()}
    parents = [t.hyperparameters.values.get(PARENT) for t in oracle.trials.values()]
    assert parents[:8] == [None] * 8
    assert {ended[parent] for parent in parents[8:]} == {TrialStatus.COMPLETED}


def test_pruned_trials_have_no_children():
    oracle = opened(population_size=4, max_trials=20)
    oracle.pruner = optuna.pruners.ThresholdPruner(upper=3.0)
    oracle.record.study.pruner = oracle.pruner
    while (trial := oracle.create_trial("tuner0")).status != TrialStatus.STOPPED:
        oracle.report(trial.trial_id, 0, {"score": network(trial.hyperparameters.values)})
        end(oracle, trial)
    statuses = {trial.trial_id: trial.status for trial in oracle.trials.values()}
    assert {"PRUNED", "COMPLETED"} == set(statuses.values())
    parents = {t.hyperparameters.values.get(PARENT) for t in oracle.trials.values()} - {None}
    assert {statuses[parent] for parent in parents} == {"COMPLETED"}


def test_trials_may_run_at_the_same_time():
    oracle = opened(population_size=4, max_trials=20)
    while True:
        running = [oracle.create_trial(f"tuner{worker}") for worker in range(3)]
        running = [trial for trial in running if trial.status == TrialStatus.RUNNING]
        for trial in reversed(running):
            end(oracle, trial)
        if not running:
            break
    assert len(oracle.trials) == 20
    assert [trial.trial_id for trial in oracle.population] == oracle.end_order[-4:]


def test_a_past_search_is_the_first_population(tmp_path):
    past = opened(tmp_path / "past", kind=RandomSearchOracle)
    run(past)
    oracle = opened(tmp_path / "new", population_size=5, max_trials=1)
    oracle.begin_from(past.record.study)
    trial = oracle.create_trial("tuner0")
    best = sorted(past.trials.values(), key=lambda trial: trial.score)[:5]
    population = [trial.score for trial in oracle.population]
    assert population == [trial.score for trial in reversed(best)]
    assert trial.hyperparameters.values[PARENT] in {t.trial_id for t in oracle.population}


def test_enqueued_values_may_have_children():
    oracle = opened(population_size=4, sample_size=4, max_trials=8)
    good = {"layers": 1, "units_0": 64, "rate": 3e-3, "activation": "gelu"}
    oracle.enqueue(good)
    found = run(oracle, lambda values: float(values != good))
    assert found[0] == good
    assert "0000" in {values.get(PARENT) for values in found}


def test_the_lineage_is_in_the_record_and_disturbs_nothing(tmp_path):
    class Sphere(kt_hpo.EvolutionarySearch):
        def run_trial(self, trial, *args, **kwargs):
            return sphere(trial.hyperparameters.values)

    tuner = Sphere(max_trials=15, hyperparameters=sphere_space(), seed=0, directory=tmp_path)
    tuner.search(verbose=0)
    recorded = [trial.user_attrs.get("values", {}) for trial in tuner.study.trials]
    assert [set(values) for values in recorded] == [set()] * 5 + [{PARENT}] * 10
    assert set(tuner.study.best_params) == {f"x{axis}" for axis in range(5)}
    assert tuner.get_best_hyperparameters()[0]["x0"] == tuner.study.best_params["x0"]
    assert len(tuner.to_dataframe()) == 15


def test_it_works_in_a_plain_keras_tuner(tmp_path):
    class Plain(keras_tuner.Tuner):
        def run_trial(self, trial, *args, **kwargs):
            return {"score": sphere(trial.hyperparameters.values)}

    oracle = EvolutionarySearchOracle(OBJECTIVE, 12, hyperparameters=sphere_space(), seed=0)
    Plain(oracle, directory=tmp_path, project_name="plain").search()
    assert len(oracle.trials) == 12
    assert PARENT in oracle.trials["0011"].hyperparameters.values


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"population_size": 0}, "population_size=0"),
        ({"population_size": 2.5}, "population_size=2.5"),
        ({"sample_size": -1}, "sample_size=-1"),
        ({"sample_size": True}, "sample_size=True"),
        ({"population_size": 5, "sample_size": 6}, "sample_size=6 is larger"),
    ],
)
def test_sizes_are_checked(kwargs, message):
    with pytest.raises(ValueError, match=message):
        EvolutionarySearchOracle(OBJECTIVE, **kwargs)


@pytest.mark.parametrize(("trials", "size"), [(10, 5), (50, 10), (None, 20), (5000, 100)])
def test_the_population_grows_with_the_search(trials, size):
    assert EvolutionarySearchOracle(OBJECTIVE, trials).population_size == size
