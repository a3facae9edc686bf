import keras
import numpy as np
import pytest
from models import blobs, eager

import kt_hpo
from kt_hpo.training.learning_rate import batch_size_of, scale

X, Y = blobs(96)


def quadratic():
    """A model whose largest stable learning rate is known: 2 over the curvature of its loss."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.compile(keras.optimizers.SGD(0.123), loss="mse")
    return model


def test_the_range_ends_where_training_diverges():
    model = quadratic()
    x = np.ones((256, 1), "float32")
    before = model.get_weights()
    # The loss is (w - 3)^2: gradient descent diverges from a learning rate of 1 on.
    y = 3 * x + np.random.default_rng(0).normal(size=x.shape).astype("float32")
    found = kt_hpo.find_learning_rate(model, x, y, low=1e-4, high=100.0, steps=120)
    assert found.low < found.steepest < found.high < 4.0
    assert found.high > 0.01
    assert found.rates[-1] < 100
    assert found.range == (found.low, found.high)
    assert np.array_equal(model.get_weights(), before)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.123)
    assert int(model.optimizer.iterations) == 0
    assert found.plot().get_xscale() == "log"


@pytest.mark.slow
def test_a_hypermodel_is_tested_with_its_data_as_they_are():
    found = kt_hpo.find_learning_rate(
        eager, X, Y, batch_size=16, steps=20, validation_split=0.5, epochs=1, low=1e-5, high=1.0
    )
    assert len(found.rates) == 20
    assert (
        found.range
        == kt_hpo.find_learning_rate(
            eager, X, Y, batch_size=16, steps=20, validation_split=0.5, epochs=1, low=1e-5, high=1.0
        ).range
    )


def test_what_cannot_be_tested_says_why():
    with pytest.raises(ValueError, match="0 < low < high"):
        kt_hpo.find_learning_rate(eager, X, Y, low=1.0, high=0.1)
    with pytest.raises(ValueError, match="steps=3"):
        kt_hpo.find_learning_rate(eager, X, Y, steps=3)
    model = quadratic()
    model.compile(keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 10)), "mse")
    with pytest.raises(ValueError, match="schedule"):
        kt_hpo.find_learning_rate(model, X[:, :1], Y)
    with pytest.raises(ValueError, match="not finite"):
        kt_hpo.find_learning_rate(quadratic(), np.full((64, 1), np.inf), np.zeros(64))
    with pytest.raises(ValueError, match="falls at no learning rate"):
        kt_hpo.find_learning_rate(quadratic(), np.zeros((64, 1)), np.ones(64), steps=10)


def test_a_learning_rate_goes_with_its_batch_size(tmp_path):
    rates = []

    class Rates(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            rates.append(float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)))

    tuner = kt_hpo.RandomSearch(
        kt_hpo.Training(eager, batch_size=[8, 64], learning_rate=[0.01]), "val_loss",
        max_trials=2, seed=0, directory=tmp_path, scale_learning_rate=32,
    )  # fmt: skip
    for size in (8, 64):
        tuner.enqueue({"batch_size": size})
    tuner.search(X, Y, validation_split=0.25, verbose=0, callbacks=[Rates])
    factors = {
        t.params["batch_size"]: t.user_attrs["learning_rate_factor"] for t in tuner.study.trials
    }
    assert factors == {8: 0.25, 64: 2.0}
    assert sorted(set(rates)) == pytest.approx([0.0025, 0.02])


def test_a_schedule_is_scaled_and_kept(tmp_path):
    model = quadratic()
    model.compile(
        keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)), "mse"
    )
    scale(model, 4.0)
    assert [float(model.optimizer._learning_rate(step)) for step in (0, 1)] == pytest.approx(
        [0.4, 0.2]
    )
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert float(loaded.optimizer._learning_rate(0)) == pytest.approx(0.4)


def test_the_global_batch_size_is_found():
    import tensorflow as tf

    data = tf.data.Dataset.from_tensor_slices((X, Y))
    assert batch_size_of(((data.batch(7),), {}), {"batch_size": 64}) == 7
    assert batch_size_of(((data,), {}), {"batch_size": 64}, True) == 64
    assert batch_size_of(((X, Y), {"batch_size": 5}), {"batch_size": 64}) == 5
    assert batch_size_of(((X, Y), {}), {}) == 32
