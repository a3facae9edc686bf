"""Searches that are opened again with other hyperparameters."""

import warnings
from typing import ClassVar

import models
import optuna
import pytest

import kt_hpo
from kt_hpo import cli
from kt_hpo.plots import plot_importances
from kt_hpo.space.continuation import own_values

ENGINES = {
    "random": kt_hpo.RandomSearch,
    "tpe": kt_hpo.OptunaSearch,
    "gp": kt_hpo.BayesianOptimization,
    "evolution": kt_hpo.EvolutionarySearch,
}


def before(hp):
    return hp.Int("units", 1, 8), hp.Choice("kind", ["a", "b", "c"]), hp.Float("lr", 0.1, 0.9)


def after(hp):
    units, kind = hp.Int("units", 4, 1000), hp.Choice("kind", ["b", "d"])
    lr = hp.Float("lr", 1e-3, 0.5, sampling="log")
    return units, kind, lr, hp.Float("drop", 0.2, 0.5)


def loss(units, kind, lr, drop=0.0):
    return abs(units - 6) + "abcd".index(kind) + lr + drop


def fits_after(params):
    return params["units"] >= 4 and params["kind"] in "bd" and params["lr"] <= 0.5


def made(ask, trials, folder, engine="random", **kwargs):
    class Box(ENGINES[engine]):
        def run_trial(self, trial):
            return loss(*ask(trial.hyperparameters))

    if kwargs.pop("is_declared", True):
        ask(kwargs.setdefault("hyperparameters", kt_hpo.HyperParameters()))
    return Box(max_trials=trials, seed=1, directory=folder, project_name="box", **kwargs)


def values_of(oracle):
    return [trial.hyperparameters.values for trial in oracle.trials.values()]


def searched(*args, **kwargs):
    tuner = made(*args, **kwargs)
    tuner.search(verbose=0)
    return tuner


def storage_of(kind, folder):
    return {"storage": f"sqlite:///{folder}/box.db"} if kind == "sqlite" else {}


@pytest.mark.parametrize(
    ("engine", "storage"), [*((engine, "journal") for engine in ENGINES), ("tpe", "sqlite")]
)
def test_the_new_ranges_hold_for_new_trials_and_old_trials_stay(engine, storage, tmp_path):
    kept = storage_of(storage, tmp_path)
    old = values_of(searched(before, 12, tmp_path, engine, **kept).oracle)
    with pytest.warns(UserWarning) as noted:
        searched(after, 20, tmp_path, engine, **kept)
    notes = [str(note.message) for note in noted if "from now on" in str(note.message)]
    assert len(notes) == 3 and "Int from 1 to 8" in notes[0] and "Int from 4 to 1000" in notes[0]
    with warnings.catch_warnings(action="error", category=UserWarning):
        tuner = searched(after, 24, tmp_path, engine, **kept)
    found = values_of(tuner.oracle)
    assert found[:12] == old and len(found) == 24
    assert all(fits_after(values) and 0.2 <= values["drop"] <= 0.5 for values in found[12:])
    assert len({values["drop"] for values in found[12:]} - {0.2}) > 3
    assert found[12]["drop"] != 0.2
    assert max(values["units"] for values in found[12:]) > 8
    assert [trial.state.name for trial in tuner.study.trials] == ["COMPLETE"] * 24
    best = min(range(24), key=lambda number: loss(**own_values(found[number])))
    assert int(tuner.oracle.get_best_trials()[0].trial_id) == best


@pytest.mark.parametrize("engine", ENGINES)
def test_engines_learn_from_old_trials_inside_and_from_no_other(engine, tmp_path):
    searched(before, 12, tmp_path)
    with pytest.warns(UserWarning, match="from now on"):
        oracle = made(after, 20, tmp_path, engine).oracle
    inside = {n for n, values in enumerate(values_of(oracle)) if fits_after(values)}
    assert 0 < len(inside) < 12
    assert {int(trial.trial_id) for trial in oracle.known_trials()} == inside


class Listening(optuna.samplers.RandomSampler):
    heard: ClassVar[list] = []

    def sample_independent(self, study, trial, name, distribution):
        states = (optuna.trial.TrialState.COMPLETE,)
        self.heard.append((name, distribution, study.get_trials(states=states)))
        return super().sample_independent(study, trial, name, distribution)


def test_a_sampler_sees_old_trials_as_if_made_now(tmp_path):
    searched(before, 12, tmp_path)
    Listening.heard.clear()
    with pytest.warns(UserWarning, match="from now on"):
        tuner = searched(after, 13, tmp_path, "tpe", sampler=Listening(1))
    inside = [n for n, values in enumerate(values_of(tuner.oracle)[:12]) if fits_after(values)]
    assert {name for name, _, _ in Listening.heard} == {"units", "kind [2]", "lr [2]", "drop"}
    assert inside
    for name, distribution, trials in Listening.heard:
        assert [trial.number for trial in trials] == inside
        if name != "drop":
            assert {str(trial.distributions[name]) for trial in trials} == {str(distribution)}


def test_a_choice_that_returns_has_its_first_name_again(tmp_path):
    searched(before, 3, tmp_path)
    for trials, ask in ((6, after), (9, before), (12, after)):
        with pytest.warns(UserWarning, match="from now on"):
            tuner = searched(ask, trials, tmp_path)
    kinds = [[name for name in t.params if "kind" in name] for t in tuner.study.trials]
    assert kinds == [["kind"]] * 3 + [["kind [2]"]] * 3 + [["kind"]] * 3 + [["kind [2]"]] * 3
    assert all("kind" in values for values in values_of(tuner.oracle))


@pytest.mark.parametrize("is_declared", [True, False])
def test_another_kind_is_an_error_that_says_how_to_go_on(is_declared, tmp_path):
    searched(lambda hp: (hp.Int("units", 1, 8), "a", hp.Float("lr", 0, 1)), 2, tmp_path)
    asked = kt_hpo.HyperParameters()

    def ask(hp):
        return 1, "a", hp.Choice("lr", [0.1, 0.2])

    with pytest.raises((kt_hpo.RecordError, ValueError), match="project_name") as refused:
        searched(ask, 4, tmp_path, hyperparameters=asked, is_declared=is_declared)
    assert "Float from" in str(refused.value) and "Choice of 0.1, 0.2" in str(refused.value)
    assert isinstance(refused.value, kt_hpo.RecordError) == is_declared
    assert [one.name for one in asked.space] in (["lr"], ["units", "lr"])


@pytest.mark.parametrize("executor", [None, pytest.param(2, marks=pytest.mark.slow)])
def test_ranges_that_only_a_trial_asks_for_hold_too(executor, tmp_path):
    searched(before, 4, tmp_path, is_declared=False)
    with pytest.warns(UserWarning, match="from now on"):
        tuner = searched(after, 10, tmp_path, is_declared=False, executor=executor)
    found = values_of(tuner.oracle)[4:]
    assert len(found) == 6 and all(fits_after(values) for values in found)
    again = made(after, 10, tmp_path, is_declared=False)
    assert values_of(again.oracle)[4:] == found


def test_a_range_that_depends_on_another_value_is_refused(tmp_path):
    def ask(hp):
        return hp.Int("units", 1, 8), "a", hp.Float("lr", 0, hp.get("units"))

    with pytest.raises(ValueError, match="one name has one range in all trials"):
        searched(ask, 8, tmp_path, is_declared=False)


def test_hyperparameters_passed_in_keep_their_range(tmp_path):
    mine = kt_hpo.HyperParameters()
    mine.Int("units", 2, 3)
    for trials in (3, 6):
        with warnings.catch_warnings(action="error", category=UserWarning):
            mine = kt_hpo.HyperParameters()
            mine.Int("units", 2, 3)
            tuner = searched(before, trials, tmp_path, hyperparameters=mine, is_declared=False)
    assert {values["units"] for values in values_of(tuner.oracle)} <= {2, 3}


def test_an_interrupted_trial_outside_of_the_new_range_is_not_run_again(tmp_path):
    tuner = made(before, 4, tmp_path)
    begun = [tuner.oracle.create_trial(f"tuner {n}") for n in range(4)]
    outside = {t.trial_id for t in begun if not fits_after(t.hyperparameters.values)}
    assert 0 < len(outside) < 4
    with pytest.warns(UserWarning, match="from now on"):
        tuner = searched(after, 6, tmp_path)
    failed = {n for n, trial in tuner.oracle.trials.items() if trial.status == "FAILED"}
    assert failed == outside
    assert "outside of the ranges" in tuner.oracle.trials[min(failed)].message


def test_enqueued_values_outside_of_the_new_range_are_replaced(tmp_path):
    tuner = searched(before, 2, tmp_path)
    tuner.enqueue({"units": 2, "kind": "b"})
    with pytest.warns(UserWarning, match="from now on"):
        tuner = made(after, 3, tmp_path)
    with pytest.warns(UserWarning, match=r"replaced: units=2 is not allowed"):
        tuner.search(verbose=0)
    values = values_of(tuner.oracle)[-1]
    assert values["units"] >= 4 and values["kind"] == "b"


def test_a_grid_covers_the_new_ranges_wholly_and_nothing_twice(tmp_path):
    def grid(ask):
        class Grid(kt_hpo.GridSearch):
            def run_trial(self, trial):
                return float(sum(ask(trial.hyperparameters)))

        hp = kt_hpo.HyperParameters()
        ask(hp)
        tuner = Grid(directory=tmp_path, project_name="grid", hyperparameters=hp)
        tuner.search(verbose=0)
        return [tuple(values.values()) for values in values_of(tuner.oracle)]

    assert len(grid(lambda hp: (hp.Int("a", 1, 3), hp.Choice("b", [1, 2])))) == 6
    with pytest.warns(UserWarning, match="from now on"):
        wider = grid(lambda hp: (hp.Int("a", 2, 4), hp.Choice("b", [2, 3])))
    assert sorted(wider[6:]) == [(2, 3), (3, 3), (4, 2), (4, 3)]
    new = grid(lambda hp: (hp.Int("a", 2, 4), hp.Choice("b", [2, 3]), hp.Choice("c", [0, 1])))
    assert sorted(new[10:]) == [(a, b, c) for a in (2, 3, 4) for b in (2, 3) for c in (0, 1)]


def test_a_changed_build_is_noticed(tmp_path):
    def build(units):
        def built(hp):
            hp.Int("width", *units)
            return models.eager(hp)

        return built

    def tuner(*units):
        kwargs = {"directory": tmp_path, "project_name": "built", "objective": "val_loss"}
        return kt_hpo.RandomSearch(build(units), max_trials=2, seed=0, **kwargs)

    x, y = models.blobs()
    tuner(1, 8).search(x, y, validation_split=0.5, batch_size=200, verbose=0)
    with pytest.warns(UserWarning, match="'width' was Int from 1 to 8, and is Int from 9 to 10"):
        oracle = tuner(9, 10).oracle
    assert not oracle.known_trials() and len(oracle.trials) == 2


def test_the_record_is_read_as_before_by_everyone_else(tmp_path, capsys):
    searched(before, 12, tmp_path, "tpe")
    with pytest.warns(UserWarning, match="from now on"):
        tuner = searched(after, 24, tmp_path, "tpe")
    assert cli.main(["status", str(tmp_path / "box")]) == cli.OK
    assert "24 of 24: 24 complete" in capsys.readouterr().out
    page = kt_hpo.report(tuner, tmp_path / "report.html")
    assert "units" in page.read_text()
    assert plot_importances(tuner).get_yticklabels()
