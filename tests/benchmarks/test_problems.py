from argparse import Namespace

import numpy as np
import pytest

from benchmarks.curves import table
from benchmarks.curves.plans import PLANS
from benchmarks.quality.problems import EVERY, KEPT_ASIDE, PROBLEMS
from benchmarks.quality.run import chosen


def options(**given):
    return Namespace(**{"problems": None, "kept_aside": False, "quick": False, **given})


def test_what_is_kept_aside_is_searched_on_request_alone():
    aside = {name for name in table.there() if PLANS[name].kept_aside}
    assert {name.split()[0] for name in KEPT_ASIDE} == aside
    assert chosen(options(kept_aside=True)) == list(KEPT_ASIDE)
    assert not set(chosen(options())) & set(KEPT_ASIDE)
    assert chosen(options(quick=True)), "those of a quick run are there"


@pytest.mark.parametrize(
    "name",
    ["HPOBench-MLP phoneme", "NAS-Bench-201 cifar10"]
    + [name for name in EVERY if EVERY[name]().group.startswith("learning curves")],
)
def test_every_problem_is_asked_by_choices_of_its_values(name):
    problem = EVERY[name]()
    hp = problem.space.hyperparameters()
    assert problem.space.row(hp.values) == 0
    assert problem.curves.shape[1] == len(problem.space)
    assert np.isfinite(problem.curves).all()
    best, worst = problem.range
    assert 0 <= best < worst
    if problem.epochs > 1:
        assert problem.seconds.shape == (len(problem.space),)


def test_problems_are_of_the_groups_that_are_summed_up():
    groups = {problem().group for problem in PROBLEMS.values()}
    assert groups >= {"HPOBench-MLP", "NAS-Bench-201", "learning curves"}
    assert "learning curves kept aside" not in groups
