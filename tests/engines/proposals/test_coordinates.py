"""Configurations as points."""

import numpy as np
from conformance.searches import conditional_space
from hypothesis import given
from hypothesis import strategies as st
from strategies import spaces

from kt_hpo.engines.proposals.coordinates import Coordinates
from kt_hpo.space import domain
from kt_hpo.space.hyperparameters import HyperParameters


@given(spaces(), st.integers(0, 100))
def test_every_configuration_is_a_point_and_always_the_same(hp, seed):
    values = domain.draw(hp, np.random.default_rng(seed))
    coordinates = Coordinates(hp)
    point, other = coordinates.of(values), coordinates.of(domain.draw(hp, np.random.default_rng(0)))
    assert point.shape == other.shape
    assert ((point >= 0) & (point <= 1)).all()
    assert (Coordinates(hp).of(dict(values)) == point).all()


def test_a_choice_without_an_order_has_a_coordinate_for_each_value():
    hp = HyperParameters()
    hp.Choice("units", [16, 32, 64])
    hp.Choice("kind", ["cnn", "mlp", "rnn"])
    hp.Boolean("bias")
    hp.Fixed("epochs", 3)
    values = {"units": 32, "kind": "rnn", "bias": True, "epochs": 3}
    assert Coordinates(hp).of(values).tolist() == [0.5, 0, 0, 1, 0, 1]


def test_what_is_not_active_is_in_the_middle_whatever_its_value():
    hp = HyperParameters()
    hp.Choice("optimizer", ["sgd", "adam"])
    with hp.conditional_scope("optimizer", ["sgd"]):
        hp.Float("momentum", 0, 1)
        hp.Choice("kind", ["plain", "nesterov"])
    coordinates = Coordinates(hp)
    adam = {"optimizer": "adam", "momentum": 0.9, "kind": "plain"}
    assert coordinates.of(adam).tolist() == [0, 1, 0.5, 0, 0]
    assert coordinates.of({"optimizer": "adam"}).tolist() == [0, 1, 0.5, 0, 0]
    assert coordinates.of(adam | {"optimizer": "sgd"}).tolist() == [1, 0, 0.9, 1, 0]


def test_a_space_that_has_grown_has_others():
    hp = conditional_space()
    coordinates = Coordinates(hp)
    assert coordinates.are_in(hp)
    assert coordinates.are_in(conditional_space())
    hp.Float("one_more", 0, 1)
    assert not coordinates.are_in(hp)
