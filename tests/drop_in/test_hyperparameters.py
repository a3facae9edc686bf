"""Hyperparameters: names, values, copies, and what each kind draws."""

import json

import pytest


def asked(kt, kind, *args, **kwargs):
    """The hyperparameter that one call of `hp` makes."""
    hp = kt.HyperParameters()
    getattr(hp, kind)("x", *args, **kwargs)
    return hp.space[0]


def mixed(kt):
    hp = kt.HyperParameters()
    hp.Int("layers", 1, 10, sampling="reverse_log", default=3)
    hp.Float("rate", 2, 8, default=4)
    hp.Choice("units", [1, 5, 10], ordered=False, default=5)
    hp.Fixed("loss", "mse")
    with hp.name_scope("head"):
        hp.Choice("kind", ["mlp", "cnn"], default="mlp")
        hp.Choice("width", [2.0, 4.5])
        with hp.conditional_scope("kind", "mlp"):
            hp.Int("depth", -10, 10, step=2, default=-2)
        with hp.conditional_scope("kind", "cnn"):
            hp.Boolean("pool")
    return hp


def test_a_first_call_gives_the_default_and_a_value_that_is_there_wins(kt):
    hp = kt.HyperParameters()
    assert (hp.values, list(hp.space)) == ({}, [])
    hp.values["late"] = "b"
    assert hp.Choice("early", [1, 2, 3], default=2) == 2
    assert hp.Choice("late", ["a", "b"], default="a") == "b"
    assert [one.name for one in hp.space] == ["early", "late"]


def test_values_are_read_as_from_a_mapping(kt):
    hp = mixed(kt)
    assert hp["rate"] == hp.get("rate") == 4
    assert "rate" in hp
    assert "rates" not in hp
    for read in (hp.get, hp.__getitem__):
        with pytest.raises(KeyError, match="rates does not exist"):
            read("rates")
        with pytest.raises(ValueError, match="head/pool is currently inactive"):
            read("head/pool")


def test_names_carry_their_scopes_and_the_same_name_may_be_in_each(kt):
    hp = kt.HyperParameters()
    hp.Choice("x", [1, 2], default=2)
    with hp.name_scope("a"):
        hp.Choice("x", [4, 5], default=5)
        with hp.name_scope("b"):
            hp.Choice("x", [7, 8], default=8)
        hp.Int("y", 0, 10)
    assert hp.values == {"x": 2, "a/x": 5, "a/b/x": 8, "a/y": 0}


def test_a_copy_and_a_description_hold_space_and_values(kt):
    hp = mixed(kt)
    hp.values["units"] = 10
    description = json.loads(json.dumps(hp.get_config()))
    for again in (hp.copy(), type(hp).from_config(description), type(hp).from_proto(hp.to_proto())):
        assert again.values == hp.values
        names = sorted(one.name for one in again.space)
        assert names == sorted(one.name for one in hp.space)
        assert again.is_active("head/depth")
        assert not again.is_active("head/pool")
        again.values["units"] = 1
        assert hp.values["units"] == 10


def test_merging_takes_over_ranges_unless_they_shall_stay(kt):
    hp, other, third = (kt.HyperParameters() for _ in range(3))
    hp.Int("a", 0, 100)
    hp.Fixed("b", 2)
    other.Fixed("a", 3)
    hp.merge(other)
    assert hp.values == {"a": 3, "b": 2}
    third.Fixed("a", 5)
    third.Choice("d", [1, 2])
    hp.merge(third, overwrite=False)
    assert hp.values == {"a": 3, "b": 2, "d": 1}


@pytest.mark.parametrize(
    ("kind", "args", "kwargs", "default"),
    [
        ("Choice", ([3, 1, 2],), {}, 3),
        ("Choice", ([3, 1, 2],), {"default": None}, 3),
        ("Choice", ([3, 1, 2],), {"default": 2}, 2),
        ("Int", (5, 9), {}, 5),
        ("Int", (5, 9), {"step": 2, "default": 7}, 7),
        ("Float", (0.5, 9.5), {"step": 0.5}, 0.5),
        ("Float", (0.5, 9.5), {"default": 9.0}, 9.0),
        ("Boolean", (), {}, False),
        ("Boolean", (), {"default": True}, True),
        ("Fixed", ("adam",), {}, "adam"),
    ],
)
def test_defaults_and_draws_of_each_kind(kt, kind, args, kwargs, default):
    one = asked(kt, kind, *args, **kwargs)
    assert one.default == default
    assert one.random_sample(123) == one.random_sample(123)
    again = type(one).from_config(one.get_config())
    assert again.get_config() == one.get_config()
    assert again.random_sample(123) == one.random_sample(123)
    deserialize, serialize = (
        getattr(kt.engine.hyperparameters, name) for name in ("deserialize", "serialize")
    )
    assert repr(deserialize(serialize(one))) == repr(one)
    assert "name: " in repr(one)


@pytest.mark.parametrize(
    ("kind", "args", "kwargs", "values"),
    [
        ("Int", (2, 32), {"step": 2, "sampling": "log"}, [2, 4, 8, 16, 32]),
        ("Int", (1, 9), {"step": 4}, [1, 5, 9]),
        ("Float", (2, 8), {"step": 2}, [2.0, 4.0, 6.0, 8.0]),
        ("Float", (0.01, 100), {"step": 10, "sampling": "log"}, [0.01, 0.1, 1.0, 10.0, 100.0]),
        ("Choice", ([0, 1, 2],), {}, [0, 1, 2]),
        ("Boolean", (), {}, [True, False]),
        ("Fixed", (7,), {}, [7]),
    ],
)
def test_values_are_listed_and_no_other_is_drawn(kt, kind, args, kwargs, values):
    one = asked(kt, kind, *args, **kwargs)
    assert sorted(one.values) == pytest.approx(sorted(values))
    for seed in range(30):
        drawn = one.random_sample(seed)
        assert any(drawn == pytest.approx(value) for value in values)
        assert type(drawn) is type(values[0])


def test_a_float_without_a_step_lists_ten_values(kt):
    for sampling in ("linear", "log"):
        assert len(list(asked(kt, "Float", 2, 1024, sampling=sampling).values)) == 10


@pytest.mark.parametrize(
    ("kind", "args", "sampling", "value", "place"),
    [
        ("Float", (1.0, 11.0), "linear", 4.5, 0.35),
        ("Float", (1e-3, 1e3), "log", 1.0, 0.5),
        ("Float", (1e-3, 1e3), "reverse_log", 1e-3, 0.0),
        ("Int", (5, 9, 1), "linear", 6, 0.3),
        ("Int", (2, 32, 2), "log", 4, 0.3),
    ],
)
def test_a_value_has_its_place(kt, kind, args, sampling, value, place):
    one = asked(kt, kind, *args, sampling=sampling)
    assert one.value_to_prob(value) == pytest.approx(place)
    assert one.prob_to_value(place) == pytest.approx(value)


def test_a_range_of_one_value_gives_it(kt):
    one = asked(kt, "Float", 2, 2)
    assert (one.random_sample(), one.value_to_prob(2), one.prob_to_value(0.9)) == (2, 0.5, 2)


def test_the_ends_of_a_choice_are_reached(kt):
    one = asked(kt, "Choice", [0, 1, 2])
    assert (one.prob_to_value(0), one.prob_to_value(1)) == (0, 2)
    assert one.value_to_prob(0) == pytest.approx(1 / 6)


@pytest.mark.parametrize(
    ("values", "ordered", "expected"),
    [([1, 2], None, True), ([1, 2], False, False), (["a", "b"], None, False)],
)
def test_numbers_are_ordered_and_texts_are_not(kt, values, ordered, expected):
    one = asked(kt, "Choice", values, ordered=ordered)
    assert one.ordered == type(one)(**one.get_config()).ordered == expected


@pytest.mark.parametrize(
    ("kind", "args", "kwargs"),
    [
        ("Int", (0, 10), {"sampling": "invalid"}),
        ("Int", (1, 0), {}),
        ("Int", (-10, -1), {"sampling": "log"}),
        ("Int", (0.5, 10), {}),
        ("Float", (1, 0), {}),
        ("Choice", ([],), {}),
        ("Choice", ([1, 2, 3],), {"default": 4}),
        ("Choice", (["a", "b"],), {"ordered": True}),
        ("Choice", (["a", "b", 0],), {}),
        ("Choice", ([{"a": 1}, {"a": 2}],), {}),
        ("Boolean", (), {"default": "yes"}),
        ("Fixed", ({"a": 1},), {}),
    ],
)
def test_what_makes_no_sense_is_an_error(kt, kind, args, kwargs):
    with pytest.raises((ValueError, TypeError)):
        asked(kt, kind, *args, **kwargs)
