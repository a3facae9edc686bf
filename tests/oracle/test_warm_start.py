"""A search that begins with the trials of a past one."""

from pathlib import Path

import pytest

import kt_hpo
from kt_hpo.record.studies import is_past


class Parabola(kt_hpo.OptunaSearch):
    def run_trial(self, trial):
        return trial.hyperparameters.Float("x", -1, 1) ** 2


def searched(folder, name, trials, **kwargs):
    kwargs |= {"max_trials": trials, "seed": 0, "directory": folder, "project_name": name}
    tuner = Parabola(**kwargs)
    tuner.search(verbose=0)
    return tuner


def test_a_function_of_ones_own_begins_with_it_once_its_space_is_known(tmp_path):
    past = searched(tmp_path, "past", 5)
    tuner = searched(tmp_path, "new", 3, warm_start=past.study)
    assert [is_past(trial) for trial in tuner.study.trials] == [False] + [True] * 5 + [False] * 2
    assert len(tuner.oracle.trials) == 3
    again = searched(tmp_path, "new", 4, warm_start=past.study)
    assert len(again.study.trials) == 9 and len(again.oracle.past) == 5


def test_a_search_that_is_killed_takes_all_of_it_or_nothing(tmp_path):
    past = searched(tmp_path, "past", 5)
    searched(tmp_path, "new", 2, warm_start=past.study)
    journal = Path(tmp_path, "new", "record.journal")
    lines = journal.read_bytes().splitlines(keepends=True)
    first = next(n for n, line in enumerate(lines) if b'"warm_start"' in line)
    for count in range(first - 1, first + 7):
        journal.write_bytes(b"".join(lines[:count]))
        tuner = searched(tmp_path, "new", 2, warm_start=past.study)
        assert sum(is_past(trial) for trial in tuner.study.trials) == 5, count


def test_what_fits_no_hyperparameter_is_refused(tmp_path):
    class Other(kt_hpo.OptunaSearch):
        def run_trial(self, trial):
            return trial.hyperparameters.Float("y", -1, 1) ** 2

    past = searched(tmp_path, "past", 2)
    other = Other(max_trials=2, directory=tmp_path, project_name="new", warm_start=past.study)
    with pytest.raises(ValueError, match="has a value for all of y"):
        other.search(verbose=0)
