"""The callbacks of a training: the search's and the user's."""

import sys

import keras
import keras_tuner
import pytest
from searches import FIT, WithFit, searched


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
