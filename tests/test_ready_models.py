"""What suits some data."""

import dataclasses

import numpy as np

import kt_hpo
from kt_hpo.datasets.preprocessing.texts import TextPreprocessing
from kt_hpo.ready_models import choose_ensemble, choose_epochs, choose_folds, make_hypermodel


def test_small_tables_and_few_sequences_train_for_more_epochs():
    wine = kt_hpo.datasets.load("wine").train
    texts = dataclasses.replace(wine, preprocessing=TextPreprocessing(("word",), length=13))
    windows = dataclasses.replace(wine, x=wine.x[..., None], preprocessing=None)
    assert choose_epochs(wine).most == 200
    assert choose_epochs(windows) == choose_epochs(wine)
    assert choose_epochs(texts) == choose_epochs(texts, "sequence") == (200, 200)
    assert choose_epochs(texts, object()) == choose_epochs(windows, "mine:Model") == (20, 1)
    assert choose_epochs(kt_hpo.datasets.load("digits").train) == (20, 1)


def test_few_rows_of_a_table_are_compared_on_folds():
    few = kt_hpo.datasets.load("wine")
    many = kt_hpo.datasets.from_arrays(np.zeros((1200, 2)), [0, 1] * 600)
    images = kt_hpo.datasets.from_arrays(np.zeros((60, 8, 8, 1)), [0, 1] * 30)
    for model, algorithm, data, folds in (
        ("tabular", "auto", few, 5),
        ("mlp", "tpe", few, 5),
        ("tabular", "hyperband", few, None),
        ("tabular", "pbt", few, None),
        ("mine:Model", "auto", few, None),
        ("tabular", "auto", many, None),
        ("cnn", "auto", images, None),
    ):
        assert choose_folds(model, algorithm, data.train, data.validation)[0] == folds


def test_tables_and_forecasts_are_averaged():
    table = kt_hpo.datasets.load("wine").train
    windows = np.random.default_rng(0).normal(size=(40, 6, 1))
    series = kt_hpo.datasets.from_arrays(windows, windows[:, 0, 0]).train
    signals = kt_hpo.datasets.from_arrays(windows, [0, 1] * 20).train
    images = kt_hpo.datasets.load("digits").train
    texts = kt_hpo.datasets.from_arrays(["a", "b c"] * 20, [0.5, 1.5] * 20).train
    for model, train, count in (
        ("tabular", table, 5),
        ("mine:Model", table, 1),
        ("sequence", series, 5),
        ("mine:Model", series, 1),
        ("sequence", signals, 1),
        ("sequence", texts, 1),
        ("cnn", images, 1),
    ):
        assert choose_ensemble(model, train) == count


def test_a_model_of_texts_knows_what_its_words_weigh():
    texts = [f"a {word} sat" for word in ("cat", "dog", "bird", "cat")] * 10
    train = kt_hpo.datasets.from_arrays(texts, [0, 1, 1, 0] * 10).train
    hypermodel = make_hypermodel("sequence", train, 20)
    weights = dict(zip(train.preprocessing.vocabulary, hypermodel.token_weights[2:], strict=True))
    assert weights["a"] == weights["sat"] == 1 < weights["cat"] < weights["dog"]
