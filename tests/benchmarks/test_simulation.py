import numpy as np
import pytest
from kt_hpo.oracles import HyperbandOracle

from benchmarks.curves.table import Table
from benchmarks.simulation import OneBracketAtATime, asha, hyperband
from benchmarks.spaces import Dimension, Space


@pytest.fixture(scope="module")
def table():
    space = Space((Dimension("rate", tuple(range(20))),))
    ends = np.abs(np.arange(20) - 12) / 20
    error = (ends[:, None] + 0.3 / np.arange(1, 10))[None].clip(max=1)
    return Table(space, error, error, seconds=np.linspace(1.0, 2.0, 20))


def test_one_worker_is_never_idle(table):
    for outcome in (hyperband(table, 1, 1, seed=1), asha(table, 1, 60, seed=1)):
        assert outcome.idle(1) == pytest.approx(0)
        assert outcome.makespan == pytest.approx(outcome.busy)
        assert outcome.busy >= outcome.epochs


def test_hyperband_trains_what_it_has_planned_however_many_work(table):
    outcomes = [hyperband(table, workers, 2, seed=1) for workers in (1, 4, 64)]
    # Two iterations of a bracket of each size, as Keras Tuner counts them for nine epochs.
    assert {one.trials for one in outcomes} == {2 * 23}
    assert len({one.epochs for one in outcomes}) == 1
    spans = [one.makespan for one in outcomes]
    assert spans == sorted(spans, reverse=True) and spans[2] < spans[0] / 4


def test_brackets_that_overlap_waste_less(table):
    one, ours = (hyperband(table, 16, 4, 1, kind) for kind in (OneBracketAtATime, HyperbandOracle))
    assert one.trials == ours.trials and one.epochs == ours.epochs
    assert one.idle(16) > ours.idle(16) and one.makespan > 1.2 * ours.makespan


def test_asha_keeps_many_workers_busy(table):
    # In a long search: the end of a short one is idle whoever decides.
    synchronous = hyperband(table, 16, 12, seed=1)
    asynchronous = asha(table, 16, synchronous.epochs, seed=1)
    assert synchronous.epochs <= asynchronous.epochs < 1.3 * synchronous.epochs
    assert asynchronous.idle(16) < 0.15
    assert asynchronous.best < 0.1


def test_nobody_works_at_two_trials_at_once(table):
    for workers in (3, 50):
        outcome = hyperband(table, workers, 1, seed=2)
        assert 0 <= outcome.idle(workers) < 1
        assert outcome.makespan >= 9 * table.seconds.min()
