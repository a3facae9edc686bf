"""A search to its end, as the command line and `tune` run it."""

import math
import time
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure
from models import Untrained, blobs, eager
from sklearn.model_selection import ShuffleSplit

import kt_hpo
from kt_hpo import complete_search, result_files
from kt_hpo.complete_search import is_over, search_and_test


@pytest.fixture(autouse=True)
def unpainted(monkeypatch):
    """Leaves the picture of a search empty: to draw it takes longer than to search."""
    monkeypatch.setattr("kt_hpo.result_files.overview", lambda *args, **kwargs: Figure())


@pytest.fixture(scope="module")
def data():
    return kt_hpo.datasets.from_arrays(*blobs())


def tuner_in(folder, **arguments):
    return kt_hpo.RandomSearch(
        Untrained(), "val_accuracy", seed=0, directory=folder, project_name="one",
        **{"max_trials": 2, **arguments},
    )  # fmt: skip


def test_a_search_ends_with_a_tested_model_and_is_not_run_again(data, tmp_path, capsys):
    tuner = tuner_in(tmp_path)
    assert not is_over(tuner)
    assert search_and_test(tuner, data, max_epochs=1)
    shown = capsys.readouterr().out
    known = kt_hpo.open_study(tmp_path / "one").user_attrs
    [low, high] = known["test_intervals"]["accuracy"]
    assert low < known["test"]["accuracy"] < high and known["test_samples"] == len(data.test)
    assert f"accuracy {known['test']['accuracy']:.4g} [{low:.4g}, {high:.4g}]" in shown
    assert is_over(tuner) and (tmp_path / "one" / "best_model.keras").is_file()
    again = tuner_in(tmp_path)
    assert search_and_test(again, data, max_epochs=1)
    [first, *lines] = capsys.readouterr().out.splitlines()
    assert "is finished" in first and lines == shown.splitlines()[-len(lines) :]
    assert not is_over(tuner_in(tmp_path, max_trials=3))


def test_silence_is_silent(data, tmp_path, capsys):
    search_and_test(tuner_in(tmp_path), data, max_epochs=1, verbose=0)
    assert capsys.readouterr() == ("", "")


def test_data_without_a_test_split_are_refused_before_any_training(tmp_path):
    data = kt_hpo.datasets.from_arrays(*blobs(), test=0)
    with pytest.raises(ValueError, match="test split is empty"):
        search_and_test(tuner_in(tmp_path), data, max_epochs=1)
    assert not kt_hpo.open_study(tmp_path / "one").trials


def test_no_time_is_no_model(data, tmp_path, capsys):
    tuner = kt_hpo.RandomSearch(
        eager, "val_accuracy", directory=tmp_path, project_name="one", time_budget=1e-9
    )
    assert not search_and_test(tuner, data, max_epochs=2, batch_size=140)
    assert "no trial has been completed yet" in capsys.readouterr().out
    assert not (tmp_path / "one" / "best_model.keras").exists()


def test_the_test_data_are_looked_at_after_the_last_trial(data, tmp_path):
    """Whatever they are, the trials are the same."""
    other = data._replace(test=kt_hpo.datasets.Dataset(
        np.zeros_like(data.test.x), data.test.y, "zeros", data.test.task, data.test.class_names
    ))  # fmt: skip
    studies = []
    for name, splits in (("a", data), ("b", other)):
        tuner = tuner_in(tmp_path / name)
        search_and_test(tuner, splits, max_epochs=1, verbose=0)
        studies.append(tuner.study)
    one, two = studies
    assert [trial.values for trial in one.trials] == [trial.values for trial in two.trials]
    assert one.user_attrs["test"] != two.user_attrs["test"]


@pytest.mark.parametrize(
    ("arguments", "ensemble", "growth"),
    [
        ({}, 1, 170 / 140),
        ({}, 5, 5 * 170 / 140),
        ({"executions_per_trial": 2}, 1, 170 / 140 / 2),
        ({"cross_validation": 3}, 1, 1 / 2),
        ({"cross_validation": ShuffleSplit(3, test_size=0.3)}, 1, 1 / 2),
        ({"cross_validation": [(range(90), range(90, 170))]}, 1, 1),
    ],
)
def test_time_for_the_retraining_is_left(arguments, ensemble, growth, data, tmp_path, monkeypatch):
    monkeypatch.setattr(complete_search, "seconds", lambda trial: 8.0)
    monkeypatch.setattr(complete_search, "time", SimpleNamespace(monotonic=lambda: 100.0))
    tuner = tuner_in(tmp_path, time_budget=1000, **arguments)
    reserve = complete_search._Reserve(tuner, data, 97.0, ensemble)
    assert reserve.seconds() == 3
    search_and_test(tuner, data, max_epochs=1, verbose=0)
    left = 3 + complete_search._FILES + complete_search._GRAPH
    left += complete_search._MARGIN * growth * 8
    assert reserve.seconds() == pytest.approx(left)
    assert reserve.until() == 97 + 1000 - complete_search._FILES
    # One that takes more than half of the time is not done; its time is the search's.
    tuner = tuner_in(tmp_path, time_budget=4, **arguments)
    reserve = complete_search._Reserve(tuner, data, 99.0, ensemble)
    assert reserve.seconds() == pytest.approx(1 + 4 * complete_search._FILES_SHARE)
    assert reserve.until() == -math.inf


def of_models(folder, **arguments):
    return kt_hpo.RandomSearch(
        eager, "val_accuracy", max_trials=1, directory=folder, project_name="one", **arguments
    )


def test_without_time_to_retrain_the_model_is_as_its_trial_left_it(
    data, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(complete_search, "seconds", lambda trial: 9000.0)
    tuner = of_models(tmp_path, time_budget=1000)
    assert search_and_test(tuner, data, max_epochs=1, batch_size=140)
    assert "Best model, as its trial left it (no time), on the test" in capsys.readouterr().out
    assert tuner.study.user_attrs["retrained"] is False
    [best] = tuner.get_best_models(1)
    found = best.evaluate(*data.test.arrays, verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(tuner.study.user_attrs["test"]["loss"])


def test_a_retraining_that_takes_longer_than_thought_is_cut_short(data, tmp_path, monkeypatch):
    tuner = of_models(tmp_path)
    search_and_test(tuner, data, max_epochs=1, batch_size=140, verbose=0)
    for seconds, is_retrained in ((1e-3, False), (600.0, True)):
        until = time.monotonic() + seconds
        result_files.write_results(tuner, data, tmp_path / "one", until=until)
        assert tuner.study.user_attrs["retrained"] is is_retrained
