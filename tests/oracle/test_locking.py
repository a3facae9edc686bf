"""`@synchronized` on any oracle, and `end_trial` as it was called over the years."""

import threading
import time

import keras_tuner
import pytest
from conformance.searches import OBJECTIVE, opened
from kt_hpo.oracles import RandomSearchOracle

import kt_hpo


def space():
    hp = kt_hpo.HyperParameters()
    hp.Int("a", 0, 100)
    return hp


class Plain(keras_tuner.Oracle):
    """Of Keras Tuner's base class, as its guide has it."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.log = []

    @kt_hpo.synchronized
    def slow(self, name, fails=False):
        self.log.append(name)
        time.sleep(0.05)
        self.log.append(name)
        if fails:
            raise RuntimeError("on purpose")
        return self.again(name)

    @kt_hpo.synchronized
    def again(self, name):
        """A method of the same oracle may be called while one runs."""
        return name


class Recorded(RandomSearchOracle):
    """With a lock of its own under the name one would think of."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._lock = threading.Lock()
        self.log, self.ended = [], []

    slow, again = Plain.slow, Plain.again

    @kt_hpo.synchronized
    def end_trial(self, trial):
        self.ended.append((trial.trial_id, trial.status))
        with self._lock:
            super().end_trial(trial)


@pytest.mark.parametrize("kind", [Plain, Recorded])
def test_one_thread_at_a_time_is_in_an_oracle(kind):
    oracle = kind(objective=OBJECTIVE)
    threads = [threading.Thread(target=oracle.slow, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert oracle.log[::2] == oracle.log[1::2]
    assert sorted(oracle.log[::2]) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("kind", [Plain, Recorded])
def test_two_oracles_do_not_wait_for_each_other_nor_after_an_error(kind):
    oracle, other = kind(objective=OBJECTIVE), kind(objective=OBJECTIVE)
    with pytest.raises(RuntimeError, match="on purpose"):
        oracle.slow("a", fails=True)
    inside, done = threading.Event(), []

    class Waiting(kind):
        @kt_hpo.synchronized
        def hold(self):
            inside.wait(10)

    holding = Waiting(objective=OBJECTIVE)
    held = threading.Thread(target=holding.hold)
    held.start()
    for one in (oracle, other):
        thread = threading.Thread(target=lambda one=one: done.append(one.slow("b")))
        thread.start()
        thread.join(10)
    inside.set()
    held.join()
    assert done == ["b", "b"]


CALLS = {
    "trial": lambda oracle, trial: oracle.end_trial(trial),
    "id": lambda oracle, trial: oracle.end_trial(trial.trial_id),
    "id, status": lambda oracle, trial: oracle.end_trial(trial.trial_id, "COMPLETED"),
    "Optuna's word": lambda oracle, trial: oracle.end_trial(trial.trial_id, "COMPLETE"),
    "names": lambda oracle, trial: oracle.end_trial(trial_id=trial.trial_id, status="COMPLETED"),
    "name": lambda oracle, trial: oracle.end_trial(trial=trial),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_trial_is_ended_in_every_way_it_ever_was(call, tmp_path):
    oracle = opened(
        Recorded(objective=OBJECTIVE, max_trials=1, seed=0, hyperparameters=space()), tmp_path
    )
    trial = oracle.create_trial("tuner0")
    value = trial.hyperparameters.values["a"]
    trial.hyperparameters.Int("b", 3, 9)  # Met while it ran.
    oracle.update_trial(trial.trial_id, {"score": 0.5})
    CALLS[call](oracle, trial)
    assert oracle.ended == [(trial.trial_id, "COMPLETED")]
    assert oracle.trials[trial.trial_id].hyperparameters.values == {"a": value, "b": 3}
    [frozen] = oracle.record.trials
    assert (frozen.state.name, frozen.value, frozen.params) == (
        "COMPLETE",
        0.5,
        {"a": value, "b": 3},
    )
    assert oracle.create_trial("tuner0").status == "STOPPED"


@pytest.mark.parametrize("status", ["RUNNING", "IDLE", "DONE"])
def test_a_trial_cannot_end_with_a_status_that_is_no_end(status, tmp_path):
    oracle = opened(Recorded(objective=OBJECTIVE, max_trials=1, hyperparameters=space()), tmp_path)
    trial = oracle.create_trial("tuner0")
    with pytest.raises(ValueError, match=f"{status!r}.*COMPLETED, INVALID, FAILED"):
        oracle.end_trial(trial.trial_id, status)
    assert oracle.record.trials[0].state.name == "RUNNING"
