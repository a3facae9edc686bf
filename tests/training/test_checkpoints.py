from pathlib import Path

import keras
import numpy as np
import pytest
from models import blobs, eager
from searches import FIT, searched

from kt_hpo.training import checkpoints


def model():
    made = keras.Sequential([keras.layers.Dense(3), keras.layers.Dense(1)])
    made.compile(keras.optimizers.Adam(0.01), loss="mse", run_eagerly=True)
    return made


@pytest.mark.slow
def test_a_restored_model_trains_on_as_if_it_had_not_stopped(tmp_path):
    x, y = blobs()
    fit = {"epochs": 2, "batch_size": 50, "shuffle": False, "verbose": 0}
    keras.utils.set_random_seed(0)
    whole = model()
    whole.fit(x, y, **fit)
    checkpoints.save(whole, tmp_path / "trial_0000" / checkpoints.LAST)
    expected = whole.fit(x, y, **fit).history["loss"]
    restored = model()  # Not built, like the models of many users.
    checkpoints.restore(restored, tmp_path / "trial_0000" / checkpoints.LAST)
    assert int(restored.optimizer.iterations) == 8
    assert restored.fit(x, y, **fit).history["loss"] == pytest.approx(expected, rel=1e-6)
    # Without the optimizer's state it would not be the same.
    restored = model()
    checkpoints.restore(restored, tmp_path / "trial_0000" / checkpoints.LAST)
    for variable in restored.optimizer.variables[2:]:
        variable.assign(np.zeros(variable.shape))
    assert restored.fit(x, y, **fit).history["loss"] != pytest.approx(expected, rel=1e-6)


RATES = {
    "constant": lambda rate: keras.optimizers.Adam(rate),
    "scaled": lambda rate: keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(rate)),
    "schedule": lambda rate: keras.optimizers.Adam(
        keras.optimizers.schedules.ExponentialDecay(rate, 4, 0.5)
    ),
}


@pytest.mark.parametrize("kind", RATES)
def test_a_continued_model_trains_with_its_own_learning_rate(kind, tmp_path):
    x, y = blobs()
    path = tmp_path / "trial_0000" / checkpoints.LAST
    before, still = model(), model()
    before.compile(RATES[kind](0.01), loss="mse", run_eagerly=True)
    before.fit(x, y, epochs=2, batch_size=50, verbose=0)
    checkpoints.save(before, path)
    still.compile(RATES[kind](0.0), loss="mse", run_eagerly=True)
    checkpoints.go_on_from(still, path)
    assert int(still.optimizer.iterations) == 8
    still.fit(x, y, batch_size=50, verbose=0)
    for one, other in zip(still.get_weights(), before.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    faster = model()
    faster.compile(RATES[kind](0.1), loss="mse")
    checkpoints.go_on_from(faster, path)
    decay = 0.25 if kind == "schedule" else 1
    assert float(np.array(faster.optimizer.learning_rate)) == pytest.approx(0.1 * decay)


def test_a_state_outlives_another_compile(tmp_path):
    """As of a `fit` that trains a head first, and then what is below it."""
    layers = [keras.Input((3,)), keras.layers.Dense(2, trainable=False), keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    model.compile("adam", "mse")
    x = np.ones((8, 3))
    model.fit(x, x[:, :1], verbose=0)
    before = [np.array(variable) for variable in [*model.weights, *model.optimizer.variables]]
    state = checkpoints.State(model)
    model.layers[0].trainable = True
    model.compile("adam", "mse")
    model.fit(x, x[:, :1], epochs=2, verbose=0)
    after = [np.array(variable) for variable in [*model.weights, *model.optimizer.variables]]
    state.save(tmp_path / checkpoints.BEST)
    assert all(map(np.array_equal, after, [*model.weights, *model.optimizer.variables]))
    again = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(2, trainable=False), keras.layers.Dense(1)]
    )
    again.compile("adam", "mse")
    checkpoints.restore(again, tmp_path / checkpoints.BEST)
    assert all(map(np.array_equal, before, [*again.weights, *again.optimizer.variables]))


def test_keep_only_leaves_a_users_files_alone(tmp_path):
    made = model()
    made.build((None, 4))
    for trial in ("0000", "0001", "0002"):
        for name in (checkpoints.BEST, checkpoints.LAST):
            checkpoints.save(made, tmp_path / f"trial_{trial}" / name)
    (tmp_path / "trial_0001" / "notes.txt").write_text("mine")
    checkpoints.keep_only(tmp_path, best=["0000"], last=[])
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*") if path.is_file()}
    assert left == {
        "trial_0000/checkpoint.weights.h5",
        "trial_0000/build_config.json",
        "trial_0001/notes.txt",
    }
    assert not (tmp_path / "trial_0002").exists()


def test_a_checkpoint_that_is_gone_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="keep_checkpoints"):
        checkpoints.restore(model(), tmp_path / "trial_0000" / checkpoints.BEST)


def test_only_the_best_checkpoints_stay(tmp_path):
    fit = FIT | {"batch_size": 200}
    tuner = searched(tmp_path, hypermodel=eager, fit=fit, max_trials=4, keep_checkpoints=2)
    left = {path.parent.name for path in Path(tuner.project_dir).rglob("*.h5")}
    assert left == {f"trial_{trial.trial_id}" for trial in tuner.oracle.get_best_trials(2)}
    with pytest.raises(FileNotFoundError, match="keep_checkpoints"):
        tuner.load_model(tuner.oracle.get_best_trials(4)[-1])
