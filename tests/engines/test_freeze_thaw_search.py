"""Freeze-thaw search: what goes on, what it costs, what it finds."""

import random
from pathlib import Path
from typing import ClassVar

import keras
import optuna
import pytest
from conformance.searches import OBJECTIVE, end, opened
from keras_tuner.engine.trial import TrialStatus
from models import blobs, eager
from scipy.stats import wilcoxon

import kt_hpo
from kt_hpo import oracles
from kt_hpo.cli import main
from kt_hpo.complete_search import is_over
from kt_hpo.engines import freeze_thaw_search
from kt_hpo.pruning import check_pruner, make_pruner
from kt_hpo.record.status import search_status
from kt_hpo.space.hyperparameters import HyperParameters
from kt_hpo.training import checkpoints

X, Y = blobs()


def space():
    hp = HyperParameters()
    hp.Float("rate", 1e-4, 1.0, sampling="log")
    hp.Float("dropout", 0.0, 0.9)
    hp.Choice("kind", ["a", "b", "c"])
    return hp


def curve(values, epoch):
    """A loss that falls by a power of the epoch, the sooner the larger the rate."""
    rate = values["rate"]
    end = 0.1 + (values["dropout"] - 0.3) ** 2 + {"a": 0.0, "b": 0.2, "c": 0.1}[values["kind"]]
    return end + 20 * max(rate - 0.1, 0) + (1 + epoch * rate / 0.02) ** -0.7


def oracle_of(max_trials=10, max_epochs=20, seed=0, **arguments):
    return oracles.FreezeThawSearchOracle(
        OBJECTIVE, max_trials, max_epochs, seed=seed, hyperparameters=space(), **arguments
    )


def train(oracle, trial):
    values = trial.hyperparameters.values
    epochs = range(values.get("tuner/initial_epoch", 0), values.get("tuner/epochs", 20))
    end(oracle, trial, min(curve(values, epoch) for epoch in epochs))


def search(oracle):
    return search_on(opened(oracle, optuna.storages.InMemoryStorage()))


def search_on(oracle):
    while (trial := oracle.create_trial("tuner0")).status == TrialStatus.RUNNING:
        train(oracle, trial)
    return oracle


def parts(oracle):
    return [trial.hyperparameters.values for trial in oracle.trials.values()]


def test_the_epochs_of_full_trainings_are_spent_and_no_more():
    oracle = search(oracle_of(max_trials=4, max_epochs=9))
    spent = [one["tuner/epochs"] - one["tuner/initial_epoch"] for one in parts(oracle)]
    assert sum(spent) == 4 * 9
    assert oracle.planned_trials is None
    assert oracle.epoch_budget == (36, 36)
    assert oracle_of(max_trials=None).epoch_budget is None


def test_a_budget_counts_the_trials_that_have_ended():
    oracle = opened(oracle_of(max_trials=4, max_epochs=9), optuna.storages.InMemoryStorage())
    first = oracle.create_trial("tuner0")
    assert oracle.epoch_budget == (0, 36)
    train(oracle, first)
    oracle.create_trial("tuner0")
    assert oracle.epoch_budget == (1, 36)


def test_a_training_goes_on_where_it_paused_and_few_are_whole():
    oracle = search(oracle_of())
    begun = [one for one in parts(oracle) if "tuner/trial_id" not in one]
    for values in parts(oracle):
        if "tuner/trial_id" in values:
            before = oracle.trials[values["tuner/trial_id"]].hyperparameters.values
            assert values["tuner/initial_epoch"] == before["tuner/epochs"]
            assert {n: values[n] for n in ("rate", "kind")} == {
                n: before[n] for n in ("rate", "kind")
            }
    whole = [one for one in parts(oracle) if one["tuner/epochs"] == 20]
    assert len(begun) > 20 > len(whole) > 0


def test_enqueued_values_that_come_first_are_trained_to_the_end_at_once():
    oracle = opened(oracle_of(max_trials=4), optuna.storages.InMemoryStorage())
    oracle.enqueue({"rate": 0.9, "kind": "b"})  # Of the worst there are.
    oracle.enqueue({"rate": 0.8, "kind": "b"})
    oracle = search_on(oracle)
    ends = [one["tuner/epochs"] for one in parts(oracle) if one["rate"] == 0.9]
    assert ends == oracle.pauses == [1, 3, 9, 20]
    begun = [one["rate"] for one in parts(oracle)[: len(ends) + 1]]
    assert sorted(begun) == [0.8] + [0.9] * 4
    later = [one["tuner/epochs"] for one in parts(oracle) if one["rate"] == 0.8]
    assert later == [1]


@pytest.mark.parametrize("seed", range(4))
def test_the_last_epochs_end_the_best_training(seed):
    ends = [one["tuner/epochs"] for one in parts(search(oracle_of(max_trials=1, seed=seed)))]
    assert ends == [1, 3, 9, 20]
    oracle = search(oracle_of(max_trials=3, seed=seed))
    oracle._paused()
    last = list(oracle.trials.values())[-1]
    # With its last epochs another may become the best, and none are left to end it.
    assert oracle._best[0].epochs == 20 or last in oracle._best[0].parts


def test_the_last_seconds_end_the_best_training():
    oracle = opened(oracle_of(max_trials=None), optuna.storages.InMemoryStorage())
    for _ in range(12):
        train(oracle, oracle.create_trial("tuner0"))
    oracle._paused()
    best = oracle._best[0]
    assert best.epochs < 20
    oracle.seconds_left = lambda: 0.0
    while best.epochs < 20:
        trial = oracle.create_trial("tuner0")
        source = oracle.trials[trial.hyperparameters.values["tuner/trial_id"]]
        train(oracle, trial)
        oracle._paused()
        assert trial in best.parts
        assert source in best.parts


def standing(oracle):
    """What the oracle knows of its trials: epochs left, who may go on, the best, what was seen."""
    paused = [training.number for training in oracle._paused()]
    points, losses = oracle._seen()
    best = [training.number for training in oracle._best]
    return oracle._left(), paused, best, [column.tolist() for column in points], losses.tolist()


def test_what_is_counted_as_trials_end_is_what_all_of_them_tell(monkeypatch):
    monkeypatch.setattr(freeze_thaw_search, "_KEPT", 4)
    stream, storage = random.Random(0), optuna.storages.InMemoryStorage()
    oracle = opened(oracle_of(max_retries_per_trial=0), storage)
    oracle.max_consecutive_failed_trials = 99
    for _ in range(45):
        trials = [oracle.create_trial(name) for name in "abc"]
        running = [trial for trial in trials if trial.status == TrialStatus.RUNNING]
        stream.shuffle(running)
        for trial in running[stream.randrange(2) :]:
            if stream.random() < 0.8:
                train(oracle, trial)
            else:
                trial.status, trial.message = TrialStatus.FAILED, "no"
                oracle.end_trial(trial)
    for trial in list(oracle.ongoing_trials.values()):
        train(oracle, trial)
    left, paused, best, _, losses = standing(oracle)
    assert left == 10 * 20 - sum(
        one["tuner/epochs"] - one["tuner/initial_epoch"] for one in parts(oracle)
    )
    trainings = oracle._trainings
    went_well = [one for one in trainings if one.losses]
    least = sorted(went_well, key=lambda one: min(one.losses.values()))
    assert best == [one.number for one in least[:8]]
    may_go_on = {
        one.number
        for epochs in oracle.pauses[:-1]
        for one in sorted(
            (one for one in went_well if epochs in one.losses), key=lambda one: one.losses[epochs]
        )[:4]
        if one.epochs == epochs and one.parts[-1].status == TrialStatus.COMPLETED
    }
    assert set(paused) == may_go_on
    assert len(losses) == len(oracle.end_order) == len(oracle.trials)
    again = opened(oracle_of(max_retries_per_trial=0), storage)
    assert str(standing(again)) == str(standing(oracle))


def test_a_small_budget_is_not_spent_on_beginnings():
    oracle = search(oracle_of(max_trials=2, max_epochs=10))
    assert oracle.initial == 4
    assert max(one["tuner/epochs"] for one in parts(oracle)) >= 4


@pytest.mark.slow
def test_without_a_budget_it_goes_on():
    oracle = oracle_of(max_trials=None, max_epochs=6)
    opened(oracle, optuna.storages.InMemoryStorage())
    for _ in range(60):
        train(oracle, oracle.create_trial("tuner0"))
    begun = [values for values in parts(oracle) if "tuner/trial_id" not in values]
    assert 10 < len(begun) < 55
    assert max(values["tuner/epochs"] for values in parts(oracle)) == 6


def test_it_beats_random_search_of_as_many_epochs():
    found, others = [], []
    for seed in range(10):
        found.append(min(trial.score for trial in search(oracle_of(8, seed=seed)).trials.values()))
        random = oracles.RandomSearchOracle(OBJECTIVE, 16, seed, hyperparameters=space())
        others.append(min(trial.score for trial in search(random).trials.values()))
    # In half the epochs, even.
    assert wilcoxon(found, others, alternative="less").pvalue < 0.04, (found, others)


def test_weights_that_are_given_up_are_not_asked_for_again():
    oracle = opened(oracle_of(max_trials=20, max_epochs=4), optuna.storages.InMemoryStorage())
    running, chance, kept = {}, random.Random(0), set()
    while True:
        for worker in {"a", "b", "c"} - running.keys():
            trial = oracle.create_trial(worker)
            if trial.status == TrialStatus.RUNNING:
                running[worker] = trial
                assert trial.hyperparameters.values.get("tuner/trial_id", "none") in kept | {"none"}
        if not running:
            break
        trial = running.pop(chance.choice(sorted(running)))
        train(oracle, trial)
        is_running = {one.trial_id for one in running.values()}
        kept = (kept | {trial.trial_id}) & oracle.checkpoints_needed() | is_running
    assert len(oracle.trials) > 60


def test_a_failed_part_ends_its_training():
    oracle = opened(oracle_of(max_consecutive_failed_trials=99), optuna.storages.InMemoryStorage())
    while (trial := oracle.create_trial("tuner0")).status == TrialStatus.RUNNING:
        if "tuner/trial_id" in trial.hyperparameters.values:
            trial.status = TrialStatus.FAILED
            oracle.end_trial(trial)
        else:
            train(oracle, trial)
    sources = [one.get("tuner/trial_id") for one in parts(oracle)]
    gone_on = [source for source in sources if source is not None]
    assert len(set(gone_on)) == len(gone_on) > 0


def test_by_seconds_cheap_trainings_come_first(monkeypatch):
    """Kind "a" is the best by a little, and takes fifty times as long."""

    def seconds(frozen):
        return 50.0 if frozen.params["kind"] == "a" else 1.0

    monkeypatch.setattr(freeze_thaw_search, "seconds", seconds)

    def share(costs):
        kinds = [one["kind"] for one in parts(search(oracle_of(4, costs=costs)))]
        return kinds.count("a") / len(kinds)

    assert share("seconds") < share("epochs") / 2


def test_more_is_better_where_the_objective_says_so():
    oracle = oracles.FreezeThawSearchOracle(
        kt_hpo.Objective("score", "max"), 4, 9, seed=0, hyperparameters=space()
    )
    opened(oracle, optuna.storages.InMemoryStorage())
    while (trial := oracle.create_trial("tuner0")).status == TrialStatus.RUNNING:
        epochs = trial.hyperparameters.values["tuner/epochs"]
        end(oracle, trial, -curve(trial.hyperparameters.values, epochs))
    assert parts(oracle) == parts(search(oracle_of(4, 9))) or len(oracle.trials) > 9
    assert oracle.get_best_trials(1)[0].score == max(t.score for t in oracle.trials.values())


@pytest.mark.parametrize("values", [[1.0], [1e30, 1.0, 5.0], [float("inf"), 2.0], [-3.0, -3.0]])
def test_losses_of_any_size_are_taken(values):
    oracle = opened(oracle_of(max_trials=2, max_epochs=9), optuna.storages.InMemoryStorage())
    while (trial := oracle.create_trial("tuner0")).status == TrialStatus.RUNNING:
        end(oracle, trial, values[int(trial.trial_id) % len(values)])
    assert len(oracle.trials) > 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_epochs": 0}, "max_epochs=0"),
        ({"max_trials": 0}, "max_trials=0"),
        ({"max_trials": 2.5}, "max_trials=2.5"),
        ({"costs": "hours"}, "give 'epochs' or 'seconds'"),
        ({"min_epochs": 30}, "min_epochs=30 is more than max_epochs=20"),
    ],
)
def test_mistakes_are_told_at_once(arguments, message):
    with pytest.raises(ValueError, match=message):
        oracle_of(**arguments)


def test_a_pruner_is_refused():
    with pytest.raises(ValueError, match="MedianPruner and the FreezeThawSearch tuner both"):
        check_pruner(make_pruner("median"), oracle_of())


class Curves(kt_hpo.FreezeThawSearch):
    """Trains nothing."""

    def run_trial(self, trial):
        hp = trial.hyperparameters
        return hp.Float("x", 0, 1) + 1 / hp.values["tuner/epochs"]


def test_a_search_with_a_larger_budget_goes_on(tmp_path, capsys):
    options = {"max_epochs": 4, "seed": 0, "directory": tmp_path, "project_name": "p"}
    tuner = Curves(max_trials=2, **options)
    tuner.search(verbose=0)
    tuner.oracle.record.note(test={"loss": 0.5})
    assert is_over(tuner) and is_over(Curves(max_trials=2, **options))
    assert search_status(tuner).epochs == (8, 8)
    more = Curves(max_trials=4, **options)
    assert not is_over(more)
    more.search(verbose=0)
    status = search_status(tmp_path / "p")
    assert (status.state, status.epochs) == ("finished", (16, 16))
    assert main(["status", str(tmp_path / "p")]) == 0
    assert "epochs    16 of 16" in capsys.readouterr().out


class Steps(keras.callbacks.Callback):
    """Notes from where to where the optimizer steps."""

    seen: ClassVar = []

    def on_train_begin(self, logs=None):
        self.first = int(self.model.optimizer.iterations)

    def on_train_end(self, logs=None):
        self.seen.append((self.first, int(self.model.optimizer.iterations)))


class Watched(kt_hpo.FreezeThawSearch):
    """Notes what is on disk after each trial."""

    def on_trial_end(self, trial):
        super().on_trial_end(trial)
        folders = {path.parent.name for path in Path(self.project_dir).rglob(checkpoints.LAST)}
        assert folders == {f"trial_{name}" for name in self.oracle.checkpoints_needed()}


@pytest.mark.slow
def test_real_models_go_on_with_the_optimizers_state(tmp_path):
    Steps.seen = []
    tuner = Watched(eager, "val_loss", max_trials=8, max_epochs=4, seed=0, directory=tmp_path)
    fit = {"validation_data": (X[150:], Y[150:]), "batch_size": 75, "verbose": 0}
    tuner.search(X[:150], Y[:150], callbacks=[Steps], **fit)
    # 150 samples in batches of 75 are 2 steps an epoch.
    # The end of the budget may cut a part.
    assert {first for first, _ in Steps.seen} == {0, 2, 6}
    assert {(0, 2), (2, 6), (6, 8)} <= set(Steps.seen)
    assert tuner.get_best_models()[0].evaluate(X[150:], Y[150:], verbose=0)[0] == pytest.approx(
        tuner.oracle.get_best_trials(1)[0].score, rel=1e-4
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "executor", [kt_hpo.Workers(2), kt_hpo.Vectorized(4)], ids=["workers", "vectorized"]
)
def test_it_trains_wherever_trials_run(executor, tmp_path):
    tuner = kt_hpo.FreezeThawSearch(
        eager, "val_loss", 6, max_epochs=3, seed=0, directory=tmp_path, executor=executor
    )
    tuner.search(X[:150], Y[:150], validation_data=(X[150:], Y[150:]), batch_size=75, verbose=0)
    values = [trial.user_attrs["values"] for trial in tuner.study.trials]
    assert sum(one["tuner/epochs"] - one["tuner/initial_epoch"] for one in values) == 18
    assert any("tuner/trial_id" in one for one in values)
    assert all(trial.state.name == "COMPLETE" for trial in tuner.study.trials)
