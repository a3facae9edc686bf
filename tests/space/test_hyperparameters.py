import json

import keras_tuner
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import floats, spaces

from kt_hpo.space.domain import draw, explore, to_distribution
from kt_hpo.space.hyperparameters import HyperParameters, TwoRangesError
from kt_hpo.space.kinds import Choice, Float, corrected


def test_a_stepped_float_reaches_its_maximum():
    hp = Float("rate", 0, 0.5, step=0.1)
    assert list(hp.values) == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]
    assert hp.prob_to_value(0.999) == 0.5
    # The reason for a class of our own: should Keras Tuner be mended, it can go.
    theirs = keras_tuner.HyperParameters()
    theirs.Float("rate", 0, 0.5, step=0.1)
    assert 0.5 not in list(theirs.space[0].values)


def test_a_choice_of_booleans_stays_boolean():
    hp = HyperParameters()
    assert hp.Choice("shuffle", [True, False]) is True
    assert hp.copy().space[0].values == [True, False]
    assert Choice("bias", [True, False], default=False).default is False


@given(floats(), st.floats(0, 0.9999))
def test_every_drawn_float_is_in_its_range_and_keeps_its_place(hp, prob):
    value = hp.prob_to_value(prob)
    assert hp.min_value - 1e-9 <= value <= hp.max_value * (1 + 1e-9) + 1e-9
    if hp.step is not None and hp.max_value > hp.min_value:
        assert hp.prob_to_value(hp.value_to_prob(value)) == value


def test_a_space_of_plain_keras_tuner_is_taken_and_corrected():
    theirs = keras_tuner.HyperParameters()
    theirs.Float("rate", 0, 0.5, step=0.1)
    ours = HyperParameters.from_config(theirs.get_config())
    assert 0.5 in list(ours.space[0].values)
    ours.merge(theirs)
    assert all(isinstance(hp, Float) for hp in ours.space)
    assert corrected(ours.space[0]) is ours.space[0]


@given(spaces())
def test_a_copy_is_equal_and_independent(space):
    before = space.get_config()
    copy = space.copy()
    assert copy.get_config() == before
    copy.Int("another", 1, 2)
    assert space.get_config() == before


def test_missing_active_values_are_drawn_and_always_the_same():
    hp = HyperParameters()
    hp.Choice("model", ["mlp", "cnn"])
    hp.Int("units", 1, 10**6)
    drawn = set()
    for model in ("mlp", "cnn", "mlp"):
        hp.values = {"model": model}
        hp.ensure_active_values()
        drawn.add(hp.values["units"])
    assert len(drawn) == 2 and 1 not in drawn


def test_one_name_has_one_range():
    hp = HyperParameters()
    assert hp.Int("layers", 1, 10) == hp.Int("layers", 1, 10) == 1
    with pytest.raises(TwoRangesError, match="Int from 1 to 3 and before as Int from 1 to 10"):
        hp.Int("layers", 1, 3)
    with pytest.raises(TwoRangesError, match="Float from"):
        hp.Float("layers", 1, 10)
    # Who knows the range beforehand may narrow it: the space given to a tuner, as in Keras Tuner.
    assert hp.copy().Int("layers", 1, 3) == 1
    hp.hold("layers")
    assert hp.Int("layers", 1, 3) == 1


def test_listed_values_narrow_a_range_that_is_asked_for_later():
    hp = HyperParameters()
    assert hp.Fixed("units", 3) == hp.Int("units", 1, 32) == 3
    assert hp.Choice("depth", [2, 4]) == hp.Int("depth", 2, 8, step=2) == 2
    assert hp.Choice("rate", [0.1]) == hp.Float("rate", 0.1, 0.5) == 0.1
    for name, excluding in (("units", 4), ("depth", 3)):
        again = HyperParameters.from_config(hp.get_config())
        again.Choice(name, [1, excluding - 1]) if name == "depth" else again.Fixed(name, 3)
        with pytest.raises(TwoRangesError):
            again.Int(name, excluding, 9)
    hp.Fixed("flag", 1)
    with pytest.raises(TwoRangesError):
        hp.Boolean("flag")


def test_a_range_within_a_scope_is_that_outside_of_it():
    hp = HyperParameters()
    hp.Choice("model", ["mlp", "cnn"])
    hp.Int("units", 1, 8)
    with hp.conditional_scope("model", ["cnn"]):
        assert hp.Int("units", 100, 200) is None
    with hp.conditional_scope("model", ["mlp"]), pytest.raises(TwoRangesError):
        hp.Int("units", 100, 200)


def test_a_contradiction_in_any_scope_is_found_before_a_search():
    def build(hp):
        kind = hp.Choice("kind", ["a", "b"])
        with hp.conditional_scope("kind", ["b"]):
            if kind == "b":
                hp.Int("units", 1, 8)
                hp.Int("units", 1, 9)

    with pytest.raises(TwoRangesError, match="units"):
        explore(build, HyperParameters())


@pytest.mark.parametrize(("model", "units"), [("mlp", 11), ("cnn", 300)])
def test_a_name_that_two_scopes_share_keeps_the_value_of_the_active_one(model, units):
    hp = HyperParameters()
    hp.Choice("model", ["mlp", "cnn"])
    with hp.conditional_scope("model", ["mlp"]):
        hp.Int("units", 8, 64)
    with hp.conditional_scope("model", ["cnn"]):
        hp.Int("units", 16, 512)
    hp.values = {"model": model, "units": units}
    hp.ensure_active_values()
    assert hp.values == {"model": model, "units": units}


@pytest.mark.parametrize("values", [[1, "a"], []])
def test_keras_tuners_own_checks_stay(values):
    with pytest.raises((TypeError, ValueError)):
        HyperParameters().Choice("x", values)


INF, NAN = float("inf"), float("nan")
REFUSED = [
    ("Int", (1, 10), {"default": "1"}, "default='1'.*whole number.*Without the quotes"),
    ("Int", (1, 10), {"default": 50}, "default=50 is outside of the range.*from 1 to 10"),
    ("Int", (1, 10), {"default": 2.5}, "default=2.5"),
    ("Int", (1, 10), {"default": True}, "default=True.*hp.Boolean"),
    (
        "Int",
        (32, 512),
        {"step": 32, "default": 50},
        "not on a step of 32.*such as 64",
    ),
    ("Int", (1, 10), {"step": 0}, "step=0.*above 0"),
    ("Int", (1, 10), {"step": -1}, "step=-1.*above 0"),
    ("Int", (1, 10), {"step": 1.5}, "step=1.5.*whole number"),
    ("Int", (1, 10), {"step": 1, "sampling": "log"}, "step=1 .*above 1"),
    ("Int", (True, 10), {}, "min_value=True"),
    ("Int", (10, 1), {}, "min_value=10 is greater than the max_value=1"),
    ("Int", (None, 1), {}, "min_value=None"),
    ("Int", (1.5, 3), {}, "min_value=1.5"),
    ("Int", (0, 2**70), {}, "max_value"),
    ("Int", (0, 9), {"sampling": "log"}, "min_value above 0"),
    ("Int", (1, 9), {"sampling": "logarithmic"}, "one of linear, log, reverse_log"),
    ("Int", (1, 9), {"sampling": 3}, "one of linear, log, reverse_log"),
    ("Float", (NAN, 1), {}, "min_value=nan.*finite"),
    ("Float", (0, INF), {}, "max_value=inf.*finite"),
    ("Float", ("0", 1), {}, "min_value='0'"),
    ("Float", (-1.7e308, 1.7e308), {}, "too wide"),
    ("Float", (1, 0), {}, "greater than the max_value"),
    ("Float", (0, 1), {"step": NAN}, "step=nan"),
    ("Float", (0, 1), {"step": 0}, "step=0"),
    ("Float", (0, 1), {"step": 1e-300}, "too small"),
    ("Float", (0, 1), {"default": "x"}, "default='x'"),
    ("Float", (0, 1), {"default": NAN}, "default=nan"),
    ("Float", (0, 1), {"step": 0.3, "default": 0.5}, "not on a step"),
    ("Float", (-1, 1), {"sampling": "log"}, "min_value above 0"),
    ("Boolean", (), {"default": 1}, "True or False"),
    ("Boolean", (), {"default": []}, "True or False"),
    ("Fixed", (None,), {}, "value=None"),
    ("Fixed", ([1],), {}, r"value=\[1\]"),
    ("Fixed", (NAN,), {}, "value=nan"),
    ("Choice", (["a", "b"],), {"default": np.arange(3)}, "is not one of the choices"),
    ("Choice", ("adam",), {}, r"within brackets, \['adam'\]"),
    ("Choice", ({"adam": 1},), {}, "keys"),
    ("Choice", ({1, 2},), {}, "sorted"),
    ("Choice", (3,), {}, "no list"),
    ("Choice", (None,), {}, "no list"),
    ("Choice", ([],), {}, "at least one"),
    ("Choice", (np.array([]),), {}, "at least one"),
    ("Choice", ([None, "l2"],), {}, "'none'"),
    ("Choice", ([(1, 3), (1, 5)],), {}, "Choose among names"),
    ("Choice", (np.ones((2, 2)),), {}, "Choose among names"),
    ("Choice", ([1, "a"],), {}, "int, str"),
    ("Choice", ([True, 2],), {}, "bool, int"),
    ("Choice", ([1.0, NAN],), {}, "not finite"),
    ("Choice", ([8, 16],), {"default": 9}, "give one of 8, 16"),
    ("Choice", ([0, 1],), {"default": True}, "give one of 0, 1"),
    ("Choice", (["a", "b"],), {"ordered": True}, "for numbers"),
    ("Choice", ([1, 2],), {"ordered": "yes"}, "True or False"),
]


@pytest.mark.parametrize(("kind", "args", "kwargs", "words"), REFUSED)
def test_what_makes_no_sense_is_refused_with_what_to_do(kind, args, kwargs, words):
    with pytest.raises((TypeError, ValueError), match=rf"hp\.{kind}\('x'\).*{words}"):
        getattr(HyperParameters(), kind)("x", *args, **kwargs)


@pytest.mark.parametrize("name", ["", "  ", None, 3, ["a"], "tuner/epochs"])
@pytest.mark.parametrize(
    ("kind", "args"),
    [("Int", (1, 2)), ("Float", (0, 1)), ("Choice", ([1],)), ("Boolean", ()), ("Fixed", (1,))],
)
def test_names_are_texts_of_a_users_own(kind, args, name):
    with pytest.raises(ValueError, match="cannot be named"):
        getattr(HyperParameters(), kind)(name, *args)


@pytest.mark.parametrize(
    ("kind", "args", "expected"),
    [
        ("Int", (np.int64(2), np.float32(8), np.int8(2)), 2),
        ("Float", (np.float32(0.5), np.int64(2), np.array(0.5)), 0.5),
        ("Boolean", (np.bool_(True),), True),
        ("Fixed", (np.float64(0.5),), 0.5),
        ("Fixed", (np.str_("a"),), "a"),
        ("Choice", (np.array([1, 2, 3]),), 1),
        ("Choice", (np.logspace(-4, -1, 4),), 1e-4),
        ("Choice", (np.array(["relu", "gelu"]),), "relu"),
        ("Choice", (np.array([True, False]),), True),
        ("Choice", (list(np.arange(3)),), 0),
        ("Choice", ((8, 16),), 8),
        ("Choice", (range(3, 5),), 3),
        ("Choice", ([1, 2.5],), 1.0),
        ("Choice", ([8, 16], None, np.int64(16)), 16),
    ],
)
def test_what_numpy_gives_becomes_pythons(kind, args, expected):
    hp = HyperParameters()
    value = getattr(hp, kind)("x", *args)
    assert value == expected and type(value) is type(expected)
    config = hp.get_config()
    assert HyperParameters.from_config(json.loads(json.dumps(config))).get_config() == config


ODD = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=3)
    | st.sampled_from(["linear", "log", "reverse_log", np.float32(0.5), np.int64(3), [], {}, b"a"])
)


@given(
    st.sampled_from(["Int", "Float", "Boolean", "Fixed", "Choice"]),
    st.lists(ODD | st.lists(ODD, max_size=3), min_size=1, max_size=6),
)
def test_odd_arguments_are_refused_or_make_a_hyperparameter_that_holds_its_values(kind, args):
    hp = HyperParameters()
    most = {"Int": 6, "Float": 6, "Boolean": 2, "Fixed": 2, "Choice": 4}[kind]
    try:
        getattr(hp, kind)(*args[:most])
    except (TypeError, ValueError) as error:
        assert "hp." in str(error) or "missing" in str(error)
        return
    (made,) = hp.space
    distribution = to_distribution(made)
    for value in [made.default, *(made.prob_to_value(p) for p in (0.0, 0.3, 0.99999))]:
        internal = distribution.to_internal_repr(value)
        assert distribution._contains(internal)
        assert 0 <= made.value_to_prob(value) <= 1
    config = hp.get_config()
    assert HyperParameters.from_config(json.loads(json.dumps(config))).get_config() == config


def test_a_default_that_keras_tuner_wrote_beyond_its_range_is_left_out_when_read():
    theirs = keras_tuner.HyperParameters()
    theirs.Int("units", 1, 10, default=50)
    assert HyperParameters.from_config(theirs.get_config()).space[0].default == 1


def test_a_fine_step_takes_no_time_to_find_its_place():
    rate = Float("rate", 0, 1, step=1e-9)
    assert rate.prob_to_value(rate.value_to_prob(0.25)) == 0.25
    assert HyperParameters().Float("rate", 0, 1, step=1e-9, default=0.5) == 0.5


@pytest.mark.parametrize(("model", "optimizer"), [("mlp", "sgd"), ("cnn", "adam"), ("cnn", "sgd")])
def test_a_scope_in_a_scope_depends_on_what_was_asked_for_outside_of_both(model, optimizer):
    hp = HyperParameters()
    hp.values = {"model": model, "optimizer": optimizer}
    hp.Choice("model", ["mlp", "cnn"])
    hp.Choice("optimizer", ["adam", "sgd"])
    with hp.conditional_scope("model", ["cnn"]), hp.conditional_scope("optimizer", ["sgd"]):
        momentum = hp.Float("momentum", 0.1, 0.9)
    expected = 0.1 if (model, optimizer) == ("cnn", "sgd") else None
    assert momentum == expected
    assert [condition.name for condition in hp.space[-1].conditions] == ["model", "optimizer"]


def test_explored_scopes_in_scopes_are_all_found():
    def build(hp):
        hp.Choice("model", ["mlp", "cnn"])
        hp.Choice("optimizer", ["adam", "sgd"])
        with hp.conditional_scope("model", ["cnn"]):
            hp.Int("filters", 8, 64)
            with hp.conditional_scope("optimizer", ["sgd"]):
                hp.Float("momentum", 0.1, 0.9)
                with hp.conditional_scope("filters", list(range(32, 65))):
                    hp.Boolean("nesterov")

    found = explore(build, HyperParameters())
    assert [hp.name for hp in found.space][2:] == ["filters", "momentum", "nesterov"]
    drawn = draw(found, np.random.default_rng(0), {"model": "cnn", "optimizer": "sgd"})
    assert "momentum" in drawn


@pytest.mark.parametrize(
    ("parent", "values", "words"),
    [
        ("modle", ["cnn"], "there are: model, depth"),
        ("depth", [1], "model in .'mlp'. only"),
        ("model", [], "at least one"),
        ("model", None, "no list"),
        ("model", [None], "None"),
    ],
)
def test_a_scope_that_cannot_be_opened_says_why(parent, values, words):
    hp = HyperParameters()
    hp.Choice("model", ["mlp", "cnn"])
    with hp.conditional_scope("model", "mlp"):
        hp.Int("depth", 1, 3)
    with pytest.raises((TypeError, ValueError), match=words), hp.conditional_scope(parent, values):
        pass
