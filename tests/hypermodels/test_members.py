"""Several networks in one."""

import keras
import keras_tuner
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kt_hpo
from hypermodels import TabularHyperModel
from hypermodels.blocks import members
from kt_hpo.datasets.preprocessing.base import _untrained

LOSSES = {
    None: keras.losses.MeanSquaredError(),
    2: keras.losses.BinaryCrossentropy(from_logits=True),
    3: keras.losses.SparseCategoricalCrossentropy(from_logits=True),
}


@settings(max_examples=30, deadline=None)
@given(st.sampled_from([None, 2, 3]), st.integers(1, 5), st.integers(1, 6), st.integers(0, 99))
def test_the_loss_of_a_training_is_the_mean_of_the_members_losses(classes, count, rows, seed):
    stream = np.random.default_rng(seed)
    z = (5 * stream.normal(size=(rows, count, 3 if classes == 3 else 1))).astype("float32")
    y = stream.integers(0, classes or 9, (rows, 1))
    average, loss = members.Average(classes), LOSSES[classes]
    mean = average(z, training=True)
    alone = np.mean([float(loss(y, z[:, member])) for member in range(count)])
    assert float(loss(y, mean)) + float(average.losses[0]) == pytest.approx(alone, rel=1e-4)
    assert float(average.losses[0]) >= -1e-4


def test_nothing_is_added_outside_of_training():
    average = members.Average(None)
    assert np.asarray(average(np.ones((2, 4, 1)))).tolist() == [[1], [1]] and not average.losses


@pytest.mark.parametrize("body", ["mlp", "residual"])
@pytest.mark.parametrize("classes", [None, 2, 3])
def test_a_saved_model_is_of_layers_of_keras_alone(classes, body, tmp_path):
    hp = keras_tuner.HyperParameters()
    scale = (3.0, 2.0) if classes is None else None
    space = TabularHyperModel((5,), classes, members=4, body=body, target_scale=scale)
    model = space.build(hp)
    saved = _untrained(model)
    assert {type(layer).__module__.partition(".")[0] for layer in saved.layers} == {"keras"}
    x = np.random.default_rng(0).normal(size=(9, 5)).astype("float32")
    saved.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.predict(x, verbose=0) == pytest.approx(model.predict(x, verbose=0), abs=1e-6)


def test_one_member_is_a_plain_network():
    hp = keras_tuner.HyperParameters()
    plain = TabularHyperModel((5,), 2, members=1).build(hp)
    assert not any(isinstance(layer, members.Average) for layer in plain.layers)
    assert plain.get_layer("dense_0").output.shape == (None, 128)


@pytest.mark.slow
def test_however_members_are_trained_the_values_are_the_same(tmp_path):
    x = np.random.default_rng(0).normal(size=(200, 4)).astype("float32")
    y = (x[:, 0] * x[:, 1] > 0).astype("int32")

    def values(name, **given):
        space = TabularHyperModel(
            (4,), 2, members=4, body="mlp", layers=1, units=16, dropout=0.0, normalization="none",
            batch_size=32, optimizer="adam", schedule="none",
        )  # fmt: skip
        tuner = kt_hpo.RandomSearch(
            space, "val_loss", max_trials=3, seed=1, directory=tmp_path, project_name=name, **given
        )
        data = (x[150:], y[150:])
        fit = {"epochs": 3, "shuffle": False, "verbose": 0}
        tuner.search(x[:150], y[:150], validation_data=data, **fit)
        return tuner, [trial.value for trial in tuner.study.trials]

    _, one_by_one = values("one")
    vectorized, together = values("together", executor=kt_hpo.Vectorized())
    assert vectorized.executor.notes == []
    assert together == pytest.approx(one_by_one, rel=1e-3)
