"""Searches of one name in a shared storage: which go on, and which are told apart."""

import contextlib
import time
import warnings

import keras
import optuna
import pytest

import kt_hpo
from kt_hpo.record import journal, shared_storage

NAME = "untitled_project"


class Parabola(kt_hpo.RandomSearch):
    """Has its space from its trials alone."""

    def run_trial(self, trial):
        return trial.hyperparameters.Float("x", -1, 1) ** 2


class Other(Parabola):
    """Another search."""


def hypermodel(low=1, high=8, name="units"):
    def build(hp):
        layers = [keras.Input((4,)), keras.layers.Dense(hp.Int(name, low, high))]
        model = keras.Sequential(layers)
        model.compile(loss="mse")
        return model

    return build


def made(tmp_path, directory, kind=Parabola, *args, **kwargs):
    storage = f"sqlite:///{tmp_path}/trials.db"
    if kind is not kt_hpo.RandomSearch:
        kwargs = {"max_trials": 2} | kwargs
    return kind(*args, directory=tmp_path / directory, storage=storage, seed=0, **kwargs)


def built(tmp_path, directory, *args, **kwargs):
    kwargs = {"objective": "val_loss", "max_trials": 2} | kwargs
    return made(tmp_path, directory, kt_hpo.RandomSearch, hypermodel(*args), **kwargs)


@contextlib.contextmanager
def nothing_said():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def test_the_same_search_goes_on_from_another_directory_and_says_so(tmp_path):
    with nothing_said():
        made(tmp_path, "a").search(verbose=0)
        first = made(tmp_path, "a").study.trials
    with pytest.warns(UserWarning, match=r"last ran in the directory .*/a/.*goes on in .*/b/"):
        tuner = made(tmp_path, "b", max_trials=4)
    tuner.search(verbose=0)
    assert tuner.study.trials[:2] == first and len(tuner.study.trials) == 4
    with nothing_said():
        made(tmp_path, "b", max_trials=4)
    with pytest.warns(UserWarning, match=r"last ran in the directory .*/b/.*goes on in .*/a/"):
        made(tmp_path, "a")


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        ((1, 8, "width"), r"there, not here: 'units' \(Int.* here, not there: 'width' \(Int"),
        ((1, 16), r"'units' \(Int from 1 to 8\).*'units' \(Int from 1 to 16\)"),
    ],
)
def test_another_space_from_another_directory_is_another_search(other, difference, tmp_path):
    study = built(tmp_path, "a", 1, 8, "units").study
    known = study.user_attrs
    with pytest.raises(kt_hpo.RecordError, match=difference) as raised:
        built(tmp_path, "b", *other)
    for part in (str(tmp_path / "a"), str(tmp_path / "b"), "project_name", "overwrite=True"):
        assert part in str(raised.value)
    assert study.user_attrs == known
    assert built(tmp_path, "b", *other, project_name="other").study.study_name == "other"
    # Who knows the directory may change the program: the new range holds from now on.
    with pytest.warns(UserWarning, match="from now on") if other[1] == 16 else nothing_said():
        built(tmp_path, "a", *other)
    with pytest.warns(UserWarning, match="goes on in"):
        built(tmp_path, "b", *other)


def test_another_objective_or_tuner_from_another_directory_is_another_search(tmp_path):
    made(tmp_path, "a").search(verbose=0)
    with pytest.raises(kt_hpo.RecordError, match="its tuner is Other, and was Parabola"):
        made(tmp_path, "b", Other)
    with pytest.raises(kt_hpo.RecordError, match="optimizes"):
        made(tmp_path, "b", objective="val_loss")
    with pytest.raises(kt_hpo.RecordError, match="asked for here, not there: 'units'"):
        built(tmp_path, "b", objective=None)
    begun = made(tmp_path, "b", Other, overwrite=True)
    assert not begun.study.trials
    with pytest.raises(kt_hpo.RecordError, match="its tuner is Parabola, and was Other"):
        made(tmp_path, "a")


def test_a_directory_that_was_moved_is_the_same(tmp_path):
    built(tmp_path, "a")
    (tmp_path / "a").rename(tmp_path / "b")
    with pytest.warns(UserWarning) as said:
        built(tmp_path, "b", 1, 16)
    assert ["from now on" in str(one.message) for one in said] == [True]


def test_one_search_does_not_run_in_two_directories_at_once(tmp_path):
    made(tmp_path, "a", max_trials=1).search(verbose=0)
    with pytest.warns(UserWarning, match="goes on in"):
        tuner = made(tmp_path, "b")
    kept = tmp_path / "b" / "untitled_project" / "kept"
    kept.touch()
    with journal.claimed(tmp_path / "a" / "untitled_project"):
        with pytest.raises(kt_hpo.RecordError, match=r"Another process is running .*/a/"):
            tuner.search(verbose=0)
        with pytest.raises(kt_hpo.RecordError, match=r"Another process is running .*/a/"):
            made(tmp_path, "b", overwrite=True)
    assert kept.exists() and len(tuner.study.trials) == 1
    tuner.search(verbose=0)
    assert len(tuner.study.trials) == 2


def test_a_study_that_lists_no_directory_is_taken_over(tmp_path):
    url = f"sqlite:///{tmp_path}/trials.db"
    made(tmp_path, "a").search(verbose=0)
    storage = optuna.storages.get_storage(url)
    for name in ("places", "program"):
        storage.set_study_user_attr(
            storage.get_study_id_from_name("untitled_project"),
            name,
            [] if name == "places" else None,
        )
    with nothing_said():
        made(tmp_path, "b", Other)
    with pytest.raises(kt_hpo.RecordError):
        made(tmp_path, "c")


def test_an_imported_search_goes_on_where_it_is_asked_for(tmp_path):
    made(tmp_path, "a").search(verbose=0)
    copy = f"sqlite:///{tmp_path}/copy.db"
    source = kt_hpo.open_study(f"sqlite:///{tmp_path}/trials.db")
    kt_hpo.import_search(source, tmp_path / "b", "copied", storage=copy)
    with nothing_said():
        tuner = Parabola(
            max_trials=3, directory=tmp_path / "b", project_name="copied", storage=copy
        )
        tuner.search(verbose=0)
    assert len(tuner.study.trials) == 3


def test_a_search_of_another_machine_is_known_by_its_signs_of_life(tmp_path, monkeypatch):
    made(tmp_path, "a", max_trials=1).search(verbose=0)
    monkeypatch.setattr(shared_storage, "_BEAT", 0.01)
    other = made(tmp_path, "a", max_trials=1).study
    with monkeypatch.context() as there, shared_storage.running(other, tmp_path / "a" / NAME):
        there.setattr("socket.gethostname", lambda: "another")
        time.sleep(0.2)
        with pytest.warns(UserWarning, match="goes on in"):
            tuner = made(tmp_path, "b")
        for disturb in (tuner.search, lambda: made(tmp_path, "b", overwrite=True)):
            with pytest.raises(kt_hpo.RecordError, match=r"Another process.*killed.* 120 sec"):
                disturb()
        # As if it was killed two minutes ago, or had ended.
        there.setattr(shared_storage, "_LOST", -1.0)
        shared_storage.check_alone(tuner.study, tmp_path / "b" / NAME)
    monkeypatch.setattr("socket.gethostname", lambda: "another")
    tuner.search(verbose=0)
    assert len(tuner.study.trials) == 2
