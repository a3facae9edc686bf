"""Regressions that learn on a scale of their own and answer on that of the targets."""

import keras
import keras_tuner
import numpy as np
import pytest
from sklearn.datasets import load_diabetes

import kt_hpo
from hypermodels import MLPHyperModel, SequenceHyperModel, TabularHyperModel

X, Y = load_diabetes(return_X_y=True, scaled=False)
X, Y = ((X - X.mean(axis=0)) / X.std(axis=0)).astype("float32"), Y.astype("float32")
SCALE = float(Y[:300].mean()), float(Y[:300].std())
HELD = X[300:], Y[300:]
SMALL = {"layers": 1, "units": 16, "dropout": 0.0, "normalization": "none", "epochs": 12}


def test_values_are_in_the_targets_own_units():
    hypermodel, hp = MLPHyperModel((10,), target_scale=SCALE, **SMALL), kt_hpo.HyperParameters()
    keras.utils.set_random_seed(0)
    model = hypermodel.build(hp)
    history = hypermodel.fit(hp, model, X[:300], Y[:300], validation_data=HELD, verbose=0).history
    predicted = model.predict(HELD[0], verbose=0)[:, 0]
    assert history["val_mae"][-1] == pytest.approx(np.abs(predicted - HELD[1]).mean(), rel=1e-3)
    assert 30 < history["val_mae"][-1] < 60
    unexplained = ((predicted - HELD[1]) ** 2).mean() / SCALE[1] ** 2
    assert history["val_loss"][-1] == pytest.approx(unexplained, rel=1e-3)
    assert history["val_loss"][-1] < 0.75


def test_without_a_scale_such_targets_are_hardly_reached():
    hypermodel, hp = MLPHyperModel((10,), **SMALL), kt_hpo.HyperParameters()
    keras.utils.set_random_seed(0)
    history = hypermodel.fit(
        hp, hypermodel.build(hp), X[:300], Y[:300], validation_data=HELD, verbose=0
    ).history
    assert history["val_mae"][-1] > 100


def test_training_is_that_of_scaled_targets():
    """The gradients are the same: neither the rate nor a penalty means something else."""

    def trained(y, scale):
        keras.utils.set_random_seed(3)
        hypermodel, hp = MLPHyperModel((10,), target_scale=scale, l2=1e-3, **SMALL), _hp()
        model = hypermodel.build(hp)
        hypermodel.fit(hp, model, X[:300], y[:300], shuffle=False, epochs=3, verbose=0)
        return model.predict(HELD[0], verbose=0)

    scaled = trained((Y - SCALE[0]) / SCALE[1], None)
    assert trained(Y, SCALE) == pytest.approx(scaled * SCALE[1] + SCALE[0], rel=1e-3)


def _hp():
    return keras_tuner.HyperParameters()


def test_a_saved_model_keeps_its_scale(tmp_path):
    model = TabularHyperModel((10,), target_scale=SCALE).build(_hp())
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    predicted = model.predict(X[:9], verbose=0)
    assert loaded.predict(X[:9], verbose=0) == pytest.approx(predicted)
    expected = model.evaluate(*HELD, verbose=0)
    assert loaded.evaluate(*HELD, verbose=0) == pytest.approx(expected, rel=1e-5)


def test_every_number_of_a_forecast_has_it():
    hypermodel = SequenceHyperModel((5, 2), outputs=3, target_scale=(100.0, 10.0))
    predicted = hypermodel.build(_hp()).predict(np.zeros((1, 5, 2)), verbose=0)
    assert predicted == pytest.approx(100.0, abs=1e-3)


@pytest.mark.slow
def test_however_it_is_trained_the_values_are_the_same(tmp_path):
    def values(name, **given):
        hypermodel = MLPHyperModel((10,), target_scale=SCALE, **SMALL, learning_rate=(1e-3, 1e-2))
        tuner = kt_hpo.RandomSearch(
            hypermodel, "val_loss", max_trials=4, seed=2, directory=tmp_path, project_name=name,
            **given,
        )  # fmt: skip
        tuner.search(X[:300], Y[:300], validation_data=HELD, shuffle=False, verbose=0)
        return tuner, [trial.value for trial in tuner.study.trials]

    _, by_fit = values("fit", compiled=False)
    _, compiled = values("compiled")
    vectorized, together = values("vectorized", executor=kt_hpo.Vectorized())
    assert vectorized.executor.notes == []
    assert compiled == pytest.approx(by_fit, rel=1e-3)
    assert together == pytest.approx(by_fit, rel=1e-3)
