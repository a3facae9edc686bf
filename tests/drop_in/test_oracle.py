"""Oracles driven by hand: trials are asked for, measured, ended, and remembered."""

import threading
import time

import pytest

import kt_hpo

LOSS = "val_loss"


def stub(kt, **kwargs):
    """An oracle of a user's own, which proposes a text, or a number for each trial."""

    class Stub(kt.oracles.RandomSearchOracle):
        def populate_space(self, trial_id):
            return {"values": {"hp1": f"given {len(self.start_order)}"}, "status": "RUNNING"}

        def score_trial(self, trial):
            super().score_trial(trial)
            self.scored = [*getattr(self, "scored", []), trial.trial_id]

    known = kt.HyperParameters()
    known.Int("known", 0, 99)
    return Stub(objective=LOSS, hyperparameters=known, **kwargs)


def end(oracle, trial, status="COMPLETED", **metrics):
    if metrics:
        oracle.update_trial(trial.trial_id, metrics)
    trial.status = status
    oracle.end_trial(trial)


def test_a_trial_has_the_values_that_the_oracle_gives(kt, drive):
    oracle = drive(stub(kt))
    trial = oracle.create_trial("a")
    assert trial.status == "RUNNING"
    assert trial.hyperparameters.values["hp1"] == "given 0"
    assert oracle.ongoing_trials == {"a": trial}
    end(oracle, trial, val_loss=0.5)
    assert oracle.ongoing_trials == {}
    assert oracle.scored == [trial.trial_id]
    kept = oracle.get_trial(trial.trial_id)
    assert (kept.status, kept.score, kept.best_step) == ("COMPLETED", 0.5, 0)
    assert oracle.start_order == oracle.end_order == [trial.trial_id]


def test_a_tuner_that_asks_again_gets_its_trial_again(kt, drive):
    oracle = drive(stub(kt))
    assert oracle.create_trial("a").trial_id == oracle.create_trial("a").trial_id
    assert oracle.create_trial("b").trial_id != oracle.create_trial("a").trial_id


def test_a_trial_is_ended_by_its_name_too(kt, drive):
    oracle = drive(stub(kt))
    trial = oracle.create_trial("a")
    oracle.update_trial(trial.trial_id, {LOSS: 1.0})
    oracle.end_trial(trial.trial_id, "COMPLETED")
    assert oracle.get_trial(trial.trial_id).status == "COMPLETED"


def test_old_names_of_what_an_oracle_overrides_still_work(kt, drive):
    oracle = drive(stub(kt))
    with pytest.deprecated_call():
        assert oracle._populate_space("100")["status"] == "RUNNING"
    trial = oracle.create_trial("a")
    oracle.update_trial(trial.trial_id, {LOSS: 0.5})
    with pytest.deprecated_call():
        oracle._score_trial(trial)
    assert oracle.scored == [trial.trial_id]


def test_an_oracle_of_a_users_own_is_asked(kt, drive):
    class Own(kt.Oracle):
        def populate_space(self, trial_id):
            return {"values": {"x": 42}, "status": "RUNNING"}

    hp = kt.HyperParameters()
    hp.Int("x", 0, 100)
    oracle = drive(Own(objective=LOSS, max_trials=2, hyperparameters=hp))
    assert oracle.create_trial("a").hyperparameters.values == {"x": 42}


def test_no_more_than_max_trials_begin(kt, drive):
    oracle = drive(stub(kt, max_trials=2))
    assert oracle.remaining_trials() == 2
    for tuner in "ab":
        assert oracle.create_trial(tuner).status == "RUNNING"
    assert oracle.create_trial("c").status == "STOPPED"
    assert oracle.remaining_trials() == 0
    assert len(oracle.trials) == 2


@pytest.mark.parametrize(("retries", "status", "again"), [
    (0, "INVALID", False),
    (1, "INVALID", True),
    (1, "FAILED", False),
])  # fmt: skip
def test_an_invalid_trial_is_run_again_as_often_as_allowed(kt, drive, retries, status, again):
    oracle = drive(stub(kt, max_retries_per_trial=retries, max_consecutive_failed_trials=5))
    first = oracle.create_trial("a")
    first.message = "what went wrong"
    end(oracle, first, status)
    second = oracle.create_trial("a")
    assert (second.trial_id == first.trial_id) == again
    assert oracle.create_trial("b").trial_id not in (first.trial_id, second.trial_id)


def test_a_score_that_is_no_number_is_invalid(kt, drive):
    oracle = drive(stub(kt))
    trial = oracle.create_trial("a")
    end(oracle, trial, val_loss=float("nan"))
    assert oracle.get_trial(trial.trial_id).status == "FAILED"
    retried = oracle.create_trial("a")
    assert retried.trial_id != trial.trial_id


def test_failures_in_a_row_end_the_search_and_others_do_not(kt, drive):
    oracle = drive(stub(kt, max_retries_per_trial=1, max_consecutive_failed_trials=2))
    for status in ("FAILED", "COMPLETED", "FAILED"):
        trial = oracle.create_trial("a")
        trial.message = "the error's own words"
        end(oracle, trial, status, **({LOSS: 0.5} if status == "COMPLETED" else {}))
    trial = oracle.create_trial("a")
    trial.message = "the error's own words"
    trial.status = "FAILED"
    with pytest.raises(RuntimeError, match=r"(?s)(consecutive|in a row).*the error's own words"):
        oracle.end_trial(trial)


@pytest.mark.parametrize(("direction", "best"), [("min", ["0", "1"]), ("max", ["3", "2"])])
def test_the_best_trials_come_first(kt, drive, direction, best):
    known = kt.HyperParameters()
    known.Int("known", 0, 99)
    objective = kt.Objective("score", direction)
    oracle = drive(kt.oracles.RandomSearchOracle(objective, hyperparameters=known))
    begun = []
    for number in range(5):
        trial = oracle.create_trial("a")
        begun.append(trial.trial_id)
        end(oracle, trial, "COMPLETED" if number < 4 else "FAILED", score=number)
    assert oracle.get_best_trials(2) == [oracle.trials[begun[int(one)]] for one in best]
    completed = [one for one in oracle.get_best_trials(100) if one.status == "COMPLETED"]
    assert len(completed) == 4


def test_only_completed_trials_are_among_the_best_here(drive):
    """Keras Tuner fills up with failed and running ones."""
    oracle = drive(stub(kt_hpo))
    end(oracle, oracle.create_trial("a"), "FAILED")
    oracle.create_trial("b")
    assert oracle.get_best_trials(5) == []


def test_an_epoch_counts_where_it_is_best(kt, drive):
    oracle = drive(stub(kt))
    trial = oracle.create_trial("a")
    for step, loss in enumerate([0.5, 0.2, 0.9]):
        oracle.update_trial(trial.trial_id, {LOSS: loss, "other": 1.0}, step=step)
    end(oracle, trial)
    kept = oracle.get_best_trials()[0]
    assert (kept.score, kept.best_step) == (0.2, 1)
    assert len(kept.metrics.get_history("other")) == 3


def test_a_result_without_the_objective_is_an_error(kt, drive):
    oracle = drive(stub(kt))
    trial = oracle.create_trial("a")
    with pytest.raises((ValueError, KeyError), match=LOSS):
        oracle.update_trial(trial.trial_id, {"loss": 1.0})


def test_an_oracle_knows_what_it_has_given(kt, drive):
    class Same(kt.oracles.RandomSearchOracle):
        def populate_space(self, trial_id):
            self.known = self._duplicate({"x": 1}), self._duplicate({"x": 2})
            return {"values": {"x": 1}, "status": "RUNNING"}

    hp = kt.HyperParameters()
    hp.Int("x", 0, 9)
    oracle = drive(Same(objective=LOSS, max_trials=3, hyperparameters=hp))
    oracle.create_trial("a")
    assert oracle.known == (False, False)
    oracle.create_trial("b")
    assert oracle.known == (True, False)
    assert len(oracle.ongoing_trials) == 2


def test_the_space_grows_by_what_trials_meet(kt, drive):
    oracle = drive(kt.oracles.RandomSearchOracle(LOSS, max_trials=3, seed=1))
    trial = oracle.create_trial("a")
    trial.hyperparameters.Int("met", 5, 9)
    oracle.update_space(trial.hyperparameters)
    assert "met" in oracle.get_space()
    end(oracle, trial, val_loss=1.0)
    assert 5 <= oracle.create_trial("a").hyperparameters.get("met") <= 9


def test_the_space_given_out_is_a_copy(kt, drive):
    oracle = drive(kt.oracles.RandomSearchOracle(LOSS, max_trials=3))
    oracle.get_space().Int("mine", 1, 2)
    assert "mine" not in oracle.get_space()


def test_a_space_that_is_closed_stays_closed(kt, drive):
    known = kt.HyperParameters()
    known.Int("known", 1, 2)
    oracle = drive(
        kt.oracles.RandomSearchOracle(
            LOSS, max_trials=3, hyperparameters=known, allow_new_entries=False,
            tune_new_entries=False,
        )
    )  # fmt: skip
    more = kt.HyperParameters()
    more.Int("new", 1, 2)
    with pytest.raises(RuntimeError, match="`allow_new_entries` is `False`"):
        oracle.update_space(more)


def test_new_entries_that_are_not_tuned_stay_out_of_the_space(kt, drive):
    known = kt.HyperParameters()
    known.Int("known", 1, 2)
    oracle = drive(
        kt.oracles.RandomSearchOracle(
            LOSS, max_trials=3, hyperparameters=known, tune_new_entries=False
        )
    )
    more = kt.HyperParameters()
    more.Int("new", 1, 2)
    oracle.update_space(more)
    assert [one.name for one in oracle.get_space().space] == ["known"]


def test_entries_are_tuned_or_there_is_a_space_at_least(kt):
    with pytest.raises(ValueError, match="hyperparameters"):
        kt.oracles.RandomSearchOracle(LOSS, allow_new_entries=False)
    with pytest.raises(ValueError, match="hyperparameters"):
        kt.oracles.RandomSearchOracle(LOSS, tune_new_entries=False)


def test_a_search_is_taken_up_again(kt, drive):
    hp = kt.HyperParameters()
    hp.Int("x", 0, 1000)

    def make():
        return drive(kt.oracles.RandomSearchOracle(LOSS, max_trials=6, hyperparameters=hp, seed=3))

    oracle = make()
    for number in range(3):
        end(oracle, oracle.create_trial("a"), val_loss=float(number))
    oracle.save()
    again = make()
    again.reload()
    again.reload()
    assert set(again.trials) == set(oracle.trials)
    assert again.start_order == again.end_order == oracle.end_order
    for trial_id, trial in oracle.trials.items():
        assert again.trials[trial_id].hyperparameters.values == trial.hyperparameters.values
        assert again.trials[trial_id].score == trial.score
    for _ in range(3):
        end(again, again.create_trial("a"), val_loss=1.0)
    assert again.create_trial("a").status == "STOPPED"
    assert len(again.trials) == 6


def test_a_trial_put_in_by_hand_counts_among_the_best(kt, drive):
    oracle = drive(kt.oracles.RandomSearchOracle(kt.Objective("score", "max"), max_trials=3))
    made = {}
    for number, score in enumerate((9.0, 10.0, 8.0)):
        hp = kt.HyperParameters()
        hp.Fixed("a", number)
        trial = kt.engine.trial.Trial(hyperparameters=hp, status="COMPLETED")
        trial.score = score
        made[trial.trial_id] = trial
    oracle.trials = made
    best = oracle.get_best_trials(2)
    assert [trial.hyperparameters["a"] for trial in best] == [1, 0]


def locked(kt, log, name, pause=0.05):
    """An oracle whose methods log their begin and their end."""

    class Locked(kt.oracles.RandomSearchOracle):
        @kt.synchronized
        def create_trial(self, tuner_id):
            log.append((name, "create", tuner_id))
            time.sleep(pause)
            log.append((name, "create", tuner_id))
            return super().create_trial(tuner_id)

        @kt.synchronized
        def end_trial(self, trial):
            log.append((name, "end", trial.trial_id))
            time.sleep(pause)
            log.append((name, "end", trial.trial_id))
            return super().end_trial(trial)

    return Locked(LOSS, max_trials=10)


def in_threads(*calls):
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_one_thread_at_a_time_is_in_a_synchronized_method(kt, drive):
    log = []
    oracle = drive(locked(kt, log, "one"))
    trial = oracle.create_trial("first")
    oracle.update_trial(trial.trial_id, {LOSS: 0.5})
    trial.status = "COMPLETED"
    creations = [lambda i=i: oracle.create_trial(str(i)) for i in range(3)]
    in_threads(lambda: oracle.end_trial(trial), *creations)
    assert len(log) == 10
    assert log[::2] == log[1::2]


def test_oracles_do_not_wait_for_one_another(kt, tmp_path):
    log, barrier = [], threading.Barrier(2, timeout=30)

    class Meeting(kt.oracles.RandomSearchOracle):
        @kt.synchronized
        def create_trial(self, tuner_id):
            barrier.wait()  # Both are in here at once, or neither comes out.
            log.append(tuner_id)
            return super().create_trial(tuner_id)

    def search(name):
        oracle = Meeting(LOSS, max_trials=2)
        oracle._set_project_dir(tmp_path, name)
        oracle.create_trial(name)

    in_threads(lambda: search("a"), lambda: search("b"))
    assert sorted(log) == ["a", "b"]
