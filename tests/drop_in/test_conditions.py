"""Conditions: what depends on another hyperparameter's value."""

import pytest


def test_only_active_hyperparameters_have_values(kt):
    hp = kt.HyperParameters()
    hp.Choice("model", ["mlp", "cnn"], default="cnn")
    with hp.conditional_scope("model", ["mlp"]):
        units = hp.Int("units", 8, 64)
    with hp.conditional_scope("model", "cnn"):
        filters = hp.Int("filters", 16, 32)
    assert (units, filters) == (None, 16)
    assert hp.values == {"model": "cnn", "filters": 16}
    assert [one.name for one in hp.space] == ["model", "units", "filters"]


def test_a_parent_name_is_a_scope_of_one(kt):
    hp = kt.HyperParameters()
    hp.Choice("a", [1, 2, 3], default=2)
    assert hp.Int("b", 0, 10, parent_name="a", parent_values=1, default=5) is None
    assert hp.Int("b", 0, 100, parent_name="a", parent_values=[2], default=4) == 4
    assert hp.values == {"a": 2, "b": 4}


def test_one_name_has_a_range_for_each_scope(kt):
    def build(hp):
        model = hp.Choice("model", ["v1", "v2"])
        with hp.conditional_scope("model", "v1"):
            first = hp.Int("layers", 1, 3)
        with hp.conditional_scope("model", "v2"):
            second = hp.Int("layers", 4, 6)
        return first if model == "v1" else second

    hp = kt.HyperParameters()
    assert build(hp) == 1
    assert hp.values == {"model": "v1", "layers": 1}
    again = kt.HyperParameters()
    again.values = {"model": "v2"}
    assert build(again) == 4


def test_activity_is_told_by_name_and_by_hyperparameter(kt):
    hp = kt.HyperParameters()
    hp.Choice("a", [1, 2, 3], default=3)
    with hp.conditional_scope("a", [1, 3]):
        hp.Choice("active", [4, 5, 6])
    with hp.conditional_scope("a", 2):
        hp.Choice("inactive", [7, 8, 9])
    hp.values["inactive"] = 7  # An oracle gave it a value.
    by_name = {one.name: one for one in hp.space}
    for name in ("active", "inactive"):
        assert hp.is_active(name) == hp.is_active(by_name[name]) == (name == "active")
    hp.ensure_active_values()
    assert hp.values.keys() == {"a", "active"}


def test_scopes_of_names_and_conditions_are_mixed(kt):
    hp = kt.HyperParameters()
    hp.Choice("a", [1, 2, 3], default=3)
    with hp.conditional_scope("a", [1, 3]):
        hp.Choice("b", [4, 5, 6], default=6)
        with hp.conditional_scope("b", 6):
            hp.Choice("c", [7, 8, 9])
            with hp.name_scope("d"):
                assert hp.Choice("e", [10, 11]) == 10
    with hp.conditional_scope("a", 2):
        assert hp.Choice("f", [13, 14]) is None
        with hp.name_scope("g"):
            assert hp.Int("h", 0, 10) is None
    assert hp.values == {"a": 3, "b": 6, "c": 7, "d/e": 10}


def test_get_gives_the_value_of_the_active_scope(kt):
    hp = kt.HyperParameters()
    hp.Choice("a", [1, 2, 3], default=2)
    with hp.conditional_scope("a", 2):
        hp.Fixed("b", 4)
        assert (hp.get("a"), hp.get("b")) == (2, 4)
    with hp.conditional_scope("a", 3):
        hp.Fixed("b", 5)
        assert hp.get("b") == 4
    assert hp["b"] == 4


def test_inactive_ones_are_merged_without_values(kt):
    hp, other = kt.HyperParameters(), kt.HyperParameters()
    hp.Choice("a", [1, 2, 3], default=3)
    with hp.conditional_scope("a", 2):
        hp.Fixed("b", 4)
    other.merge(hp)
    assert other.values == {"a": 3}
    assert [one.name for one in other.space] == ["a", "b"]


@pytest.mark.parametrize("values", [[1, 2], [1.0, 2.5], [True, False], ["a", "b"]])
def test_a_condition_survives_a_message(kt, values):
    hp = kt.HyperParameters()
    hp.Choice("a", values)
    with hp.conditional_scope("a", values[:1]):
        hp.Fixed("b", 1)
    again = type(hp).from_proto(hp.to_proto())
    [condition] = next(one for one in again.space if one.name == "b").conditions
    assert (condition.name, condition.values) == ("a", values[:1])


def test_a_condition_on_no_value_of_any_kind_is_an_error(kt):
    hp = kt.HyperParameters()
    hp.Choice("a", [1, 2])
    with pytest.raises((TypeError, ValueError)), hp.conditional_scope("a", [None]):
        pass
    with pytest.raises(ValueError, match="b"), hp.conditional_scope("b", [1]):
        pass


def test_all_scopes_are_found_before_the_first_trial(kt, places):
    def build(hp):
        kind = hp.Choice("kind", ["cnn", "mlp"])
        for one in ("cnn", "mlp"):
            with hp.conditional_scope("kind", [one]):
                if kind == one:
                    size = hp.Choice(f"{one}_size", ["small", "large"])
                    with hp.conditional_scope(f"{one}_size", ["large"]):
                        if size == "large":
                            hp.Int(f"{one}_layers", 2, 4)
        more = hp.Boolean("more")
        with hp.conditional_scope("more", [True]):
            if more:
                hp.Int("how_many", 1, 3)
        hp.Boolean("child", parent_name="more", parent_values=[False])
        return object()

    class BlackBox(kt.RandomSearch):
        def run_trial(self, trial, **kwargs):
            return 1.0

    tuner = BlackBox(build, max_trials=2, **places)
    names = {one.name for one in tuner.oracle.get_space().space}
    sizes = {"cnn_size", "cnn_layers", "mlp_size", "mlp_layers"}
    assert names == {"kind", "more", "how_many", "child", *sizes}


def test_declared_hyperparameters_are_in_the_space(kt, places):
    class Declaring(kt.HyperModel):
        def declare_hyperparameters(self, hp):
            hp.Boolean("declared")

        def build(self, hp):
            return object()

    class BlackBox(kt.RandomSearch):
        def run_trial(self, trial, **kwargs):
            return 1.0

    tuner = BlackBox(Declaring(), max_trials=1, **places)
    assert "declared" in tuner.oracle.get_space()
