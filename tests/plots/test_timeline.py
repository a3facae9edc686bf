"""Which row each trial's bar is in."""

from datetime import datetime, timedelta

import pytest
from matplotlib.figure import Figure
from optuna.trial import TrialState, create_trial
from plots.studies import labels, study_of

from kt_hpo import plots

START = datetime(2026, 1, 1)


def ran(begin, end, state=TrialState.COMPLETE, **attributes):
    value = 1.0 if state == TrialState.COMPLETE else None
    made = create_trial(state=state, value=value, user_attrs=attributes)
    made.datetime_start = START + timedelta(seconds=begin)
    made.datetime_complete = None if end is None else START + timedelta(seconds=end)
    return made


def bars(ax):
    """Begin, end and row of each bar."""
    found = [path.vertices for bars in ax.collections for path in bars.get_paths()]
    return sorted((b[0, 0], b[1, 0], round((b[0, 1] + b[2, 1]) / 2)) for b in found)


def test_workers_have_rows(ax):
    trials = [ran(0, 60, worker=1), ran(0, 30, worker=0), ran(40, 60, TrialState.FAIL, worker=0)]
    plots.plot_timeline(study_of(trials), ax)
    assert bars(ax) == [(0, 30, 0), (0, 60, 1), (40, 60, 0)]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["worker 0", "worker 1"]
    assert labels(ax) == ["2 complete", "1 failed"]
    assert ax.get_title(loc="right") == "60 seconds, 92% busy"


def test_trials_of_unknown_workers_are_packed(ax):
    trials = [ran(0, 40), ran(10, 20), ran(20, 50), ran(40, 60), ran(15, 25)]
    plots.plot_timeline(study_of(trials), ax)
    rows = {(begin, end): row for begin, end, row in bars(ax)}
    assert rows == {(0, 40): 0, (10, 20): 1, (15, 25): 2, (20, 50): 1, (40, 60): 0}
    assert ax.get_ylabel() == "3 at once" and not ax.get_yticklabels()


def test_a_running_trial_is_drawn_up_to_the_last_thing_known(ax):
    trials = [ran(0, 30), ran(10, None, TrialState.RUNNING), create_trial(state=TrialState.WAITING)]
    plots.plot_timeline(study_of(trials), ax)
    assert bars(ax) == [(0, 30, 0), (10, 30, 1)]


def test_many_workers_are_not_all_named(ax):
    plots.plot_timeline(study_of([ran(0, 9, worker=number) for number in range(100)]), ax)
    assert len(ax.get_yticklabels()) <= 24


def test_the_edges_of_narrow_bars_do_not_hide_them(ax):
    plots.plot_timeline(study_of([ran(n, n + 1) for n in range(60)]), ax)
    assert ax.collections[0].get_linewidths()[0] > 0
    other = Figure(figsize=(7, 4)).subplots()
    plots.plot_timeline(study_of([ran(n, n + 1) for n in range(120)]), other)
    assert other.collections[0].get_linewidths()[0] == 0
    assert len(bars(other)) == 120


def test_of_very_many_trials_the_shares_of_the_time_are_drawn(ax):
    """A quarter of worker 0's time is pruned trials, half of worker 1's is nothing."""
    states = [TrialState.PRUNED, *[TrialState.COMPLETE] * 3]
    trials = [ran(n, n + 1, states[n % 4], worker=0) for n in range(3000)]
    trials += [ran(n, n + 1, worker=1) for n in range(0, 3000, 2)]
    plots.plot_timeline(study_of(trials), ax)
    assert labels(ax) == ["3,750 complete", "750 pruned"]
    area = {}
    for boxes in ax.collections:
        for path in boxes.get_paths():
            (left, low), (right, _), (_, high), _ = path.vertices[:4]
            key = boxes.get_label(), round((low + high) / 2)
            area[key] = area.get(key, 0.0) + (right - left) * abs(high - low)
    whole = area["3,750 complete", 0] + area["750 pruned", 0]
    assert area["750 pruned", 0] / whole == pytest.approx(0.25, abs=0.01)
    assert area["3,750 complete", 1] / whole == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("seconds", [0, 1e-6])
def test_trials_that_took_no_time_are_seen(seconds, ax):
    plots.plot_timeline(study_of([ran(0, seconds)] * 2), ax)
    assert all(end > begin for begin, end, _ in bars(ax))
