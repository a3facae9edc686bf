"""Population-based training on the paper's toy problem, where training is one line."""

import keras_tuner
import numpy as np
import optuna
import pytest
from keras_tuner.engine.trial import TrialStatus
from kt_hpo.oracles import PopulationBasedTrainingOracle, RandomSearchOracle
from scipy.stats import wilcoxon

from kt_hpo.engines.proposals.perturbation import explore, perturbed
from kt_hpo.space.hyperparameters import HyperParameters
from kt_hpo.space.kinds import Boolean, Choice, Float, Int

OBJECTIVE = keras_tuner.Objective("quality", "max")
EPOCHS = 20


def space():
    hp = HyperParameters()
    hp.Float("h0", 0.0, 1.0)
    hp.Float("h1", 0.0, 1.0)
    hp.Choice("kind", ["a", "b"])
    return hp


def opened(tmp_path, kind=PopulationBasedTrainingOracle, storage=None, **kwargs):
    kwargs = {"objective": OBJECTIVE, "seed": 0, "hyperparameters": space()} | kwargs
    oracle = kind(**kwargs)
    oracle.storage = storage or optuna.storages.InMemoryStorage()
    oracle._set_project_dir(tmp_path, "search")
    oracle.reload()
    return oracle


class Training:
    """Gradient ascent on a surrogate of the quality (Jaderberg et al. 2017, section 4.1.1).

    Keeps of the trials' ends what a tuner would keep on disk.
    """

    def __init__(self):
        self.ends = {}

    def run(self, oracle, trials=None, fail=(), prune=()):
        count = 0
        while trials is None or count < trials:
            trial = oracle.create_trial("tuner0")
            if trial.status == TrialStatus.STOPPED:
                break
            number = int(trial.trial_id)
            if number in prune:
                oracle._stopped.add(trial.trial_id)
            self.end(oracle, trial, failed=number in fail)
            count += 1
        return [dict(trial.hyperparameters.values) for trial in oracle.trials.values()]

    def end(self, oracle, trial, failed=False):
        values = trial.hyperparameters.values
        source = values.get("tuner/trial_id")
        theta = np.full(2, 0.9) if source is None else self.ends[source]
        steps = values.get("tuner/epochs", EPOCHS) - values.get("tuner/initial_epoch", 0)
        for _ in range(steps):
            theta = theta * (1 - 0.04 * np.array([values["h0"], values["h1"]]))
        if failed:
            trial.status, trial.message = TrialStatus.FAILED, "RuntimeError: no"
        else:
            self.ends[trial.trial_id] = theta
            oracle.update_trial(trial.trial_id, {"quality": 1.2 - float((theta**2).sum())})
            trial.status = TrialStatus.COMPLETED
        oracle.end_trial(trial)
        kept = oracle.checkpoints_needed()
        self.ends = {name: end for name, end in self.ends.items() if name in kept}


def own(values):
    return {name: value for name, value in values.items() if not name.startswith("tuner/")}


def generation(oracle, number):
    """The trials of a generation by their members."""
    return {
        trial.hyperparameters.values["tuner/member"]: trial
        for trial in oracle.trials.values()
        if trial.hyperparameters.values["tuner/generation"] == number
    }


def test_every_member_lives_every_interval(tmp_path):
    oracle = opened(tmp_path, population_size=4, max_epochs=7, ready_interval=3)
    assert oracle.planned_trials == 12
    lived = Training().run(oracle)
    assert len(lived) == 12
    for number, epochs in enumerate([(0, 3), (3, 6), (6, 7)]):
        trials = generation(oracle, number)
        assert sorted(trials) == [0, 1, 2, 3]
        for trial in trials.values():
            values = trial.hyperparameters.values
            assert (values["tuner/initial_epoch"], values["tuner/epochs"]) == epochs


def test_the_worst_copy_the_best_and_explore(tmp_path):
    oracle = opened(tmp_path, max_epochs=6, resample_probability=0)
    Training().run(oracle)
    sources = set()
    for number in range(1, 6):
        before = generation(oracle, number - 1)
        ranked = sorted(before, key=lambda member: -before[member].score)
        for member, trial in generation(oracle, number).items():
            values = trial.hyperparameters.values
            source = oracle.trials[values["tuner/trial_id"]].hyperparameters.values
            if member in ranked[:6]:
                assert source["tuner/member"] == member
                assert own(values) == own(source)
                continue
            sources.add(ranked.index(source["tuner/member"]))
            assert values["kind"] == source["kind"]
            for name in ("h0", "h1"):
                allowed = [min(factor * source[name], 1.0) for factor in (0.8, 1.2)]
                assert values[name] in allowed
    assert sources == {0, 1}


def test_values_are_resampled_as_often_as_told(tmp_path):
    stream = np.random.default_rng(0)
    values = {"h0": 0.5, "h1": 0.5, "kind": "b"}
    found = [explore(space(), values, ["h0"], [0.8, 1.2], 0.25, stream) for _ in range(1000)]
    assert {(each["h1"], each["kind"]) for each in found} == {(0.5, "b")}
    assert {0.4, 0.6} < {each["h0"] for each in found}
    resampled = [each["h0"] for each in found if each["h0"] not in (0.4, 0.6)]
    assert 200 < len(resampled) < 300
    assert 0 <= min(resampled) < 0.05 and 0.95 < max(resampled) <= 1


def test_quantile_0_copies_nothing(tmp_path):
    oracle = opened(tmp_path, max_epochs=3, quantile=0)
    Training().run(oracle)
    for number in (1, 2):
        before = generation(oracle, number - 1)
        for member, trial in generation(oracle, number).items():
            values = trial.hyperparameters.values
            assert values["tuner/trial_id"] == before[member].trial_id
            assert own(values) == own(before[member].hyperparameters.values)


def test_the_same_seed_gives_the_same_trials(tmp_path):
    first, second, other = (Training().run(opened(tmp_path, seed=s)) for s in (3, 3, 4))
    assert first == second
    assert len(first) == 160
    assert not {values["h0"] for values in first} & {values["h0"] for values in other[:8]}


@pytest.mark.parametrize("stop", [1, 9, 30])
def test_an_interrupted_search_goes_on_as_if_it_was_not(stop, tmp_path):
    fail = {2, 12, 13}
    whole = Training().run(opened(tmp_path, max_epochs=5), fail=fail)
    storage, training = optuna.storages.InMemoryStorage(), Training()
    training.run(opened(tmp_path, max_epochs=5, storage=storage), trials=stop, fail=fail)
    opened(tmp_path, max_epochs=5, storage=storage).create_trial("tuner0")  # Killed meanwhile.
    last = opened(tmp_path, max_epochs=5, storage=storage, seed=None)
    assert training.run(last, fail=fail) == whole


@pytest.mark.parametrize("how", ["fail", "prune"])
def test_a_member_that_fails_copies_a_good_one(how, tmp_path):
    oracle = opened(tmp_path, max_epochs=4)
    lived = Training().run(oracle, **{how: {0, 9, 10, 21}})
    assert len(lived) == oracle.planned_trials
    for number in range(1, 4):
        before = generation(oracle, number - 1)
        good = [t for t in before.values() if t.status == TrialStatus.COMPLETED]
        for member, trial in generation(oracle, number).items():
            source = oracle.trials[trial.hyperparameters.values["tuner/trial_id"]]
            assert source.status == TrialStatus.COMPLETED
            if before[member].status != TrialStatus.COMPLETED:
                assert source.score >= sorted(t.score for t in good)[-2]


def test_a_population_that_fails_at_its_start_is_drawn_anew(tmp_path):
    oracle = opened(tmp_path, population_size=3, max_epochs=3, max_consecutive_failed_trials=9)
    lived = Training().run(oracle, fail={0, 1, 2})
    assert [values["tuner/initial_epoch"] for values in lived] == [0, 0, 0, 0, 0, 0, 1, 1, 1]
    assert all("tuner/trial_id" not in values for values in lived[:6])
    assert len({values["h0"] for values in lived[:6]}) == 6


def test_enqueued_values_are_what_a_member_begins_with(tmp_path):
    oracle = opened(tmp_path, population_size=2, max_epochs=2)
    for h0 in (0.1, 0.2, 0.3):
        oracle.enqueue({"h0": h0})
    lived = Training().run(oracle)
    assert [values["h0"] for values in lived[:2]] == [0.1, 0.2]
    assert [values["tuner/member"] for values in lived] == [0, 1, 0, 1]
    assert len(lived) == oracle.planned_trials


def test_members_do_not_wait_for_a_slow_one(tmp_path):
    oracle, training = opened(tmp_path, population_size=3, max_epochs=4), Training()
    slow = oracle.create_trial("slow")
    training.run(oracle, trials=8)
    assert oracle.create_trial("tuner0").status == TrialStatus.IDLE
    training.end(oracle, slow)
    lived = training.run(oracle)
    assert len(lived) == 12
    for values in lived:  # The slow one took nothing over from those ahead of it.
        assert values["tuner/initial_epoch"] == values["tuner/generation"]


def test_parallel_trials_never_miss_a_checkpoint(tmp_path):
    oracle, training = opened(tmp_path, population_size=6, max_epochs=8), Training()
    stream, running, most = np.random.default_rng(0), {}, 0
    while True:
        for worker in ("a", "b", "c"):
            if worker not in running:
                trial = oracle.create_trial(worker)
                if trial.status == TrialStatus.RUNNING:
                    running[worker] = trial
        if not running:
            break
        members = [trial.hyperparameters.values["tuner/member"] for trial in running.values()]
        assert len(set(members)) == len(members)
        trial = running.pop(stream.choice(sorted(running)))
        training.end(oracle, trial, failed=stream.random() < 0.1)
        most = max(most, len(training.ends))
    assert len(oracle.trials) == 48
    assert 6 <= most <= 18
    assert not training.ends


def test_a_space_smaller_than_the_population(tmp_path):
    hp = HyperParameters()
    hp.Fixed("h0", 0.5)
    hp.Fixed("h1", 0.5)
    hp.Boolean("flag")
    oracle = opened(tmp_path, population_size=5, max_epochs=2, hyperparameters=hp)
    assert len(Training().run(oracle)) == 10


@pytest.mark.parametrize(
    ("hyperparameter", "value", "lower", "higher"),
    [
        (Float("x", 0.0, 1.0), 0.5, 0.4, 0.6),
        (Float("x", 0.45, 0.55), 0.5, 0.45, 0.55),
        (Float("x", 0, 0.5, step=0.1), 0.2, 0.1, 0.3),
        (Float("x", 0, 0.5, step=0.1), 0.5, 0.4, 0.5),
        (Int("x", 1, 64), 10, 8, 12),
        (Int("x", 1, 64), 1, 1, 2),
        (Int("x", 16, 128, step=16), 64, 48, 80),
        (Int("x", 1, 1000, sampling="log"), 100, 80, 120),
        (Int("x", 1, 16, step=2, sampling="log"), 4, 2, 8),
        (Choice("x", ["a", "b", "c"]), "b", "a", "c"),
        (Choice("x", ["a", "b", "c"]), "c", "b", "c"),
        (Choice("x", [8, 32, 128]), 32, 8, 128),
        (Boolean("x"), True, True, False),
    ],
)
def test_perturbed_values_stay_in_the_space(hyperparameter, value, lower, higher):
    for factor, expected in ((0.8, lower), (1.2, higher)):
        found = perturbed(hyperparameter, value, factor)
        assert found == (pytest.approx(expected) if isinstance(expected, float) else expected)
        assert type(found) is type(value)


def test_a_choice_of_scope_is_perturbed_with_what_depends_on_it():
    hp = HyperParameters()
    hp.Choice("kind", ["a", "b"])
    with hp.conditional_scope("kind", ["a"]):
        hp.Float("of_a", 0.0, 1.0)
    with hp.conditional_scope("kind", ["b"]):
        hp.Float("of_b", 0.0, 1.0)
    values = {"kind": "a", "of_a": 0.5}
    found = explore(hp, values, ["kind"], [1.2], 0.0, np.random.default_rng(0))
    assert found.keys() == {"kind", "of_b"}
    assert found["kind"] == "b"


def test_only_what_is_named_is_perturbed(tmp_path):
    oracle = opened(tmp_path, max_epochs=4, perturb="h1", resample_probability=0)
    lived = Training().run(oracle)
    assert len({values["h0"] for values in lived}) == 8
    assert len({values["h1"] for values in lived}) > 8


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"population_size": 1}, "population_size=1 .* from 2 on"),
        ({"max_epochs": 0}, "max_epochs=0"),
        ({"ready_interval": 0.5}, "ready_interval=0.5"),
        ({"quantile": 0.6}, r"quantile=0.6 .* to 0.5"),
        ({"resample_probability": -0.1}, "resample_probability=-0.1"),
        ({"perturbation_factors": ()}, r"perturbation_factors=\(\)"),
        ({"perturbation_factors": (1.2, 0)}, "perturbation_factors=.*positive"),
    ],
)
def test_wrong_arguments_are_early_errors(kwargs, message):
    with pytest.raises(ValueError, match=message):
        PopulationBasedTrainingOracle(OBJECTIVE, **kwargs)


def test_a_wrong_name_to_perturb_is_an_error_before_any_trial(tmp_path):
    oracle = opened(tmp_path, perturb=["h0", "h2"])
    with pytest.raises(ValueError, match=r"'h2', which is no hyperparameter.*h0, h1, kind"):
        oracle.create_trial("tuner0")


def test_a_plain_tuner_of_keras_tuner_runs_it(tmp_path):
    class Plain(keras_tuner.Tuner):
        def run_trial(self, trial):
            return -(trial.hyperparameters.get("h0") ** 2)

    oracle = PopulationBasedTrainingOracle(
        population_size=3, max_epochs=2, hyperparameters=space(), seed=0
    )
    Plain(oracle=oracle, directory=tmp_path).search()
    assert len(oracle.trials) == 6


def best(oracle):
    Training().run(oracle)
    return oracle.get_best_trials(1)[0].score


def test_it_beats_random_search_at_equal_epochs(tmp_path):
    population, random = [], []
    for seed in range(10):
        population.append(best(opened(tmp_path, seed=seed, max_epochs=EPOCHS)))
        random.append(best(opened(tmp_path, RandomSearchOracle, seed=seed, max_trials=8)))
    assert wilcoxon(population, random, alternative="greater").pvalue < 0.01
    optimum = 1.2 - 2 * (0.9 * 0.96**EPOCHS) ** 2
    assert optimum - 0.1 < np.median(population) < optimum
