"""Searches of strangers: names and checkpoints stay inside the directory, damage is named."""

import json

import keras_tuner
import optuna
import pytest
from models import blobs, eager

import kt_hpo

X = optuna.distributions.FloatDistribution(0, 1)


def study_named(name, storage=None, **attributes):
    study = optuna.create_study(study_name=name, storage=storage)
    study.add_trial(
        optuna.trial.create_trial(
            value=0.1, params={"x": 0.1}, distributions={"x": X}, user_attrs=attributes
        )
    )
    return study


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", ["../escaped", "a/b", "/tmp/escaped", "..", "a\\..\\b", " "])
def test_a_name_stays_in_the_directory(name, tmp_path):
    runs = tmp_path / "runs"
    with pytest.raises(ValueError, match=r"cannot be the name of a directory.*project_name="):
        kt_hpo.import_search(study_named(name), runs, objective="val_loss")
    assert files(tmp_path) == []
    kt_hpo.import_search(study_named(name), runs, "renamed", objective="val_loss")
    assert (runs / "renamed" / "record.journal").is_file()


@pytest.mark.parametrize("name", ["../escaped", "/tmp/escaped"])
def test_so_does_a_project_s_name(name, tmp_path):
    with pytest.raises(ValueError, match="leads out of directory="):
        kt_hpo.import_search(study_named("s"), tmp_path, name, objective="val_loss")


@pytest.fixture
def hostile(tmp_path):
    """A search whose checkpoint is what is asked for."""

    def make(checkpoint):
        folder = tmp_path / "hostile"
        folder.mkdir()
        backend = optuna.storages.journal.JournalFileBackend(str(folder / "record.journal"))
        storage = optuna.storages.JournalStorage(backend)
        study_named("h", storage, checkpoint=checkpoint, metrics={"val_loss": 0.1})
        return folder

    return make


@pytest.mark.parametrize("way", ["absolute", "..", "link", "no text"])
def test_a_checkpoint_stays_in_its_folder(way, hostile, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    named = {"absolute": str(secret), "..": "../secret", "link": "link", "no text": 3}[way]
    folder = hostile(named)
    (folder / "link").symlink_to(secret)
    if way in ("absolute", ".."):
        with pytest.warns(UserWarning, match="leads out of"):
            kt_hpo.import_search(folder, tmp_path, "copied", objective="val_loss")
    else:
        kt_hpo.import_search(folder, tmp_path, "copied", objective="val_loss")
    assert files(tmp_path / "copied") == ["record.journal"]
    [trial] = kt_hpo.open_study(tmp_path / "copied").trials
    assert "checkpoint" not in trial.user_attrs


def test_one_that_is_there_is_copied(hostile, tmp_path):
    folder = hostile("trial_0/checkpoint.weights.h5")
    (folder / "trial_0").mkdir()
    (folder / "trial_0" / "checkpoint.weights.h5").write_text("weights")
    kt_hpo.import_search(folder, tmp_path, "copied", objective="val_loss")
    assert "trial_0000/checkpoint.weights.h5" in files(tmp_path / "copied")


def test_an_id_of_a_trial_is_no_path(tmp_path):
    tuner = kt_hpo.RandomSearch(eager, "val_loss", directory=tmp_path)
    assert tuner.get_trial_dir("0003").endswith("trial_0003")
    with pytest.raises(ValueError, match=r"trial is called '\.\./\.\./x'"):
        tuner.get_trial_dir("../../x")


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A search of plain Keras Tuner, as its files by their paths."""
    folder = tmp_path_factory.mktemp("plain")
    x, y = blobs()
    tuner = keras_tuner.RandomSearch(
        eager, "val_loss", max_trials=2, seed=1, directory=folder, project_name="plain"
    )
    tuner.search(x, y, validation_data=(x, y), epochs=1, verbose=0)
    return {
        path.relative_to(folder / "plain"): path.read_text()
        for path in (folder / "plain").rglob("*.json")
    }


def written(files, folder):
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


DAMAGES = {
    "empty": lambda state: {},
    "a list": lambda state: [],
    "a number": lambda state: 3,
    "no score": lambda state: {name: state[name] for name in state if name != "score"},
    "no space": lambda state: state | {"hyperparameters": "x"},
    "no direction": lambda state: state | {"metrics": {"metrics": {"val_loss": {}}}},
    "metrics in a list": lambda state: state | {"metrics": {"metrics": []}},
    "a score in words": lambda state: state | {"score": "low"},
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_trial_is_passed_over_and_named(damage, plain, tmp_path):
    [first, *_] = sorted(path for path in plain if path.name == "trial.json")
    text = json.dumps(DAMAGES[damage](json.loads(plain[first])))
    folder = written({**plain, first: text}, tmp_path / "damaged")
    with pytest.warns(UserWarning, match=r"trial\.json cannot be read and is passed over"):
        imported = kt_hpo.import_search(folder, tmp_path, "ours", objective="val_loss")
    assert len(imported.trials) == 1


@pytest.mark.parametrize(
    "oracle",
    [
        "{}", "[]", "{", '{"hyperparameters": "x"}',
        '{"hyperparameters": {"space": [{"class_name": "Evil", "config": {}}], "values": {}}}',
        '{"hyperparameters": {"space": [{"class_name": "Int", "config": {}}], "values": {}}}',
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:.*passed over")
def test_a_damaged_oracle_leaves_the_space_of_the_trials(oracle, plain, tmp_path):
    [path] = [path for path in plain if path.name == "oracle.json"]
    folder = written({**plain, path: oracle}, tmp_path / "damaged")
    imported = kt_hpo.import_search(folder, tmp_path, "ours", objective="val_loss")
    assert len(imported.trials) == 2
    assert all(trial.params for trial in imported.trials)


@pytest.mark.filterwarnings("ignore:.*passed over")
def test_where_nothing_is_left_it_is_said(tmp_path):
    folder = written({"oracle.json": "{}", "trial_0/trial.json": "[]"}, tmp_path / "damaged")
    with pytest.raises(ValueError, match="None of the 0 trials"):
        kt_hpo.import_search(folder, tmp_path, "ours")
