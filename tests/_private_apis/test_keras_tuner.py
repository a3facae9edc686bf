import keras_tuner

import kt_hpo
from kt_hpo._private_apis.keras_tuner import show_space


class Black(kt_hpo.RandomSearch):
    def run_trial(self, trial):
        hp = trial.hyperparameters
        return (hp.Float("x", -1, 1) - 0.3) ** 2 + abs(hp.Int("n", 1, 9) - 5)


def searched(folder):
    given = keras_tuner.HyperParameters()
    given.Float("x", 0, 0.5)
    tuner = Black(max_trials=5, seed=0, directory=folder, hyperparameters=given)
    tuner.search(verbose=0)
    return given, [trial.params for trial in tuner.study.trials]


class Renamed(keras_tuner.HyperParameters):
    """Keras Tuner's hyperparameters, whose parts have other names for others."""

    def __getattribute__(self, name):
        if name in ("_hps", "_space") and not self.__dict__.get("is_asked_by_itself"):
            raise AttributeError(name)
        return super().__getattribute__(name)

    def merge(self, *args, **kwargs):
        self.__dict__["is_asked_by_itself"] = True
        super().merge(*args, **kwargs)


def test_a_users_hyperparameters_show_the_space_of_the_search(tmp_path):
    given, found = searched(tmp_path)
    assert [one.name for one in given.space] == ["x", "n"]
    assert all(0 <= params["x"] <= 0.5 for params in found)


def test_they_show_it_where_its_parts_have_other_names():
    space = keras_tuner.HyperParameters()
    space.Float("x", 0, 0.5)
    space.Int("n", 1, 9)
    given = Renamed()
    show_space(given, space)
    assert [one.get_config() for one in given.space] == [one.get_config() for one in space.space]
    assert given.values == space.values


def test_a_search_is_exported_where_keras_tuner_notes_no_values(tmp_path, monkeypatch):
    _, found = searched(tmp_path)
    with monkeypatch.context() as patched:
        patched.delattr(keras_tuner.Oracle, "_record_values")
        kt_hpo.export(tmp_path / "untitled_project", tmp_path / "plain", format="keras-tuner")
    plain = keras_tuner.RandomSearch(
        lambda hp: None,
        keras_tuner.Objective("default_objective", "min"),
        directory=tmp_path,
        project_name="plain",
    )
    trials = plain.oracle.trials
    assert [trials[trial_id].hyperparameters.values for trial_id in sorted(trials)] == found
