"""Hyperparameters that a search first meets while a trial runs."""

import keras_tuner
import pytest
from models import blobs, eager

import kt_hpo


class Met(kt_hpo.RandomSearch):
    def run_trial(self, trial):
        hp = trial.hyperparameters
        x = hp.Float("x", 0, 1)
        return x + (hp.Float("late", 0, 1) if len(self.oracle.trials) > 2 else 0)


def searched(tmp_path, name, kind=Met, **kwargs):
    tuner = kind(max_trials=6, directory=tmp_path, project_name=name, **{"seed": 3} | kwargs)
    tuner.search(verbose=0)
    return [trial.params for trial in tuner.study.trials]


def test_what_the_first_trial_meets_is_drawn_by_the_seed(tmp_path):
    first = searched(tmp_path, "a")
    assert first == searched(tmp_path, "b")
    assert first != searched(tmp_path, "c", seed=4)
    assert len({params["x"] for params in first}) == 6
    assert 0 not in {params["x"] for params in first}
    assert first[2]["late"] != 0


class Square(kt_hpo.RandomSearch):
    def run_trial(self, trial):
        return trial.hyperparameters.Float("x", -1, 1) ** 2


@pytest.mark.parametrize("asked", [1, 4])
def test_nobody_is_given_a_second_trial_of_a_space_unknown(tmp_path, asked):
    tuner = Square(max_trials=6, seed=0, directory=tmp_path, project_name=str(asked))
    first = tuner.oracle.create_trial("first")
    assert first.status == "RUNNING"
    assert {tuner.oracle.create_trial(f"other {n}").status for n in range(asked)} == {"IDLE"}
    first.hyperparameters.Float("x", -1, 1)
    first.status = "COMPLETED"
    tuner.oracle.update_trial(first.trial_id, {"default_objective": 0.5})
    tuner.oracle.end_trial(first)
    others = [tuner.oracle.create_trial(f"other {n}") for n in range(asked)]
    assert {other.status for other in others} == {"RUNNING"}
    assert len({other.hyperparameters.get("x") for other in others}) == asked


def test_two_ranges_of_one_name_end_a_search_with_the_reason(tmp_path):
    class Twice(kt_hpo.RandomSearch):
        def run_trial(self, trial):
            return trial.hyperparameters.Int("n", 1, 9) + trial.hyperparameters.Int("n", 1, 3)

    with pytest.raises(ValueError, match="a name of its own"):
        searched(tmp_path, "twice", kind=Twice)


class LateFit(keras_tuner.HyperModel):
    """Asks for a batch size in `fit` only, in a way that cannot be read without a model."""

    def build(self, hp):
        return eager(hp)

    def fit(self, hp, model, *args, **kwargs):
        assert model.count_params() > 0
        return model.fit(*args, batch_size=hp.Int("batch_size", 8, 64), **kwargs)


@pytest.mark.slow
@pytest.mark.parametrize(
    "executor", [kt_hpo.Vectorized(4), pytest.param(2, marks=pytest.mark.slow)]
)
def test_what_fit_asks_for_is_met_by_one_trial_before_others_begin(executor, tmp_path):
    kwargs = {"objective": "val_loss", "seed": 1, "directory": tmp_path, "executor": executor}
    tuner = kt_hpo.RandomSearch(LateFit(), max_trials=4, **kwargs)
    x, y = blobs()
    tuner.search(x, y, validation_split=0.5, epochs=1, verbose=0)
    met = [trial.params["batch_size"] for trial in tuner.study.trials]
    assert len(met) == 4 and met.count(8) <= 1 and len(set(met)) > 2


class Grid(kt_hpo.GridSearch):
    def run_trial(self, trial):
        hp = trial.hyperparameters
        return hp.Choice("a", [1, 2]) + hp.Choice("late", [10, 20, 30])


@pytest.mark.parametrize("executor", [None, pytest.param(2, marks=pytest.mark.slow)])
def test_a_grid_has_all_values_of_what_a_trial_meets(executor, tmp_path):
    known = kt_hpo.HyperParameters()
    known.Choice("a", [1, 2])
    tuner = Grid(hyperparameters=known, directory=tmp_path, executor=executor)
    tuner.search(verbose=0)
    tried = [tuple(trial.params[name] for name in ("a", "late")) for trial in tuner.study.trials]
    assert tried[0] == (1, 10)
    assert sorted(tried) == [(a, late) for a in (1, 2) for late in (10, 20, 30)]


@pytest.mark.parametrize("may_grow", [True, False])
def test_one_trial_has_to_go_well_before_others_begin(may_grow, tmp_path):
    known = kt_hpo.HyperParameters()
    known.Float("x", 0, 1)
    kwargs = {"hyperparameters": known, "tune_new_entries": may_grow, "max_trials": 6}
    oracle = Met(seed=0, directory=tmp_path, **kwargs).oracle
    oracle.meets_more = True
    first = oracle.create_trial("first")
    assert oracle.create_trial("second").status == ("IDLE" if may_grow else "RUNNING")
    first.status = "FAILED"
    oracle.end_trial(first)
    if may_grow:
        other = oracle.create_trial("second")
        assert (other.status, oracle.create_trial("third").status) == ("RUNNING", "IDLE")
        oracle.update_trial(other.trial_id, {"default_objective": 0.5})
        other.status = "COMPLETED"
        oracle.end_trial(other)
    assert {oracle.create_trial(name).status for name in ("third", "fourth")} == {"RUNNING"}
