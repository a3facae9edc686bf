import keras_tuner
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from strategies import spaces

from kt_hpo.engines.proposals.mutation import mutate
from kt_hpo.space import domain
from kt_hpo.space.hyperparameters import HyperParameters

SEEDS = st.integers(0, 2**32 - 1)


def active(known, values):
    """The active hyperparameters of a configuration by name."""
    configuration = keras_tuner.HyperParameters()
    configuration.values = dict(values)
    return {hp.name: hp for hp in known.space if configuration.is_active(hp)}


@given(known=spaces(), seed=SEEDS)
def test_one_thing_changes_and_what_hangs_on_it(known, seed):
    stream = np.random.default_rng(seed)
    parent = domain.draw(known, stream)
    child = mutate(known, parent, stream)
    before = active(known, parent)
    if child is None:
        assert all(domain.to_distribution(hp).single() for hp in before.values())
        return
    after = active(known, child)
    assert set(child) == set(after)
    domain.check_values(known, child)
    kept = {name for name in before if after.get(name) is before[name]}
    changed = [name for name in kept if child[name] != parent[name]]
    assert len(changed) <= 1
    appeared = {name for name in after if after[name] is not before.get(name)}
    if not changed:
        # A range so narrow that rounding leaves no other value within reach.
        assert not appeared
    for name in appeared:
        assert changed[0] in {condition.name for condition in _above(known, after[name])}


def _above(known, hyperparameter):
    """All conditions that a hyperparameter hangs on, those of its parents included."""
    for condition in hyperparameter.conditions:
        yield condition
        for parent in known.space:
            if parent.name == condition.name:
                yield from _above(known, parent)


@given(known=spaces(), seed=SEEDS)
def test_the_same_stream_gives_the_same_mutation(known, seed):
    parent = domain.draw(known, np.random.default_rng(seed))
    first = mutate(known, parent, np.random.default_rng(seed))
    assert mutate(known, parent, np.random.default_rng(seed)) == first


def layered():
    hp = HyperParameters()
    hp.Int("layers", 1, 20)
    hp.Fixed("classes", 10)
    for layer in range(20):
        with hp.conditional_scope("layers", list(range(layer + 1, 21))):
            hp.Int(f"units_{layer}", 8, 512, sampling="log")
    return hp


def test_a_layer_comes_or_goes_and_the_others_stay():
    known = layered()
    parent = domain.draw(known, np.random.default_rng(0), {"layers": 5})
    seen = set()
    for seed in range(200):
        child = mutate(known, parent, np.random.default_rng(seed))
        common = {name for name in parent if name in child and child[name] != parent[name]}
        assert len(common) == 1
        if "layers" in common:
            seen.add(child["layers"])
            assert set(child) ^ set(parent) == {f"units_{min(child['layers'], 5)}"}
    assert seen == {4, 6}


def test_numbers_move_near_on_their_scale_and_sometimes_far():
    known = HyperParameters()
    known.Float("rate", 1e-6, 1, sampling="log")
    rates = [mutate(known, {"rate": 1e-3}, np.random.default_rng(s))["rate"] for s in range(500)]
    decades = np.abs(np.log10(rates) + 3)
    assert 0.4 < np.median(decades) < 0.9
    assert decades.max() > 2.5
    assert 0.4 < np.mean(np.array(rates) > 1e-3) < 0.6


def test_a_choice_takes_every_other_value():
    known = HyperParameters()
    known.Choice("activation", ["relu", "tanh", "elu"])
    children = [mutate(known, {"activation": "relu"}, np.random.default_rng(s)) for s in range(30)]
    assert {child["activation"] for child in children} == {"tanh", "elu"}


def test_a_value_goes_along_into_another_scope_of_the_same_range():
    known = HyperParameters()
    known.Choice("model", ["mlp", "cnn"])
    with known.conditional_scope("model", ["mlp"]):
        known.Float("dropout", 0.0, 0.5)
        known.Int("units", 1, 10)
    with known.conditional_scope("model", ["cnn"]):
        known.Float("dropout", 0.0, 0.5)
        known.Int("units", 100, 1000)
    parent = {"model": "mlp", "dropout": 0.25, "units": 7}
    children = [mutate(known, parent, np.random.default_rng(seed)) for seed in range(30)]
    moved = [child for child in children if child["model"] == "cnn"]
    assert len(moved) > 3
    assert {child["dropout"] for child in moved} == {0.25}
    assert all(child["units"] >= 100 for child in moved)


def test_where_nothing_can_change_there_is_no_mutation():
    known = HyperParameters()
    known.Fixed("classes", 10)
    known.Int("units", 3, 3)
    assert mutate(known, {"classes": 10, "units": 3}, np.random.default_rng(0)) is None
    assert mutate(HyperParameters(), {}, np.random.default_rng(0)) is None
