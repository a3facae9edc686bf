"""What every engine promises."""

import functools
import itertools
import math
import random

import keras_tuner
import optuna
import pytest
from conformance.engines import ENGINES
from conformance.searches import (
    OBJECTIVE,
    conditional_space,
    end,
    finite_space,
    opened,
    own,
    proposed,
    run,
    run_compared,
    score,
    space_of_all_kinds,
)
from keras_tuner.engine.trial import TrialStatus

from kt_hpo.pruning import PRUNERS, check_pruner, make_pruner
from kt_hpo.space import domain

pytestmark = pytest.mark.filterwarnings("ignore:.*at random:UserWarning")


LEARNERS = [name for name, engine in ENGINES.items() if engine.oracle.learns_from_trials]


def those(**promises):
    return [n for n, e in ENGINES.items() if all(getattr(e, k) == v for k, v in promises.items())]


@pytest.fixture(params=ENGINES)
def name(request):
    return request.param


@pytest.fixture
def engine(name):
    return ENGINES[name]


def made(engine, **arguments):
    spaces = conditional_space if engine.whole_space else finite_space
    defaults = {"objective": OBJECTIVE, "seed": 3, "hyperparameters": spaces()}
    return engine(**(defaults | arguments))


@functools.cache
def searched(name):
    """What an engine proposes from beginning to end, undisturbed."""
    return run(opened(made(ENGINES[name])))


def test_the_planned_trials_are_run_and_the_same_seed_gives_the_same(name, engine):
    found, planned = searched(name), made(engine).planned_trials
    assert len(found) > 5
    if planned is not None:  # Else the budget is epochs.
        assert len(found) == (planned if engine.whole_space else min(planned, 10))
    assert run(opened(made(engine))) == found
    assert (run(opened(made(engine, seed=4))) == found) == (name == "grid")


def test_only_active_values_are_proposed(name):
    for values in searched(name):
        assert ("units" in values) == (values["model"] == "mlp")
        assert ("pooling" in values) == (values["model"] == "cnn")


def test_an_interrupted_search_goes_on_as_if_it_was_not(name, engine, tmp_path):
    for trials in (1, 5):
        run(opened(made(engine), tmp_path), trials)
        opened(made(engine), tmp_path).create_trial("tuner0")  # Killed while this one runs.
    last = opened(made(engine), tmp_path)
    assert run(last) == searched(name)
    assert {trial.state.name for trial in last.record.trials} == {"COMPLETE"}


def test_a_failing_trial_and_a_nan_fail_alone_and_all_is_back_afterwards(engine, tmp_path):
    oracle = opened(made(engine), tmp_path)
    count = 0

    def sometimes_nan(values):
        nonlocal count
        count += 1
        return math.nan if count == 3 else score(values)

    found = run(oracle, fail={1}, measure=sometimes_nan)
    states = [trial.state.name for trial in oracle.record.trials]
    assert states.count("FAIL") == 2
    assert states.count("COMPLETE") == len(found) - 2 > 3
    assert oracle.get_best_trials(1)[0].score == min(
        t.value for t in oracle.record.trials if t.value is not None
    )
    again = opened(made(engine, seed=None), tmp_path)
    assert again.seed == 3
    assert again.get_space().get_config() == oracle.get_space().get_config()
    assert again.end_order == oracle.end_order
    assert again.create_trial("tuner0").status == TrialStatus.STOPPED
    lost = again.trials.pop("0003"), oracle.trials.pop("0003")  # Its nan is no metric any more.
    assert {(trial.status, trial.message) for trial in lost} == {("FAILED", lost[0].message)}
    assert {i: trial.get_state() for i, trial in again.trials.items()} == {
        i: trial.get_state() for i, trial in oracle.trials.items()
    }


@pytest.mark.parametrize("name", those(whole_space=True))
def test_every_kind_of_hyperparameter_keeps_to_its_values(name, tmp_path):
    known = space_of_all_kinds()
    oracle = opened(made(ENGINES[name], hyperparameters=known), tmp_path)
    for values in run(oracle):
        domain.check_values(known, own(values))
        assert own(values).keys() == known.values.keys()
        assert type(values["flag"]) is bool and type(values["number"]) is int
    again = opened(made(ENGINES[name], hyperparameters=known), tmp_path)
    assert proposed(again) == proposed(oracle)


def test_a_finite_space_is_exhausted_and_no_point_tried_twice(engine):
    options = {} if "max_trials" not in engine.options else {"max_trials": 50}
    if "num_initial_points" in engine.options:
        options["num_initial_points"] = 12
    oracle = opened(made(engine, hyperparameters=finite_space(), **options))
    found = [
        tuple(sorted(own(values).items()))
        for values in run(oracle)
        if "tuner/trial_id" not in values
    ]
    assert len(set(found)) == len(found) <= 10
    if options:
        assert len(found) >= 8, "much of the space is left"
    if not engine.whole_space:
        assert len(found) == 10


@pytest.mark.parametrize("name", those(any_order=True))
def test_the_order_in_which_trials_are_told_changes_nothing(name):
    oracle = opened(made(ENGINES[name]))
    while True:
        trials = [oracle.create_trial(f"tuner{place}") for place in range(3)]
        running = [trial for trial in trials if trial.status == TrialStatus.RUNNING]
        for trial in reversed(running):
            end(oracle, trial, score(trial.hyperparameters.values))
        if not running:
            break
    assert proposed(oracle) == searched(name)


def test_trials_may_run_side_by_side(engine):
    oracle = opened(made(engine))
    ended = idle = 0
    while idle < 2:
        trials = [oracle.create_trial(f"tuner{place}") for place in range(3)]
        running = [trial for trial in trials if trial.status == TrialStatus.RUNNING]
        assert len({trial.trial_id for trial in running}) == len(running)
        for trial in running[1:] + running[:1]:
            end(oracle, trial, score(trial.hyperparameters.values))
        ended += len(running)
        idle = 0 if running else idle + 1
    assert ended == len(oracle.record.trials) > 5
    assert all(trial.state.name == "COMPLETE" for trial in oracle.record.trials)


def test_an_oracle_does_what_one_that_reads_its_record_would(engine):
    def make():
        return made(engine, max_retries_per_trial=1, max_consecutive_failed_trials=20)

    assert len(run_compared(make, prunes=engine.prunes).trials) > 5


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("population based training", {"population_size": 12, "max_epochs": 25}),
        ("hyperband", {"max_epochs": 30, "hyperband_iterations": 4}),
        ("evolution", {"max_trials": 300, "population_size": 20, "inherit_weights": True}),
        pytest.param("freeze thaw", {"max_trials": 40, "max_epochs": 20}, marks=pytest.mark.slow),
    ],
)
def test_it_does_so_after_hundreds_of_trials(name, options):
    def make():
        retries = {"max_retries_per_trial": 1, "max_consecutive_failed_trials": 20}
        return made(ENGINES[name], **options, **retries)

    oracle = run_compared(make, every=19, prunes=ENGINES[name].prunes)
    assert len(oracle.trials) >= 300
    assert {trial.status for trial in oracle.trials.values()} >= {"COMPLETED", "FAILED"}


@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2))])
def test_hyperparameters_may_be_new_in_any_of_several_open_trials(engine, seed, tmp_path):
    """A user's own program drives the oracle: trials end in any order, and some ask for more."""
    place = optuna.storages.InMemoryStorage() if seed else tmp_path
    oracle = opened(made(engine, max_retries_per_trial=1), place)
    stream = random.Random(seed)
    begun, late = {}, 0
    for _ in range(2_000):
        free = sorted({f"tuner{place}" for place in range(4)} - begun.keys())
        if free and stream.random() < 0.6:
            trial = oracle.create_trial(free[0])
            if trial.status == TrialStatus.RUNNING:
                begun[free[0]] = trial
            elif not begun:
                break
        elif begun:
            trial = begun.pop(stream.choice(sorted(begun)))
            hp = trial.hyperparameters
            if late < 2 and stream.random() < 0.3:
                late += 1
                hp.Choice(f"late_{late}", ["a", "b"])
                with hp.conditional_scope(f"late_{late}", ["b"]):
                    hp.Int(f"later_{late}", 1, 2)
                if stream.random() < 0.5:
                    oracle.update_space(hp)
            if stream.random() < 0.1:
                trial.status, trial.message = TrialStatus.INVALID, "RuntimeError: flaky"
                oracle.end_trial(trial)
            else:
                end(oracle, trial, score(hp.values))
    assert trial.status == TrialStatus.STOPPED and not begun
    assert len(oracle.record.trials) == len(oracle.trials) == len(oracle.end_order) > 5
    assert all(one.state.is_finished() for one in oracle.record.trials)
    known = {hp.name for hp in oracle.get_space().space}
    assert known >= {f"later_{number}" for number in range(1, late + 1)}
    for values in proposed(oracle):
        domain.check_values(oracle.get_space(), own(values))
    again = opened(made(engine), place)
    assert proposed(again) == proposed(oracle)
    assert again.create_trial("tuner0").status == TrialStatus.STOPPED


PRUNING = [name for name in PRUNERS if name != "none"]


@pytest.mark.parametrize("pruner", PRUNING)
@pytest.mark.parametrize("name", those(prunes=False))
def test_an_engine_that_stops_trials_by_itself_refuses_a_pruner(name, pruner):
    with pytest.raises(ValueError, match="pruner"):
        check_pruner(make_pruner(pruner), made(ENGINES[name]))


def pairs():
    """Each pruner and each engine, in the quick tier not with each other."""
    for name, pruner in itertools.product(those(prunes=True), PRUNING):
        is_quick = name == "random" or pruner == "asha"
        yield pytest.param(name, pruner, marks=() if is_quick else pytest.mark.slow)


@pytest.mark.parametrize(("name", "pruner"), pairs())
def test_any_pruner_stops_hopeless_trials_of_any_engine(name, pruner):
    oracle = made(ENGINES[name])
    oracle.pruner = make_pruner(pruner)
    opened(oracle)
    stopped = set()
    while True:
        trial = oracle.create_trial("tuner0")
        if trial.status == TrialStatus.STOPPED:
            break
        first = len(oracle.trials) == 1
        for epoch in range(9):
            # The first trial is perfect, every other one hopeless, each in its own way.
            value = 0.0 if first else 1.0 + epoch + int(trial.trial_id)
            if not oracle.report(trial.trial_id, epoch, {"score": value}):
                stopped.add(trial.trial_id)
                break
        end(oracle, trial, value)
    states = {f"{t.number:04d}": t.state.name for t in oracle.record.trials}
    assert stopped == {number for number, state in states.items() if state == "PRUNED"}
    assert stopped and "0000" not in stopped
    assert oracle.get_best_trials(1)[0].trial_id == "0000"
    again = opened(made(ENGINES[name]), oracle.storage)
    assert {i for i, trial in again.trials.items() if trial.status == "PRUNED"} == stopped


@pytest.mark.parametrize("name", those(enqueues=True))
def test_enqueued_values_come_first(name):
    oracle = opened(made(ENGINES[name]))
    oracle.enqueue({"model": "cnn", "dropout": 0.3, "pooling": True, "rate": 0.01})
    oracle.enqueue({"model": "mlp", "units": 24})
    oracle.enqueue({"model": "mlp", "units": 24})  # Once is enough.
    with pytest.raises(ValueError, match="no hyperparameter"):
        oracle.enqueue({"depth": 3})
    with pytest.raises(ValueError, match="units=7"):
        oracle.enqueue({"units": 7})
    found = run(oracle)
    whole = [own(values) for values in found if "tuner/trial_id" not in values]
    assert whole[0] == {"model": "cnn", "dropout": 0.3, "pooling": True, "rate": 0.01}
    assert (whole[1]["model"], whole[1]["units"]) == ("mlp", 24)
    assert [values.get("units") for values in whole[2:]].count(24) < 3
    assert oracle.planned_trials in (len(found), None)


@pytest.mark.parametrize("name", ENGINES)
def test_a_search_may_begin_with_the_defaults(name):
    oracle = opened(made(ENGINES[name]))
    oracle.enqueue_defaults()
    oracle.enqueue_defaults()  # Once is enough.
    found = run(oracle)
    defaults = {hp.name: hp.default for hp in oracle.get_space().space}
    if ENGINES[name].enqueues:
        assert own(found[0]).items() <= defaults.items()
        assert oracle.planned_trials in (len(found), None)
    else:
        assert found == run(opened(made(ENGINES[name])))
    again = opened(made(ENGINES[name]), oracle.storage)
    again.enqueue_defaults()
    assert again.record.waiting is None, "a search that has begun goes on as it was"


@pytest.mark.parametrize("name", LEARNERS)
def test_a_past_search_is_known(name, tmp_path):
    options = {"num_initial_points": 11} if "num_initial_points" in ENGINES[name].options else {}
    oracle = made(ENGINES[name], **options)
    past = opened(
        made(ENGINES["random"], seed=9, max_trials=5, hyperparameters=oracle.hyperparameters)
    )
    run(past)
    oracle.begin_from(past.record.study)
    opened(oracle, tmp_path)
    whole = run(oracle)
    planned = oracle.planned_trials if ENGINES[name].whole_space else 5
    assert planned in (len(whole), None)
    assert len(oracle.past) == 5 and len(oracle.record.trials) == 5 + len(whole)
    # It goes on, and best are its own trials only.
    again = made(ENGINES[name], **options)
    again.begin_from(past.record.study)
    assert proposed(opened(again, tmp_path)) == whole
    assert again.get_best_trials(1)[0].trial_id in again.trials


@pytest.mark.parametrize("name", [name for name in ENGINES if name not in LEARNERS])
def test_a_past_search_is_refused_where_it_would_change_nothing(name):
    with pytest.raises(ValueError, match="does not learn"):
        made(ENGINES[name]).begin_from(optuna.create_study())


def test_an_oracle_works_alone_in_a_plain_keras_tuner(engine, tmp_path):
    class Plain(keras_tuner.Tuner):
        def run_trial(self, trial, *args, **kwargs):
            return {"score": score(trial.hyperparameters.values)}

    tuner = Plain(oracle=made(engine), directory=tmp_path, project_name="plain")
    tuner.search(verbose=0)
    assert len(tuner.oracle.record.trials) == len(tuner.oracle.trials) > 5
    assert tuner.get_best_hyperparameters()[0].values in proposed(tuner.oracle)
