import csv
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from models import blobs, build, eager
from searches import UntilPromoted

import kt_hpo
from kt_hpo.training import precision
from kt_hpo.training.options import TrainingOptions

X, Y = blobs(120)
FIT = {"validation_split": 0.25, "batch_size": 120, "epochs": 2, "verbose": 0}


def searched(tmp_path, hypermodel=eager, fit=FIT, **kwargs):
    arguments = {"objective": "val_loss", "max_trials": 1, "seed": 0, "directory": tmp_path}
    tuner = kt_hpo.RandomSearch(hypermodel, **{**arguments, **kwargs})
    tuner.search(X, Y, **fit)
    return tuner


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cross_valdation": 5}, "Did you mean 'cross_validation'"),
        ({"precision": "bfloat16"}, "precision='bfloat16'"),
        ({"jit_compile": "yes"}, "jit_compile='yes'"),
        ({"steps_per_execution": 0}, "steps_per_execution=0"),
        ({"scale_learning_rate": 0.5}, "scale_learning_rate=0.5"),
        ({"reduce_lr_on_plateau": 0}, "reduce_lr_on_plateau=0"),
        ({"trial_timeout": -1}, "trial_timeout=-1"),
        ({"time_budget": "1h"}, "time_budget='1h'"),
        ({"deterministic": 1}, "deterministic=1"),
        ({"csv_log": "log.csv"}, "csv_log='log.csv'"),
    ],
)
def test_a_wrong_option_is_an_early_error(options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        kt_hpo.RandomSearch(build, "val_loss", directory=tmp_path, **options)


def test_options_are_nothing_for_a_run_trial_of_ones_own(tmp_path):
    class Parabola(kt_hpo.RandomSearch):
        def run_trial(self, trial):
            return trial.hyperparameters.Float("x", -1, 1) ** 2

    tuner = Parabola(max_trials=1, directory=tmp_path, cross_validation=3, csv_log=True)
    with pytest.raises(ValueError, match="cross_validation, csv_log"):
        tuner.search(verbose=0)


@pytest.mark.slow
def test_precision_reaches_the_model_and_leaves_the_program_alone(tmp_path):
    losses = {}
    for name in ("float32", "mixed_float16", "mixed_bfloat16"):
        tuner = searched(tmp_path, precision=name, project_name=name)
        model = tuner.get_best_models()[0]
        assert model.layers[0].dtype_policy.name == name
        scales = isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
        assert scales == (name == "mixed_float16")
        losses[name] = tuner.study.best_value
    assert keras.config.dtype_policy().name == "float32"
    assert losses["mixed_bfloat16"] == pytest.approx(losses["float32"], rel=0.05)
    assert losses["mixed_float16"] == pytest.approx(losses["float32"], rel=0.05)


@pytest.mark.slow
def test_a_trial_goes_on_with_a_scaled_loss(tmp_path):
    """Beside Keras, the loss scale has to come along, and the learning rate not."""
    tuner = UntilPromoted(
        eager, "val_loss", max_epochs=2, factor=2, seed=0, directory=tmp_path,
        precision="mixed_float16",
    )  # fmt: skip
    tuner.search(X, Y, validation_split=0.25, batch_size=90, verbose=0)
    assert [trial.state.name for trial in tuner.study.trials] == ["COMPLETE"] * 3


def test_auto_is_mixed_on_tensor_cores_only(monkeypatch):
    def with_gpus(*capabilities):
        monkeypatch.setattr(
            tf.config, "list_physical_devices", lambda kind=None: list(range(len(capabilities)))
        )
        monkeypatch.setattr(
            tf.config.experimental,
            "get_device_details",
            lambda gpu: {"compute_capability": capabilities[gpu]},
        )
        return precision.chosen("auto")

    assert with_gpus() == "float32"
    assert with_gpus((6, 1)) == "float32"
    assert with_gpus((7, 0), (9, 0)) == "mixed_float16"
    assert with_gpus((7, 0), (6, 1)) == "float32"


@pytest.mark.slow
def test_compiled_and_longer_executions_give_the_same_losses(tmp_path):
    plain = searched(tmp_path, build, project_name="plain").study.best_value
    tuner = searched(
        tmp_path, build, project_name="xla", jit_compile=True, steps_per_execution="auto"
    )
    assert tuner.study.best_value == pytest.approx(plain, rel=1e-4)
    model = tuner.get_best_models()[0]
    assert (model.jit_compile, model.steps_per_execution) == (True, 32)
    few = searched(tmp_path, build, project_name="few", steps_per_execution=2, jit_compile="auto")
    assert few.study.best_value == pytest.approx(plain, rel=1e-4)
    assert not few.get_best_models()[0].jit_compile


def test_the_csv_log_holds_every_epoch(tmp_path):
    tuner = searched(tmp_path, csv_log=True, executions_per_trial=2)
    folder = Path(tuner.project_dir) / "trial_0000"
    for execution, name in enumerate(("log.csv", "log_1.csv")):
        rows = list(csv.DictReader((folder / name).open()))
        history = tuner.study.trials[0].user_attrs["history"][execution]
        assert [float(row["val_loss"]) for row in rows] == pytest.approx(history["val_loss"])


def test_the_learning_rate_falls_on_a_plateau(tmp_path):
    def flat(hp):
        model = eager(hp)
        model.trainable = False
        return model

    rates = []

    class Rates(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            rates.append(float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)))

    fit = FIT | {"epochs": 4, "callbacks": [Rates]}
    searched(tmp_path, flat, fit, reduce_lr_on_plateau=2)
    assert np.divide(rates, rates[0]) == pytest.approx([1, 1, 1, 0.1], rel=1e-3)


@pytest.mark.slow
def test_executions_have_a_mean_and_its_standard_error(tmp_path):
    tuner = searched(tmp_path, executions_per_trial=3)
    attributes = tuner.study.trials[0].user_attrs
    values = [row["metrics"]["val_loss"] for row in attributes["executions"]]
    assert tuner.study.best_value == pytest.approx(np.mean(values))
    error = np.std(values, ddof=1) / np.sqrt(3)
    assert attributes["standard_error"]["val_loss"] == pytest.approx(error)
    assert tuner.to_dataframe()["standard_error"][0] == pytest.approx(error)


@pytest.mark.parametrize(
    "option",
    [{"cross_validation": 2}, {"precision": "float32"}, {"trial_timeout": 60.0}],
    ids=str,
)
def test_vectorized_trials_fall_back_where_an_option_asks_for_it(option, tmp_path):
    executor = kt_hpo.Vectorized(2)
    fit = {"epochs": 1, "batch_size": 120, "verbose": 0}
    if "cross_validation" not in option:
        fit["validation_split"] = 0.25
    tuner = searched(tmp_path, eager, fit, executor=executor, **option)
    assert executor.notes == [f"{next(iter(option))} is set"]
    assert tuner.study.trials[0].state.name == "COMPLETE"


def test_vectorized_trials_keep_what_they_can_honor(tmp_path):
    executor = kt_hpo.Vectorized(2)
    tuner = searched(
        tmp_path, build, executor=executor, csv_log=True, reduce_lr_on_plateau=3,
        steps_per_execution=2, executions_per_trial=2,
    )  # fmt: skip
    assert executor.notes == []
    assert (Path(tuner.project_dir) / "trial_0000" / "log_1.csv").exists()
    assert len(tuner.study.trials[0].user_attrs["executions"]) == 2


def test_options_travel_between_processes():
    import pickle

    from sklearn.model_selection import GroupKFold

    options = TrainingOptions(cross_validation=GroupKFold(3), trial_timeout=3.0)
    assert pickle.loads(pickle.dumps(options)).trial_timeout == 3.0
