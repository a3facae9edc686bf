"""Where a search stands."""

from datetime import datetime, timedelta

import optuna
import pytest
from optuna.trial import TrialState

from kt_hpo.record import journal
from kt_hpo.record.status import search_status

BEGAN = datetime(2026, 1, 1)


def study_of(spans, planned=None, **attributes):
    """Trials that ran from one second to another."""
    study = optuna.create_study()
    study.set_user_attr("planned_trials", planned)
    for begin, end in spans:
        trial = optuna.trial.create_trial(value=1.0)
        trial.datetime_start = BEGAN + timedelta(seconds=begin)
        trial.datetime_complete = BEGAN + timedelta(seconds=end)
        study.add_trial(trial)
    for name, value in attributes.items():
        study.set_user_attr(name, value)
    return study


@pytest.mark.parametrize(
    ("spans", "pace"),
    [
        ([(0, 10), (10, 20)], 360),  # one after the other
        ([(0, 10), (0, 10), (10, 20), (10, 20)], 720),  # two at once
        ([(0, 10), (1000, 1010)], 360),  # a pause between two sessions counts for nothing
        ([(0, 30), (5, 10), (12, 14)], 360),  # one within the other
        ([(0, 0)], None),
        ([], None),
    ],
)
def test_the_pace_is_that_of_the_time_in_which_trials_ran(spans, pace):
    summary = search_status(study_of(spans, planned=len(spans) + 2))
    assert summary.pace == (None if pace is None else pytest.approx(pace))
    left = None if pace is None else pytest.approx(2 * 3600 / pace)
    assert summary.left == left


def test_the_pace_is_that_of_the_latest_trials():
    slow = [(100 * place, 100 * place + 100) for place in range(60)]
    quick = [(6000 + place, 6001 + place) for place in range(50)]
    assert search_status(study_of(slow + quick)).pace == pytest.approx(3600)


def test_a_search_is_finished_when_it_says_so_or_all_its_trials_have_ended():
    spans = [(0, 1)] * 3
    assert search_status(study_of(spans, planned=3)).state == "finished"
    assert search_status(study_of(spans, planned=None, finished=True)).state == "finished"
    assert search_status(study_of(spans, planned=4, finished=False)).state == "unfinished"
    assert search_status(study_of(spans)).left is None


def test_trials_that_break_a_constraint_or_are_of_the_past_are_not_the_best():
    study = optuna.create_study(direction="maximize")
    for value, system, user in [
        (0.9, {"constraints:size": 1.0}, {}),
        (0.8, {}, {"warm_start": "old"}),
        (0.5, {}, {}),
        (float("nan"), {}, {}),
    ]:
        made = optuna.trial.create_trial(value=0.0, system_attrs=system, user_attrs=user)
        made.values = [value]
        study._storage.create_new_trial(study._study_id, made)
    summary = search_status(study)
    assert [best.number for best in summary.best] == [2]
    assert summary.counts.complete == 3


def test_what_runs_is_described(tmp_path):
    study = optuna.create_study()
    study.add_trial(
        optuna.trial.create_trial(state=TrialState.RUNNING, intermediate_values={0: 3.0, 1: 2.5})
    )
    [running] = search_status(study).open
    assert (running.epochs, running.value) == (2, 2.5)
    assert search_status(study).as_dict()["open"][0]["value"] == 2.5


def test_a_project_is_claimed_while_a_process_searches_in_it(tmp_path):
    assert not journal.is_claimed(tmp_path)
    with journal.claimed(tmp_path):
        assert journal.is_claimed(tmp_path)
    assert not journal.is_claimed(tmp_path)
