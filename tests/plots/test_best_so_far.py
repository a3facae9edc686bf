"""How soon searches found what they found."""

from datetime import datetime, timedelta

import pytest
from optuna.trial import TrialState
from plots.studies import labels, study_of, trial

from kt_hpo import plots

BEGIN = datetime(2026, 1, 1)


def timed(values, seconds, states=None):
    """Trials that each end so many seconds after the search began."""
    made = []
    for value, end, state in zip(
        values, seconds, states or [TrialState.COMPLETE] * len(values), strict=True
    ):
        one = trial(value if state == TrialState.COMPLETE else None, state=state)
        one.datetime_start, one.datetime_complete = BEGIN, BEGIN + timedelta(seconds=end)
        made.append(one)
    return study_of(made)


def points(line):
    return [(float(x), float(y)) for x, y in zip(*line.get_data(), strict=True)]


def test_each_step_is_where_a_better_trial_ended(ax):
    failed = TrialState.FAIL
    states = [TrialState.COMPLETE, failed, TrialState.COMPLETE, TrialState.COMPLETE, failed]
    plots.plot_best_so_far(timed([3.0, 0, 2.0, 5.0, 0], [1, 2, 3, 4, 5], states), ax)
    assert points(ax.lines[0]) == [(1, 3), (3, 2), (4, 2), (5, 2)]
    assert not labels(ax)


def test_over_time_trials_come_in_the_order_they_ended(ax):
    plots.plot_best_so_far(timed([1.0, 3.0, 2.0], [90, 10, 60]), ax, over="seconds")
    assert points(ax.lines[0]) == [(10, 3), (60, 2), (90, 1), (90, 1)]
    assert ax.get_xlabel() == "seconds since the search began"


def test_several_searches_have_lines_and_names(ax):
    studies = [timed([3.0, 1.0], [1, 2]), timed([2.0], [1])]
    plots.plot_best_so_far(studies, ax)
    assert len(ax.lines) == 4 and len(set(labels(ax))) == 2
    assert len({line.get_linestyle() for line in ax.lines[::2]}) == 2


def test_what_cannot_be_compared_is_refused(ax):
    other = study_of([trial(1.0)], direction="maximize")
    with pytest.raises(ValueError, match="different objectives"):
        plots.plot_best_so_far([study_of([trial(1.0)]), other], ax)
    with pytest.raises(ValueError, match="empty"):
        plots.plot_best_so_far([], ax)
    with pytest.raises(ValueError, match="'trials' or 'seconds'"):
        plots.plot_best_so_far(other, ax, over="hours")
