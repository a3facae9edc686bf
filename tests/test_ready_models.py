"""What suits some data."""

import dataclasses

import numpy as np

import kt_hpo
from kt_hpo.datasets.preprocessing.texts import TextPreprocessing
from kt_hpo.ready_models import choose_epochs, choose_folds, make_hypermodel


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


def test_a_model_of_texts_knows_what_its_words_weigh():
    texts = [f"a {word} sat" for word in ("cat", "dog", "bird", "cat")] * 10
    train = kt_hpo.datasets.from_arrays(texts, [0, 1, 1, 0] * 10).train
    hypermodel = make_hypermodel("sequence", train, 20)
    weights = dict(zip(train.preprocessing.vocabulary, hypermodel.token_weights[2:], strict=True))
    assert weights["a"] == weights["sat"] == 1 < weights["cat"] < weights["dog"]
