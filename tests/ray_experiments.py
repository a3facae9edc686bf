"""What Ray's actors in the tests train."""

import keras
import keras_tuner
from models import blobs, eager

X, Y = blobs(64)
DATA = {"validation_data": (X, Y), "batch_size": 32}


class Fragile(keras_tuner.HyperModel):
    """Breaks in its second epoch where `units` is 3, and when it is built where that is 4."""

    def build(self, hp):
        if hp.Int("units", 1, 32) == 4:
            raise ArithmeticError("not four")
        return eager(hp)

    def fit(self, hp, model, *args, **kwargs):
        if hp.get("units") == 3 and kwargs["initial_epoch"] == 1:
            raise ArithmeticError("not three")
        return model.fit(*args, **kwargs)


def noisy(hp):
    """A model with dropout, whose training is one of chance."""
    layers = [
        keras.Input((4,)),
        keras.layers.Dense(8, activation="relu"),
        keras.layers.Dropout(0.5),
        keras.layers.Dense(hp.Int("outputs", 1, 2), activation="sigmoid"),
    ]
    model = keras.Sequential(layers)
    rate = hp.Float("rate", 1e-6, 1e-1, sampling="log")
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", run_eagerly=True)
    return model
