"""What suits some data."""

import dataclasses

import kt_hpo
from kt_hpo.datasets.preprocessing.texts import TextPreprocessing
from kt_hpo.ready_models import choose_epochs


def test_small_tables_alone_train_for_more_epochs():
    wine = kt_hpo.datasets.load("wine").train
    texts = dataclasses.replace(wine, preprocessing=TextPreprocessing(("word",), length=13))
    assert choose_epochs(texts) == (20, 1)
    assert choose_epochs(kt_hpo.datasets.load("digits").train) == (20, 1)
    assert choose_epochs(wine).most == 200
