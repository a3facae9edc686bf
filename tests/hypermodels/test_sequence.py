"""Sequences: texts, signals, forecasts, and their padding."""

import keras
import keras_tuner
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression
from tiers import few

import kt_hpo
from hypermodels import SequenceHyperModel, blocks
from hypermodels.sequence import BODIES
from kt_hpo.datasets.preprocessing import TextPreprocessing

# The rows of an image of a digit, from above, are a series of eight steps.
X, Y = load_digits(return_X_y=True)
X = (X / 16).reshape(-1, 8, 8).astype("float32")
LYNX = [
    269, 321, 585, 871, 1475, 2821, 3928, 5943, 4950, 2577, 523, 98, 184, 279, 409, 2285, 2685,
    3409, 1824, 409, 151, 45, 68, 213, 546, 1033, 2129, 2536, 957, 361, 377, 225, 360, 731, 1638,
    2725, 2871, 2119, 684, 299, 236, 245, 552, 1623, 3311, 6721, 4254, 687, 255, 473, 358, 784,
    1594, 1676, 2251, 1426, 756, 299, 201, 229, 469, 736, 2042, 2811, 4431, 2511, 389, 73, 39, 49,
    59, 188, 377, 1292, 4031, 3495, 587, 105, 153, 387, 758, 1307, 3465, 6991, 6313, 3794, 1836,
    345, 382, 808, 1388, 2713, 3800, 3091, 2985, 3790, 374, 81, 80, 108, 229, 399, 1132, 2432,
    3574, 2935, 1537, 529, 485, 662, 1000, 1590, 2657, 3396,
]  # fmt: skip
"""Lynx trapped in Canada, 1821 to 1934 (Brockwell & Davis 1991)."""


def hp():
    return keras_tuner.HyperParameters()


def build(steps, body, pooling="max", **given):
    given = {"vocabulary_size": 30, "units": 8, "layers": 2, "embedding": 6, "heads": 2} | given
    hypermodel = SequenceHyperModel((steps,), 3, body=body, pooling=pooling, **given)
    return hypermodel.build(hp())


def with_weights_of(model, other):
    """A model's weights are another's, drawn anew; of longer ones the first."""
    stream = np.random.default_rng(0)
    other.set_weights([stream.normal(size=one.shape) for one in other.get_weights()])
    pairs = zip(model.get_weights(), other.get_weights(), strict=True)
    model.set_weights([theirs[: len(ours)] if ours.ndim else theirs for ours, theirs in pairs])
    return model


TOKENS = st.lists(st.integers(1, 29), min_size=0, max_size=5)


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("pooling", few(["max", "average", "last"], "average"))
def test_padding_changes_no_prediction(body, pooling):
    long = build(8, body, pooling)
    short = with_weights_of(build(5, body, pooling), long)
    rows = [[4, 9, 2, 2, 7], [1, 1, 0, 0, 0], [12, 0, 0, 0, 0], [0, 0, 0, 0, 0]]
    x, padding = np.array(rows), np.zeros((4, 3), int)
    expected = short.predict(x, verbose=0)
    assert np.isfinite(expected).all()
    after = long.predict(np.concatenate([x, padding], axis=1), verbose=0)
    before = long.predict(np.concatenate([padding, x], axis=1), verbose=0)
    assert after == pytest.approx(expected, abs=1e-5)
    assert before == pytest.approx(expected, abs=1e-5)


@settings(max_examples=20)
@given(TOKENS, st.integers(0, 3), st.sampled_from(["max", "average", "last"]))
def test_pooling_looks_at_steps_that_are_there(tokens, before, pooling):
    steps = [[0.0]] * before + [[float(one)] for one in tokens] + [[0.0]] * 2
    x = np.array([steps], "float32")
    pooled = float(blocks.pooled_steps(x, pooling, blocks.padding_mask(x))[0, 0])
    by_hand = {"max": max, "average": np.mean, "last": lambda some: some[-1]}
    assert pooled == pytest.approx(by_hand[pooling](tokens) if tokens else 0.0)


def test_features_may_be_padded_with_any_number():
    def predicted(steps):
        hypermodel = SequenceHyperModel((len(steps), 2), padding=-1.0, body="gru", pooling="last")
        keras.utils.set_random_seed(1)
        return hypermodel.build(hp()).predict(np.array([steps], "float32"), verbose=0)

    there = [[0.0, 1.0], [-1.0, 2.0]]
    assert predicted([*there, [-1.0, -1.0]]) == pytest.approx(predicted(there), abs=1e-6)
    assert predicted([*there, [-1.0, 0.0]]) != pytest.approx(predicted(there), abs=1e-6)


def test_a_linear_model_of_texts_is_one_of_tf_idf():
    texts = np.array(["a good dog", "bad", "good good cat, bad dog", "the cat"], dtype=object)
    words = TextPreprocessing.learn(texts)
    bag = build(
        words.length, "linear", vocabulary_size=words.vocabulary_size,
        token_weights=words.token_weights,
    ).get_layer("bag")  # fmt: skip
    tokens = keras.Input((words.length,), dtype="int32")
    size, weights = words.vocabulary_size, words.token_weights
    model = keras.Model(tokens, blocks.bag_of_words(tokens, size, size, weights=weights))
    assert bag.embeddings.shape == (size, 3)
    model.get_layer("bag").set_weights([np.eye(size)])
    theirs = TfidfVectorizer(token_pattern=r"\w+", vocabulary=list(words.vocabulary)).fit(texts)
    found = model.predict(words.transform(texts), verbose=0)[:, 2:]
    expected = theirs.transform(texts).toarray()
    # A word that is there twice has the length of two words.
    assert found[[0, 1, 3]] == pytest.approx(expected[[0, 1, 3]], abs=1e-5)
    assert found[2] / found[2].max() == pytest.approx(expected[2] / expected[2].max(), abs=1e-5)


@pytest.mark.parametrize(("body", "shortcut"), [("linear", None), ("none", "linear")])
def test_a_linear_model_of_a_window_learns_a_season(body, shortcut):
    """What was there a week before, in windows of two weeks."""
    stream = np.random.default_rng(0)
    series = np.tile(stream.normal(size=7), 40) + np.linspace(0, 5, 280)
    windows = np.lib.stride_tricks.sliding_window_view(series, 21).astype("float32")
    x, y = windows[:, :14, None], windows[:, 20]
    hypermodel = SequenceHyperModel(
        (14, 1), body=body, shortcut=shortcut, dropout=0.0, learning_rate=5e-3, epochs=80
    )
    keras.utils.set_random_seed(0)
    known = hp()
    model = hypermodel.build(known)
    hypermodel.fit(known, model, x[:200], y[:200], verbose=0)
    errors = np.abs(model.predict(x[200:], verbose=0)[:, 0] - y[200:]).mean()
    assert errors < 0.5 * np.abs(x[200:, 7, 0] - y[200:]).mean()


def windows_of_waves():
    series = np.sin(np.arange(300) / 4) + np.arange(300) / 100
    windows = np.lib.stride_tricks.sliding_window_view(series, 30).astype("float32")
    return windows[:, :20, None], windows[:, -1]


@pytest.mark.parametrize(("body", "shortcut"), [("linear", None), (["linear", "none"], "none")])
def test_a_forecast_begins_with_what_ridge_regression_finds(body, shortcut):
    x, y = windows_of_waves()
    scale = float(y[:200].mean()), float(y[:200].std())
    hypermodel = SequenceHyperModel(
        (20, 1), target_scale=scale, body=body, shortcut=shortcut, learning_rate=1e-9
    )
    known = hp()
    if shortcut:
        hypermodel.build(known)
        known.values["body"] = "none"
    model = hypermodel.build(known)
    hypermodel.fit(known, model, x[:200], y[:200], epochs=1, verbose=0)
    weights = model.get_layer("solved").get_weights()
    if shortcut is None:
        error = np.abs(model.predict(x[200:], verbose=0)[:, 0] - y[200:]).mean()
        assert error < 0.02 * y.std()
    hypermodel.fit(known, model, x[:50], y[:50], epochs=2, initial_epoch=1, verbose=0)
    # A training that goes on has it already.
    assert all(map(np.array_equal, weights, model.get_layer("solved").get_weights()))


def test_what_a_forecast_learns_is_what_the_linear_model_leaves():
    x = np.random.default_rng(0).normal(size=(400, 4, 1)).astype("float32")
    y = x[:, 0, 0] + np.abs(x[:, 1, 0])
    hypermodel = SequenceHyperModel(
        (4, 1), body=["linear", "none"], dropout=0.0, learning_rate=5e-3, epochs=40
    )
    known = hp()
    hypermodel.build(known)
    known.values["body"] = "none"
    keras.utils.set_random_seed(0)
    model = hypermodel.build(known)
    hypermodel.fit(known, model, x[:300], y[:300], verbose=0)
    error = np.square(model.predict(x[300:], verbose=0)[:, 0] - y[300:]).mean()
    linear = LinearRegression().fit(x[:300, :, 0], y[:300]).predict(x[300:, :, 0])
    assert error < 0.5 * np.square(linear - y[300:]).mean()


def test_where_nothing_can_be_solved_the_linear_model_is_learned():
    x, y = windows_of_waves()
    for hypermodel in (
        SequenceHyperModel((20, 1), body="gru"),
        SequenceHyperModel((600, 1)),
        SequenceHyperModel((20, 1), num_classes=2),
        SequenceHyperModel((20, 1), padding=0.0),
    ):
        assert "solved" not in {layer.name for layer in hypermodel.build(hp()).layers}
    hypermodel = SequenceHyperModel((20, 1))
    known = hp()
    model = hypermodel.build(known)
    batches = (part for part in [(x[:32], y[:32])] * 4)
    hypermodel.fit(known, model, batches, epochs=1, verbose=0)
    assert not np.any(model.get_layer("solved").get_weights()[0])
    assert np.any(model.get_layer("linear").get_weights()[0])


def test_few_texts_begin_with_a_linear_model_and_many_with_another():
    few = SequenceHyperModel((40,), 2, vocabulary_size=9, train_size=40 * 500 - 1)
    many = SequenceHyperModel((40,), 2, vocabulary_size=9, train_size=40 * 500)
    assert (few.body.default, many.body.default) == ("linear", "conv")
    assert few.learning_rate.default > many.learning_rate.default
    # Padding would be steps of a linear model.
    padded, whole = SequenceHyperModel((40, 1), padding=0.0), SequenceHyperModel((40, 1))
    assert (padded.body.default, whole.body.default) == ("gru", "linear")
    # Whoever wants other bodies has the learning rates of these.
    other = SequenceHyperModel((40,), 2, vocabulary_size=9, train_size=9, body=["gru", "conv"])
    assert other.learning_rate == many.learning_rate and other.shortcut.values == "none"


def test_tokens_may_come_as_floats():
    model, x = build(4, "conv"), np.array([[3, 7, 0, 0]])
    assert np.array_equal(
        model.predict(x, verbose=0), model.predict(x.astype("float32"), verbose=0)
    )


@pytest.mark.parametrize("body", BODIES)
def test_the_model_is_what_its_hyperparameters_say(body):
    known = hp()
    SequenceHyperModel((6, 2), 3, body=body, preset="wide").build(known)
    assert ("num_layers" in known.values) == (body not in ("linear", "none"))
    assert ("units" in known.values) == ("shortcut" in known.values) == (body != "linear")
    assert ("kernel_size" in known.values) == (body == "conv")
    assert ("heads" in known.values) == (body == "transformer")
    assert ("direction" in known.values) == (body in ("lstm", "gru"))
    assert "embedding" not in known.values


@pytest.mark.parametrize(
    ("shape", "given", "message"),
    [
        ((7,), {}, r"vocabulary_size=.*\(7, 1\)"),
        ((7, 2), {"vocabulary_size": 10}, "is no sequence"),
        ((7, 2, 1), {}, "CNNHyperModel"),
        ((7,), {"vocabulary_size": 1}, "vocabulary_size=1"),
        ((7,), {"vocabulary_size": 9, "token_weights": [1.0]}, "one for each id"),
        ((7,), {"vocabulary_size": 9, "padding": 0.0}, "padding=0.0 is for features"),
        ((7, 2), {"padding": "none"}, "padding='none'"),
        ((7, 2), {"outputs": 0}, "outputs=0"),
        ((7, 2), {"outputs": 2, "num_classes": 3}, "outputs=2 is the horizon"),
        ((7, 2), {"body": "ltsm"}, "Did you mean 'lstm'"),
        ((7, 2), {"pooling": "mean"}, "pooling='mean' is not one of max"),
        ((0, 2), {}, r"input_shape=\(0, 2\)"),
    ],
)
def test_wrong_arguments_are_early_errors(shape, given, message):
    with pytest.raises(ValueError, match=message):
        SequenceHyperModel(shape, **given)


@pytest.mark.parametrize("body", BODIES)
def test_a_saved_model_is_the_same(body, tmp_path):
    model, x = build(5, body, "last"), np.array([[3, 7, 1, 0, 0]])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert np.array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))


@pytest.mark.slow
@pytest.mark.parametrize("body", ["conv", "lstm", "gru", "transformer"])
def test_rows_of_digits_are_told_apart(body, tmp_path):
    hypermodel = SequenceHyperModel((8, 8), 10, body=body, epochs=6)
    tuner = kt_hpo.RandomSearch(
        hypermodel, "val_accuracy", max_trials=1, seed=0, directory=tmp_path, try_defaults=True
    )
    tuner.search(X[:1200], Y[:1200], validation_data=(X[1200:], Y[1200:]), verbose=0)
    assert tuner.study.best_value > 0.75


@pytest.mark.slow
def test_texts_of_pixels_are_told_apart(tmp_path):
    """The pixels of a digit that are dark, as words, in their order, padded."""
    places = np.arange(1, 65)
    dark = [places[row.reshape(-1) > 0.4] for row in X]
    tokens = np.array([np.pad(some, (0, 64 - len(some))) for some in dark])
    hypermodel = SequenceHyperModel((64,), 10, vocabulary_size=65, body=["none", "conv"], epochs=8)
    tuner = kt_hpo.GridSearch(
        kt_hpo.Training(hypermodel), "val_accuracy", max_trials=2, directory=tmp_path
    )
    tuner.search(tokens[:1200], Y[:1200], validation_data=(tokens[1200:], Y[1200:]), verbose=0)
    assert tuner.study.best_value > 0.8


@pytest.mark.slow
def test_a_forecast_is_better_than_the_last_value(tmp_path):
    """Two years of a series with a cycle of ten."""
    series = np.log(LYNX).astype("float32")
    scale = float(series[:80].mean()), float(series[:80].std())
    windows = np.lib.stride_tricks.sliding_window_view(series, 14)
    x, y = (windows[:, :12, None] - scale[0]) / scale[1], windows[:, 12:].copy()
    hypermodel = SequenceHyperModel(
        (12, 1), outputs=2, target_scale=scale, learning_rate=5e-3, batch_size=16, epochs=40
    )
    keras.utils.set_random_seed(0)
    known = hp()
    model = hypermodel.build(known)
    hypermodel.fit(known, model, x[:70], y[:70], verbose=0)
    errors = np.abs(model.predict(x[70:], verbose=0) - y[70:]).mean()
    naive = np.abs(windows[70:, 11:12] - y[70:]).mean()
    assert errors < 0.8 * naive
