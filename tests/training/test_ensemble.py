"""Several models averaged into one."""

import keras
import numpy as np
import pytest
from keras import layers

import kt_hpo
from kt_hpo.training.ensemble import average

X = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")


def sequential():
    model = keras.Sequential([layers.Dense(4, activation="relu"), layers.Dense(1)])
    model.build((None, 3))
    return model


def functional():
    inputs = {"one": keras.Input((3,), name="one"), "other": keras.Input((3,), name="other")}
    x = layers.Concatenate()(list(inputs.values()))
    outputs = {"number": layers.Dense(1, name="number")(x), "kind": layers.Dense(2, name="kind")(x)}
    model = keras.Model(inputs, outputs)
    model.compile(
        "adam", {"number": "mse", "kind": "mse"}, metrics={"kind": ["mae"]}, loss_weights=[1, 0.5]
    )
    return model


class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(1)

    def call(self, inputs):
        return self.dense(inputs)


@pytest.mark.parametrize(
    ("make", "x"),
    [(sequential, X), (functional, {"one": X, "other": X**2})],
    ids=["sequential", "functional"],
)
def test_predicts_the_mean_also_when_it_is_loaded_again(tmp_path, make, x):
    models = [make() for _ in range(3)]
    averaged = average(models)
    averaged.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    each = [model.predict(x, verbose=0) for model in models]
    mean = keras.tree.map_structure(lambda *same: np.mean(same, axis=0), *each)
    for model in (averaged, again):
        keras.tree.map_structure(
            lambda ours, wanted: np.testing.assert_allclose(ours, wanted, atol=1e-6),
            model.predict(x, verbose=0),
            mean,
        )


def test_is_measured_as_the_first_is():
    x, y = {"one": X, "other": X**2}, {"number": X[:, :1], "kind": X[:, :2]}
    model = functional()
    expected = model.evaluate(x, y, verbose=0, return_dict=True)
    assert average([model, model]).evaluate(x, y, verbose=0, return_dict=True) == pytest.approx(
        expected, rel=1e-5
    )


def test_a_model_with_a_call_of_its_own_is_trained_once(tmp_path):
    def build(hp):
        model = Own()
        model.compile(keras.optimizers.SGD(hp.Float("rate", 1e-3, 1e-1)), "mse")
        return model

    tuner = kt_hpo.RandomSearch(
        build, "val_loss", max_trials=1, directory=tmp_path, project_name="own"
    )
    tuner.search(X, X[:, 0], validation_split=0.5, epochs=1, verbose=0)
    with pytest.warns(UserWarning, match=r"the best, Own, has a call\(\) of its own"):
        assert isinstance(tuner.fit_best(X, X[:, 0], ensemble=3), Own)
