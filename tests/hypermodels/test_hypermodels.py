import importlib.util
import math
import os
import subprocess
import sys

import keras
import keras_tuner
import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_digits

import kt_hpo
from hypermodels import (
    CNNHyperModel,
    MLPHyperModel,
    ResNetHyperModel,
    SequenceHyperModel,
    TabularHyperModel,
    TransferHyperModel,
    blocks,
)
from hypermodels.ranges import WithDefault
from hypermodels.schedules import TrainingSchedule, WarmUp, make_schedule
from kt_hpo.space import domain
from kt_hpo.space.hyperparameters import HyperParameters

DIGITS = load_digits(return_X_y=True)
X, Y = (DIGITS[0] / 16).reshape(-1, 8, 8).astype("float32"), DIGITS[1]


def sampled(hypermodel, count, seed=0):
    """Configurations drawn at random from the whole space."""
    known = domain.explore(hypermodel.build, HyperParameters())
    stream = np.random.default_rng(seed)
    for _ in range(count):
        hps = known.copy()
        hps.values = domain.draw(known, stream)
        yield hps


HYPERMODELS = {
    "mlp": lambda: MLPHyperModel((8, 8), 10),
    "cnn": lambda: CNNHyperModel((8, 8), 10),
    "wide cnn": lambda: CNNHyperModel((8, 8), 10, preset="wide"),
    "large cnn": lambda: CNNHyperModel((28, 28, 3), 2, blocks=(1, 5), head=["global", "flatten"]),
    "regression": lambda: MLPHyperModel((10,), preset="wide", target_scale=(3.0, 2.0)),
    "resnet": lambda: ResNetHyperModel((8, 8), 10),
    "wide resnet": lambda: ResNetHyperModel((9, 7, 2), 10, preset="wide"),
    "texts": lambda: SequenceHyperModel((7,), 10, vocabulary_size=20, preset="wide"),
    "few texts": lambda: SequenceHyperModel((40,), 10, vocabulary_size=20, train_size=900),
    "signals": lambda: SequenceHyperModel((7, 2), 10),
    "forecast": lambda: SequenceHyperModel((7, 2), padding=0.0, preset="wide"),
    "linear forecast": lambda: SequenceHyperModel((7, 2), preset="wide"),
    "table": lambda: TabularHyperModel((20,), 10, columns=COLUMNS),
    "wide table": lambda: TabularHyperModel((20,), 10, columns=COLUMNS, preset="wide"),
    "transfer": lambda: TransferHyperModel((8, 8), 10, base=small_base()),
    "plain table": lambda: TabularHyperModel((20,), 10),
}


def small_base():
    inputs = keras.Input((8, 8, 1))
    return keras.Model(inputs, keras.layers.Conv2D(4, 3)(inputs))


COLUMNS = [
    ("a", "number", 0, 1), ("b", "category", 1, 9), ("c", "number", 10, 2), ("d", "date", 12, 3),
    ("e", "category", 15, 2), ("f", "text", 17, 3),
]  # fmt: skip
ONE_OUTPUT = ("large cnn", "regression", "forecast", "linear forecast")


@pytest.mark.parametrize("kind", HYPERMODELS)
def test_every_configuration_builds(kind):
    hypermodel = HYPERMODELS[kind]()
    outputs = 1 if kind in ONE_OUTPUT else 10
    for hp in sampled(hypermodel, 12):
        before = dict(hp.values)
        model = hypermodel.build(hp)
        assert hp.values == before, "a hyperparameter was met that exploring had not found"
        assert model.output_shape == (None, outputs)
        assert model.built


@pytest.mark.parametrize("kind", HYPERMODELS)
def test_keras_tuners_own_hyperparameters_build_it_too(kind):
    hypermodel = HYPERMODELS[kind]()
    for hps in sampled(hypermodel, 4, seed=1):
        theirs = keras_tuner.HyperParameters()
        theirs.values = dict(hps.values)
        model = hypermodel.build(theirs)
        assert model.count_params() == hypermodel.build(hps).count_params()
        assert {one.name for one in theirs.space if theirs.is_active(one)} <= hps.values.keys()


def test_the_space_is_conditional():
    for hp in sampled(MLPHyperModel((4,), 3, preset="wide"), 40):
        values = hp.values
        assert ("momentum" in values) == ("nesterov" in values) == (values["optimizer"] == "sgd")
        assert ("weight_decay" in values) == (values["optimizer"] == "adamw")
        assert ("warm_up" in values) == (values["schedule"] != "none")
        for layer in range(4):
            there = values["num_dense_layers"] > layer
            assert (f"dense_{layer}_units" in values) == there
    for hp in sampled(CNNHyperModel((8, 8), 3), 20):
        assert ("head" in hp.values) == (hp.values["num_blocks"] == 3)
        assert ("block_2_filters" in hp.values) == (hp.values["num_blocks"] == 3)
        assert ("dense_0_units" in hp.values) == (hp.values["num_dense_layers"] == 1)


def test_the_model_is_what_its_hyperparameters_say():
    hypermodel = CNNHyperModel((16, 16, 1), 10, preset="wide")
    for hp in sampled(hypermodel, 15):
        model = hypermodel.build(hp)
        kinds = [type(layer).__name__ for layer in model.layers]
        assert kinds.count("Conv2D") == hp["num_blocks"]
        assert model.get_layer("block_0_conv").filters == hp["block_0_filters"]
        assert model.get_layer("block_1_dropout").rate == hp["block_1_dropout"]
        assert ("BatchNormalization" in kinds) == (hp["normalization"] == "batch")
        assert ("RandomZoom" in kinds) == (hp["augmentation"] > 0)
        assert ("GlobalAveragePooling2D" in kinds) == (hp["head"] == "global")
        assert ("MaxPooling2D" in kinds) == (hp["pooling"] == "max")
        assert type(model.optimizer).__name__.lower() == hp["optimizer"]


def test_a_single_value_is_not_searched():
    hypermodel = MLPHyperModel(
        (4,), 3, layers=2, units=8, activation="relu", normalization="none", dropout=0.1, l2=0.0,
        batch_size=32, optimizer="sgd", learning_rate=0.1, momentum=0.9, schedule="cosine",
        warm_up=0.1,
    )  # fmt: skip
    known = domain.explore(hypermodel.build, HyperParameters())
    kinds = {hp.name: type(hp).__name__ for hp in known.space}
    assert {name for name, kind in kinds.items() if kind != "Fixed"} == {"nesterov"}


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"layers": (4, 1)}, r"layers=\(4, 1\)"),
        ({"units": 0}, "units=0.*from 1"),
        ({"dropout": (0.0, 1.5)}, "dropout"),
        ({"activation": "rleu"}, "Did you mean 'relu'"),
        ({"optimizer": ["adam", "sgdm"]}, "'sgdm' is not one of.*Did you mean 'sgd'"),
        ({"schedule": "cosin"}, "Did you mean 'cosine'"),
        ({"num_classes": 1}, "num_classes=1"),
        ({"batch_size": "large"}, "batch_size='large'"),
        ({"preset": "huge"}, "preset='huge' is not one of small, wide"),
        ({"preset": ["small"]}, "is not one of small, wide"),
        ({"units": WithDefault((8, 16), "x")}, "units"),
        ({"target_scale": (0.0, 1.0)}, "target_scale=.* is for regression, but num_classes=3"),
        ({"num_classes": None, "target_scale": (1.0, 0.0)}, "nothing to learn"),
        ({"num_classes": None, "target_scale": 3.0}, "mean and the standard deviation"),
        ({"num_classes": None, "target_scale": (math.nan, 1.0)}, "target_scale"),
    ],
)
def test_wrong_ranges_are_early_errors(kwargs, message):
    with pytest.raises(ValueError, match=message):
        MLPHyperModel((4,), **({"num_classes": 3} | kwargs))


@pytest.mark.parametrize("kind", [CNNHyperModel, ResNetHyperModel])
def test_a_vector_is_no_image(kind):
    with pytest.raises(ValueError, match="TabularHyperModel"):
        kind((30,), 2)


@pytest.mark.parametrize("kind", [CNNHyperModel, MLPHyperModel, ResNetHyperModel])
def test_an_unknown_argument_is_an_early_error(kind):
    with pytest.raises(TypeError, match=r"no argument 'learning'.*learning_rate"):
        kind((8, 8), 2, learning=0.1)


def test_what_is_given_wins_over_the_preset():
    small, wide = CNNHyperModel((8, 8), 10), CNNHyperModel((8, 8), 10, preset="wide")
    assert small.optimizer.values == ["adam", "adamw"] and "sgd" in wide.optimizer.values
    for preset in ("small", "wide"):
        given = CNNHyperModel((8, 8), 10, preset=preset, optimizer="rmsprop", filters=(4, 12))
        known = domain.explore(given.build, HyperParameters())
        assert known.get("optimizer") == "rmsprop"
        # The nearest to the default that the range has.
        assert (known.get("block_0_filters"), known.get("block_1_filters")) == (12, 12)


def test_a_default_is_ones_own_if_one_likes():
    given = {"units": WithDefault((8, 64), 20), "activation": WithDefault(["tanh", "relu"], "relu")}
    hp = keras_tuner.HyperParameters()
    MLPHyperModel((4,), 3, **given).build(hp)
    assert (hp.get("dense_0_units"), hp.get("activation")) == (20, "relu")


@pytest.mark.parametrize("kind", HYPERMODELS)
def test_every_default_is_in_its_range(kind):
    known = domain.explore(HYPERMODELS[kind]().build, HyperParameters())
    for hyperparameter in known.space:
        assert domain.holds(hyperparameter, hyperparameter.default), hyperparameter.name


def test_short_trainings_have_no_augmentation():
    def augmentation(**given):
        return CNNHyperModel((8, 8), 10, **given).augmentation.values

    assert augmentation(epochs=4) == 0.0
    assert augmentation(epochs=(2, 5)) == augmentation() == [0.0, 0.05]
    assert augmentation(epochs=4, augmentation=[0.1, 0.2]) == [0.1, 0.2]
    assert augmentation(epochs=4, preset="wide") == [0.0, 0.05]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["mlp", "cnn"])
def test_a_search_over_digits_learns_them(kind, tmp_path):
    easy = {"optimizer": "adam", "learning_rate": (1e-3, 1e-2), "schedule": "none", "epochs": 6}
    if kind == "mlp":
        hypermodel = MLPHyperModel((8, 8), 10, layers=(1, 2), dropout=(0.0, 0.2), **easy)
    else:
        hypermodel = CNNHyperModel((8, 8), 10, blocks=1, head="flatten", augmentation=0.0, **easy)
    tuner = kt_hpo.RandomSearch(
        hypermodel, "val_accuracy", max_trials=2, seed=0, directory=tmp_path
    )
    tuner.search(X[:1200], Y[:1200], validation_data=(X[1200:], Y[1200:]), verbose=0)
    assert tuner.study.best_value > 0.85
    assert {trial.params["epochs"] for trial in tuner.study.trials} == {6}


@pytest.mark.slow
def test_regression_learns(tmp_path):
    x, y = load_diabetes(return_X_y=True)
    x, y = (x / x.std(axis=0)).astype("float32"), ((y - y.mean()) / y.std()).astype("float32")
    hypermodel = MLPHyperModel(
        (10,), layers=1, dropout=0.0, optimizer="adam", learning_rate=0.01, normalization="none"
    )
    hp = keras_tuner.HyperParameters()
    keras.utils.set_random_seed(0)
    model = hypermodel.build(hp)
    history = hypermodel.fit(hp, model, x, y, validation_split=0.2, verbose=0)
    assert min(history.history["val_loss"]) < 0.7
    assert "val_mae" in history.history


def test_fit_uses_the_hyperparameters_unless_told_otherwise():
    hypermodel = MLPHyperModel((8, 8), 10, layers=1, epochs=2, batch_size=64)
    hp = keras_tuner.HyperParameters()
    steps = -(-len(X) // 64)
    model = hypermodel.build(hp)
    assert hypermodel.fit(hp, model, X, Y, verbose=0).epoch == [0, 1]
    assert int(model.optimizer.iterations) == 2 * steps
    model = hypermodel.build(hp)
    hypermodel.fit(hp, model, x=X, y=Y, epochs=3, initial_epoch=2, batch_size=len(X), verbose=0)
    assert int(model.optimizer.iterations) == 1


def test_schedules_warm_up_and_fall():
    cosine = make_schedule("cosine", 0.1, steps=100, warm_up=0.1)
    rates = [float(cosine(step)) for step in range(101)]
    assert rates[0] == 0
    assert rates[5] == pytest.approx(0.05)
    assert max(rates) == rates[10] == pytest.approx(0.1)
    assert rates[55] == pytest.approx(0.05, rel=1e-3)
    assert rates[100] == pytest.approx(0, abs=1e-6)
    exponential = make_schedule("exponential", 0.1, steps=100, warm_up=0.0)
    assert float(exponential(100)) == pytest.approx(0.001, rel=1e-3)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(cosine))
    assert isinstance(again, WarmUp)
    assert [float(again(step)) for step in range(101)] == rates


def test_a_saved_model_is_the_same(tmp_path):
    hypermodel = CNNHyperModel((8, 8), 10, schedule="exponential", warm_up=0.1, augmentation=0.05)
    model = hypermodel.build(keras_tuner.HyperParameters())
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert np.array_equal(loaded.predict(X[:9], verbose=0), model.predict(X[:9], verbose=0))
    schedule = loaded.optimizer._learning_rate
    assert isinstance(schedule, TrainingSchedule)
    assert schedule.get_config() == model.optimizer._learning_rate.get_config()
    assert float(schedule(700)) == float(model.optimizer._learning_rate(700))


@pytest.mark.slow
def test_a_hypermodel_of_ones_own_is_a_dozen_lines(tmp_path):
    class Mine(keras_tuner.HyperModel):
        def build(self, hp):
            inputs = keras.Input((8, 8, 1))
            x = blocks.conv_block(hp, inputs, index=0, filters=(4, 8))
            x = keras.layers.Flatten()(x)
            x = blocks.dense_stack(
                hp, x, layers=(1, 2), units=(8, 32), penalty=blocks.regularizer(hp)
            )
            model = keras.Model(inputs, blocks.output(x, num_classes=10))
            model = blocks.compiled(model, blocks.optimizer(hp), num_classes=10)
            model.run_eagerly = True
            return model

    tuner = kt_hpo.RandomSearch(Mine(), "val_loss", max_trials=2, seed=0, directory=tmp_path)
    tuner.search(X[:90, ..., None], Y[:90], validation_split=0.2, epochs=1, verbose=0)
    assert len(tuner.study.trials) == 2
    assert {"learning_rate", "l2", "block_0_filters"} <= set(tuner.study.best_params)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_any_backend_of_keras_trains_them(backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    program = (
        "import keras, keras_tuner, numpy as np\n"
        "from hypermodels import CNNHyperModel\n"
        "hp = keras_tuner.HyperParameters()\n"
        "hypermodel = CNNHyperModel((8, 8), 3, epochs=1, schedule='cosine', warm_up=0.2)\n"
        "model = hypermodel.build(hp)\n"
        "x, y = np.random.rand(64, 8, 8), np.arange(64) % 3\n"
        "print(hypermodel.fit(hp, model, x, y, verbose=0).epoch, keras.backend.backend())\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
    )
    assert ended.stdout == f"[0] {backend}\n", ended.stderr


@pytest.mark.parametrize("preset", ["large", None, ["small"], np.arange(3)], ids=repr)
def test_a_preset_that_there_is_not_is_said(preset):
    with pytest.raises(ValueError, match="is not one of small, wide"):
        MLPHyperModel((4,), 3, preset=preset)
