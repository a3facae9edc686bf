"""Hyperparameters that a search first meets while a trial runs."""

import pytest

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


def test_workers_draw_what_they_meet(tmp_path):
    params = searched(tmp_path, "workers", kind=Square, executor=2)
    assert len({one["x"] for one in params}) == 6 and -1 not in {one["x"] for one in params}


def test_two_ranges_of_one_name_end_a_search_with_the_reason(tmp_path):
    class Twice(kt_hpo.RandomSearch):
        def run_trial(self, trial):
            return trial.hyperparameters.Int("n", 1, 9) + trial.hyperparameters.Int("n", 1, 3)

    with pytest.raises(ValueError, match="a name of its own"):
        searched(tmp_path, "twice", kind=Twice)
