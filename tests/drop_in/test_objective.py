"""Objectives: a name, a direction, and which of two values is better."""

import pytest


def test_an_objective_is_its_name_and_its_direction(kt):
    one = kt.Objective("accuracy", "max")
    assert (one.name, one.direction) == ("accuracy", "max")
    assert one == kt.Objective("accuracy", "max")
    assert one != kt.Objective("accuracy", "min")
    assert one != kt.Objective("loss", "max")


@pytest.mark.parametrize(("direction", "better", "worse"), [("max", 1, 0), ("min", 0, 1)])
def test_better_is_told_by_the_direction(kt, direction, better, worse):
    one = kt.Objective("x", direction)
    assert one.better_than(better, worse)
    assert not one.better_than(worse, better)
    assert not one.better_than(better, better)


def test_a_value_is_found_among_metrics(kt):
    one = kt.Objective("loss", "min")
    assert one.has_value({"loss": 3.0, "mae": 1.0})
    assert not one.has_value({"mae": 1.0})
    assert one.get_value({"loss": 3.0, "mae": 1.0}) == 3.0


def test_a_name_alone_gets_its_direction(kt):
    objective = kt.oracles.RandomSearchOracle("val_accuracy").objective
    assert (objective.name, objective.direction) == ("val_accuracy", "max")
    with pytest.raises(ValueError, match="custom_metric"):
        kt.oracles.RandomSearchOracle("custom_metric")


def test_without_an_objective_less_is_better(kt):
    objective = kt.oracles.RandomSearchOracle().objective
    assert (objective.name, objective.direction) == ("default_objective", "min")


def test_several_objectives_are_known_one_by_one(kt):
    objective = kt.oracles.RandomSearchOracle(["accuracy", kt.Objective("loss", "min")]).objective
    assert objective.name == "multi_objective"
    found = [(one.name, one.direction) for one in objective.objectives]
    assert found == [("accuracy", "max"), ("loss", "min")]
    assert objective.has_value({"loss": 1.0, "accuracy": 1.0, "mse": 2.0})
    assert not objective.has_value({"accuracy": 1.0, "mse": 2.0})
