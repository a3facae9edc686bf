"""Tuners: what they are made of, what a trial may return, and what is called when."""

import pickle
from pathlib import Path

import keras
import numpy as np
import pytest

import kt_hpo

X = np.random.default_rng(0).random((32, 2)).astype("float32")
Y = np.random.default_rng(1).integers(0, 3, (32, 1))
DATA = {"x": X, "y": Y, "validation_data": (X, Y), "batch_size": 32, "verbose": 0}


def network(hp, units=4, metrics=("accuracy",)):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(units)])
    model.add(keras.layers.Dense(3, activation="softmax"))
    rate = hp.Choice("learning_rate", [0.01, 0.001])
    loss = "sparse_categorical_crossentropy"
    model.compile(keras.optimizers.SGD(rate), loss, metrics=list(metrics))
    return model


def build(hp):
    for i in range(hp.Int("layers", 1, 3)):
        hp.Int(f"units_{i}", 5, 9, default=6)
    return network(hp)


def measuring(kt, function):
    """A tuner that measures a function of hp instead of a model."""

    class BlackBox(kt.RandomSearch):
        def run_trial(self, trial, **kwargs):
            return function(trial.hyperparameters)

    return BlackBox


def returning(kt, function):
    """A hypermodel whose fit returns a function of hp."""

    class Returning(kt.HyperModel):
        def build(self, hp):
            return keras.Sequential([keras.Input((2,))])

        def fit(self, hp, model, **kwargs):
            return function(hp)

    return Returning()


def scores(tuner):
    return sorted(trial.score for trial in tuner.oracle.trials.values())


# What a tuner is made of.


def test_a_tuner_shows_what_it_was_given(kt, places, capsys):
    tuner = kt.RandomSearch(
        build, objective="val_accuracy", max_trials=2, executions_per_trial=3, **places
    )
    assert tuner.oracle.objective.name == "val_accuracy"
    assert (tuner.oracle.max_trials, tuner.executions_per_trial) == (2, 3)
    assert tuner.remaining_trials == 2
    assert str(tuner.directory) == str(places["directory"])
    assert Path(tuner.project_dir) == places["directory"] / "demo"
    assert Path(tuner.project_dir).is_dir()
    assert tuner.tuner_id == "tuner0"
    assert set(tuner.oracle.hyperparameters.values) == {"layers", "units_0", "learning_rate"}
    tuner.search_space_summary()
    out = capsys.readouterr().out
    for part in ("Search space summary", "Default search space size: 3", "layers (Int)"):
        assert part in out


def test_a_hypermodel_stays_itself_and_a_function_becomes_one(kt, places):
    own = returning(kt, lambda hp: 1.0)
    assert kt.RandomSearch(own, **places).hypermodel is own
    made = kt.RandomSearch(build, overwrite=True, **places).hypermodel
    assert isinstance(made, kt.HyperModel)


@pytest.mark.parametrize(
    ("kwargs", "words"),
    [
        ({}, "hypermodel"),
        ({"hypermodel": "build"}, "hypermodel"),
        ({"hypermodel": build, "unrecognized": 3}, "unrecognized"),
        ({"hypermodel": build, "objective": "custom_metric"}, "custom_metric"),
    ],
)
def test_a_wrong_argument_is_an_early_error(kt, places, kwargs, words):
    with pytest.raises((ValueError, TypeError), match=words):
        kt.RandomSearch(**kwargs, **places)


def test_an_oracle_is_an_oracle(kt, places):
    with pytest.raises(ValueError, match="racle"):
        kt.Tuner(oracle="invalid", hypermodel=build, **places)


def test_logger_is_taken_and_called_old(kt, places):
    with pytest.deprecated_call(match="logger"):
        kt.RandomSearch(build, logger=1, **places)


# What a trial may return.


# What may be made of a number, and the number that is recorded then.
SHAPES = [
    (lambda x: x, float),
    (lambda x: np.float32(x), float),
    (lambda x: int(x > 5), lambda x: x > 5),
    (lambda x: {"val_loss": x, "other": 3.0}, float),
    (lambda x: [x, x], float),
    (lambda x: [{"val_loss": x}, {"val_loss": x}], float),
]


@pytest.mark.parametrize("by", ["run_trial", "fit"])
def test_a_number_a_dict_and_lists_of_them_are_results(kt, places, by):
    shapes, expected = iter(SHAPES), []

    def measured(hp):
        shape, recorded = next(shapes)
        value = hp.Float("value", 0, 10)
        expected.append(float(recorded(value)))
        return shape(value)

    if by == "fit":
        tuner = kt.RandomSearch(
            returning(kt, measured), objective="val_loss", max_trials=6, **places
        )
    else:
        tuner = measuring(kt, measured)(objective="val_loss", max_trials=6, **places)
    tuner.search(verbose=0)
    found = [tuner.oracle.trials[number].score for number in sorted(tuner.oracle.trials)]
    assert found == pytest.approx(expected) and len(found) == 6
    assert tuner.oracle.get_best_trials()[0].score == pytest.approx(min(expected))


def test_executions_are_averaged(kt, places):
    values = iter([1.0, 2.0, 6.0])
    tuner = kt.RandomSearch(
        returning(kt, lambda hp: next(values)), max_trials=1, executions_per_trial=3, **places
    )
    tuner.search(verbose=0)
    assert scores(tuner) == [3.0]


def test_a_history_is_a_result_at_its_best_epoch(kt, places):
    def measured(hp):
        history = keras.callbacks.History()
        history.history = {"loss": [9.0, 6.0, 3.0], "val_loss": [5.0, hp.Fixed("x", 2.0), 4.0]}
        return history

    tuner = measuring(kt, measured)(objective="val_loss", max_trials=1, **places)
    tuner.search(verbose=0)
    [trial] = tuner.oracle.trials.values()
    assert (trial.score, trial.best_step) == (2.0, 1)


@pytest.mark.parametrize("by", ["run_trial", "fit"])
@pytest.mark.parametrize(
    ("objective", "value", "kind"),
    [
        ("val_loss", "a text", TypeError),
        ("val_loss", None, TypeError),
        (None, {"val_loss": 1.0}, TypeError),
        ("val_loss", {"loss": 1.0}, ValueError),
    ],
)
def test_what_is_no_result_ends_the_search(kt, places, by, objective, value, kind):
    if by == "fit":
        tuner = kt.RandomSearch(returning(kt, lambda hp: value), objective=objective, **places)
    else:
        tuner = measuring(kt, lambda hp: value)(objective=objective, max_trials=2, **places)
    with pytest.raises(kind, match=r"run_trial|fit|objective") as raised:
        tuner.search(verbose=0)
    assert isinstance(raised.value, kt.errors.FatalError)


@pytest.mark.parametrize("by", ["run_trial", "fit"])
def test_a_history_without_the_objective_ends_the_search_here(places, by):
    """Keras Tuner fails its trials, one after another."""

    def measured(hp):
        history = keras.callbacks.History()
        history.history = {"loss": [9.0, 6.0]}
        return history

    if by == "fit":
        tuner = kt_hpo.RandomSearch(returning(kt_hpo, measured), objective="val_loss", **places)
    else:
        tuner = measuring(kt_hpo, measured)(objective="val_loss", **places)
    with pytest.raises(kt_hpo.errors.FatalValueError, match="val_loss"):
        tuner.search(verbose=0)


def test_a_trial_may_report_by_itself(kt, places):
    class Reporting(kt.RandomSearch):
        def run_trial(self, trial, **kwargs):
            value = trial.hyperparameters.Float("value", 0, 10)
            self.oracle.update_trial(trial.trial_id, {"val_loss": value})

    tuner = Reporting(objective="val_loss", max_trials=2, **places)
    tuner.search(verbose=0)
    values = [trial.hyperparameters["value"] for trial in tuner.oracle.trials.values()]
    assert scores(tuner) == pytest.approx(sorted(values))


# What fails.


def counting(kt, error):
    class Counting(kt.GridSearch):
        calls = 0

        def run_trial(self, trial, **kwargs):
            self.calls += 1
            value = trial.hyperparameters.Int("value", 1, 5)
            if value in (2, 3):
                raise error(f"wrong value {value}")
            return value

    return Counting


@pytest.mark.parametrize(("name", "retries"), [("ValueError", 2), ("FailedTrialError", 0)])
def test_an_error_is_tried_again_unless_it_says_not_to(kt, places, name, retries):
    error = ValueError if name == "ValueError" else getattr(kt.errors, name)
    tuner = counting(kt, error)(max_retries_per_trial=2, **places)
    tuner.search(verbose=0)
    assert tuner.calls == 5 + 2 * retries
    failed = [trial for trial in tuner.oracle.trials.values() if trial.status == "FAILED"]
    assert sorted(trial.hyperparameters["value"] for trial in failed) == [2, 3]
    assert all("wrong value" in trial.message for trial in failed)
    assert [trial.score for trial in tuner.oracle.get_best_trials(3)] == [1, 4, 5]


def test_a_fatal_error_ends_the_search(kt, places):
    tuner = counting(kt, kt.errors.FatalError)(max_retries_per_trial=2, **places)
    with pytest.raises(kt.errors.FatalError, match="wrong value 2"):
        tuner.search(verbose=0)
    assert tuner.calls == 2


def test_a_model_that_is_too_large_fails_its_trial(kt, places):
    tuner = kt.RandomSearch(
        build, objective="val_loss", max_trials=3, max_model_size=4,
        max_consecutive_failed_trials=2, **places,
    )  # fmt: skip
    with pytest.raises(RuntimeError, match=r"consecutive|in a row|All"):
        tuner.search(**DATA)


def test_a_build_that_returns_no_model_ends_the_search(kt, places):
    tuner = kt.RandomSearch(lambda hp: hp.Int("x", 1, 9) and None, objective="val_loss", **places)
    with pytest.raises(kt.errors.FatalTypeError, match="model"):
        tuner.search(**DATA)


def test_callbacks_that_cannot_be_copied_are_named(kt, places):
    tuner = kt.RandomSearch(build, objective="val_loss", **places)
    with pytest.raises(ValueError, match="callbacks"):
        tuner.search(**DATA, callbacks=[kt])


# A space given beforehand.


def space_of(kt, **fixed):
    hp = kt.HyperParameters()
    hp.Int("layers", 1, 3, default=2)
    hp.Choice("learning_rate", [0.01, 0.001])
    for name, value in fixed.items():
        hp.Fixed(name, value)
    return hp


def static(hp):
    return sum(hp.get(f"units_{i}") for i in range(hp.get("layers")))


class Nothing:
    """What a black box builds."""


def asking(hp):
    for i in range(hp.Int("layers", 1, 5)):
        hp.Int(f"units_{i}", 5, 9, default=6)
    hp.Choice("learning_rate", [0.1, 0.2])
    return Nothing()


def test_a_static_space_stays_as_it_is(kt, places):
    hp = space_of(kt)
    for i in range(3):
        hp.Int(f"units_{i}", 4, 6, default=5)
    tuner = measuring(kt, static)(
        objective="val_loss", max_trials=4, hyperparameters=hp, allow_new_entries=False, **places
    )
    tuner.search(verbose=0)
    assert len(tuner.oracle.trials) == 4
    assert len(tuner.oracle.get_space().space) == 5


def test_a_static_space_that_lacks_something_is_an_error(kt, places):
    with pytest.raises(RuntimeError, match="`allow_new_entries` is `False`"):
        kt.RandomSearch(
            build, objective="val_loss", hyperparameters=space_of(kt), allow_new_entries=False,
            **places,
        )  # fmt: skip


@pytest.mark.parametrize("tune", [False, True])
def test_what_is_given_keeps_its_range_and_the_rest_is_tuned_or_default(kt, places, tune):
    class BlackBox(kt.RandomSearch):
        def run_trial(self, trial, **kwargs):
            self.hypermodel.build(trial.hyperparameters)
            return float(trial.hyperparameters["learning_rate"])

    tuner = BlackBox(
        asking, objective="val_loss", max_trials=6, hyperparameters=space_of(kt, units_0=4),
        tune_new_entries=tune, seed=3, **places,
    )  # fmt: skip
    tuner.search(verbose=0)
    names = {one.name for one in tuner.oracle.get_space().space}
    given = {"layers", "learning_rate", "units_0"}
    assert names == (given | {"units_1", "units_2"} if tune else given)
    for trial in tuner.oracle.trials.values():
        values = trial.hyperparameters.values
        assert values["learning_rate"] in (0.01, 0.001)
        assert values["layers"] in (1, 2, 3)
        assert values["units_0"] == 4
        if not tune:
            assert all(values.get(f"units_{i}", 6) == 6 for i in (1, 2))


# A project on disk.


def test_a_search_is_taken_up_and_extended(kt, places):
    def make(trials):
        return measuring(kt, lambda hp: hp.Float("x", 0, 1))(max_trials=trials, **places)

    first = make(2)
    first.search(verbose=0)
    again = make(4)
    again.reload()
    assert set(again.oracle.trials) == set(first.oracle.trials)
    assert again.remaining_trials == 2
    again.search(verbose=0)
    assert len(again.oracle.trials) == 4
    last = make(4)
    last.search(verbose=0)
    assert len(last.oracle.trials) == 4


def test_overwrite_forgets(kt, places):
    def make(**kwargs):
        return measuring(kt, lambda hp: hp.Float("x", 0, 1))(max_trials=2, **kwargs, **places)

    make().search(verbose=0)
    assert len(make().oracle.trials) == 2
    assert len(make(overwrite=True).oracle.trials) == 0


def test_verbose_0_prints_nothing(kt, places, capsys):
    tuner = measuring(kt, lambda hp: hp.Float("x", 0, 1))(max_trials=2, **places)
    tuner.search(verbose=0)
    assert capsys.readouterr().out.strip() == ""


# Anything else than Keras.


def test_a_base_tuner_searches_anything_and_keeps_it(kt, places):
    class Slope:
        def __init__(self, factor):
            self.factor = factor

    class Searching(kt.engine.base_tuner.BaseTuner):
        def run_trial(self, trial, x):
            model = self.hypermodel.build(trial.hyperparameters)
            self.save_model(trial.trial_id, model)
            return {"score": model.factor * x}

        def save_model(self, trial_id, model, step=0):
            path = Path(self.get_trial_dir(trial_id)) / "model.pickle"
            path.write_bytes(pickle.dumps(model.factor))

        def load_model(self, trial):
            path = Path(self.get_trial_dir(trial.trial_id)) / "model.pickle"
            return Slope(pickle.loads(path.read_bytes()))

    oracle = kt.oracles.RandomSearchOracle(kt.Objective("score", "max"), max_trials=4)
    tuner = Searching(oracle, lambda hp: Slope(hp.Float("a", 0, 10)), **places)
    tuner.search(1.0)
    factors = [model.factor for model in tuner.get_best_models(4)]
    assert factors == sorted(factors, reverse=True)
    assert len(factors) == 4


def test_an_idle_and_a_stopping_oracle_are_heeded(kt, places):
    statuses = ["IDLE", "RUNNING", "STOPPED"]

    class Pausing(kt.oracles.RandomSearchOracle):
        def populate_space(self, trial_id):
            status = statuses.pop(0) if statuses else "STOPPED"
            return {"status": status, "values": {}} if status == "RUNNING" else {"status": status}

    class BlackBox(kt.engine.base_tuner.BaseTuner):
        def run_trial(self, trial, **kwargs):
            return 1.0

    tuner = BlackBox(oracle=Pausing(max_trials=5), **places)
    tuner.search(verbose=0)
    assert len(tuner.oracle.end_order) == 1
