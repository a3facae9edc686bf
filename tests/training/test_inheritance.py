import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
from models import blobs
from tiers import few

import kt_hpo
from kt_hpo.training import checkpoints, inheritance, reproducibility

X, Y = blobs(400)
FIT = {"validation_split": 0.25, "batch_size": 300, "epochs": 2, "verbose": 0}


def network(layers=2, units=8, outputs=1):
    hidden = [
        keras.layers.Dense(units, activation="relu", name=f"hidden_{layer}")
        for layer in range(layers)
    ]
    return keras.Sequential(
        [keras.Input((4,)), *hidden, keras.layers.Dense(outputs, name="output")]
    )


def build(hp):
    """Only the architecture and the rate are searched; layers have names."""
    model = network(hp.Int("layers", 1, 3), hp.Choice("units", [8, 16]))
    rate = hp.Float("rate", 1e-3, 1e-2, sampling="log")
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss, run_eagerly=True)
    return model


def tuned(hp):
    """One architecture, so that a child gets all its parent has."""
    model = network(layers=1, units=16)
    rate = hp.Float("rate", 1e-2, 1e-1, sampling="log")
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss, run_eagerly=True)
    return model


def unbuilt(hp):
    """As many users write them: without an input, so without weights before the first batch."""
    model = keras.Sequential([keras.layers.Dense(8, activation="relu"), keras.layers.Dense(1)])
    rate = hp.Float("rate", 1e-3, 1e-2, sampling="log")
    model.compile(keras.optimizers.Adam(rate), "mse", run_eagerly=True)
    return model


def evolved(folder, hypermodel=build, fit=FIT, **kwargs):
    kwargs = {"max_trials": 5, "population_size": 2, "inherit_weights": True, "seed": 0} | kwargs
    tuner = kt_hpo.EvolutionarySearch(hypermodel, "val_loss", directory=folder, **kwargs)
    tuner.search(X, Y, **fit)
    return tuner


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """The folder of a search of three trials."""
    return evolved(tmp_path_factory.mktemp("ended"), max_trials=3).directory


def parent_of(trial):
    return trial.user_attrs.get("values", {}).get("tuner/parent")


def test_layers_of_the_same_name_and_shape_are_inherited():
    parent, child = network(layers=2), network(layers=3, outputs=5)
    before = {layer.name: layer.get_weights() for layer in child.layers}
    assert inheritance.inherit(child, parent) == (4 * 8 + 8) + (8 * 8 + 8)
    for name in ("hidden_0", "hidden_1"):
        expected = parent.get_layer(name).get_weights()
        for mine, theirs in zip(child.get_layer(name).get_weights(), expected, strict=True):
            np.testing.assert_array_equal(mine, theirs)
    for name in ("hidden_2", "output"):
        for mine, old in zip(child.get_layer(name).get_weights(), before[name], strict=True):
            np.testing.assert_array_equal(mine, old)


def test_a_layer_is_inherited_whole_or_not_at_all():
    parent, child = network(layers=1), network(layers=1)
    wide = keras.Sequential([keras.Input((6,)), keras.layers.Dense(8, name="hidden_0")])
    parent.get_layer("hidden_0").bias.assign(np.ones(8))
    # The bias would fit, but without its kernel it means nothing.
    assert inheritance.inherit(wide, parent) == 0
    assert not wide.get_layer("hidden_0").bias.numpy().any()
    assert inheritance.inherit(child, parent) == child.count_params()


def test_nested_layers_and_statistics_are_inherited():
    def nested():
        inputs = keras.Input((6, 4))
        x = keras.layers.MultiHeadAttention(2, 4, name="first")(inputs, inputs)
        x = keras.layers.MultiHeadAttention(2, 4, name="second")(x, x)
        return keras.Model(inputs, keras.layers.BatchNormalization(name="norm")(x))

    parent, child = nested(), nested()
    parent.get_layer("norm").moving_mean.assign(np.full(4, 3.0))
    assert inheritance.inherit(child, parent) == child.count_params()
    for mine, theirs in zip(child.get_weights(), parent.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


class Starts(kt_hpo.EvolutionarySearch):
    """Remembers with which weights each trial starts, and with which it ends."""

    def __init__(self, *args, **kwargs):
        self.first, self.last = {}, {}
        super().__init__(*args, **kwargs)

    def on_epoch_begin(self, trial, model, epoch, logs=None):
        weights = {layer.name: layer.get_weights() for layer in model.layers}
        self.first.setdefault(trial.trial_id, weights)

    def on_epoch_end(self, trial, model, epoch, logs=None):
        self.last[trial.trial_id] = {layer.name: layer.get_weights() for layer in model.layers}


@pytest.mark.slow
@pytest.mark.parametrize("hypermodel", few([build, unbuilt], build))
def test_a_child_starts_with_what_its_parent_ended_with(hypermodel, tmp_path):
    tuner = Starts(
        hypermodel, "val_loss", 5, population_size=2, inherit_weights=True, seed=0,
        directory=tmp_path,
    )  # fmt: skip
    tuner.search(X, Y, **FIT)
    children = [trial for trial in tuner.study.trials if parent_of(trial)]
    assert len(children) == 3
    for trial in children:
        mine, theirs = tuner.first[f"{trial.number:04d}"], tuner.last[parent_of(trial)]
        same = 0
        for name, weights in mine.items():
            given = theirs.get(name, [])
            if [w.shape for w in weights] == [w.shape for w in given]:
                for one, other in zip(weights, given, strict=True):
                    np.testing.assert_array_equal(one, other)
                same += sum(w.size for w in weights)
        assert trial.user_attrs["inherited"] == same
    assert any(trial.user_attrs["inherited"] > 0 for trial in children)
    assert all("inherited" not in t.user_attrs for t in tuner.study.trials if not parent_of(t))


@pytest.mark.slow
def test_training_from_inherited_weights_helps(tmp_path):
    """The same model, the same seed, the same data, once with and once without its parent."""
    fit = FIT | {"batch_size": 75}
    tuner = evolved(tmp_path, tuned, fit, max_trials=6)
    inherited, scratch = [], []
    for trial in tuner.study.trials:
        if parent_of(trial):
            assert trial.user_attrs["inherited"] == trial.user_attrs["parameters"]
            inherited.append(trial.user_attrs["history"][0]["loss"][0])
            known = tuner.oracle.get_trial(f"{trial.number:04d}")
            keras.utils.set_random_seed(reproducibility.seed_of(tuner.oracle.seed, known))
            model = tuner.hypermodel.build(known.hyperparameters.copy())
            scratch += model.fit(X, Y, **fit | {"epochs": 1}).history["loss"]
    assert len(inherited) == 4
    assert all(np.array(inherited) < scratch)


@pytest.mark.slow
def test_only_what_a_living_parent_needs_stays_on_disk(tmp_path):
    tuner = evolved(tmp_path, keep_checkpoints=1, max_trials=4)
    left = {path.parent.name for path in Path(tuner.project_dir).rglob(checkpoints.LAST)}
    assert left == {f"trial_{trial.trial_id}" for trial in tuner.oracle.population}


def test_without_inheritance_no_ends_are_kept(tmp_path):
    tuner = evolved(tmp_path, inherit_weights=False, max_trials=2)
    assert list(Path(tuner.project_dir).rglob(checkpoints.BEST))
    assert not list(Path(tuner.project_dir).rglob(checkpoints.LAST))


@pytest.mark.slow
def test_the_checkpoint_of_a_running_childs_parent_stays(ended, tmp_path):
    tuner = evolved(shutil.copytree(ended, tmp_path / "copy"), max_trials=3)
    oracle = tuner.oracle
    oracle.max_trials = 20
    child = oracle.create_trial("slow")
    parent = child.hyperparameters.values["tuner/parent"]
    while parent in {trial.trial_id for trial in oracle.population}:
        other = oracle.create_trial("fast")
        oracle.update_trial(other.trial_id, {"val_loss": 1.0})
        other.status = "COMPLETED"
        tuner.on_trial_end(other)
    assert (Path(tuner.get_trial_dir(parent)) / checkpoints.LAST).exists()


def test_a_parent_without_a_checkpoint_is_no_error(ended, tmp_path):
    copy = shutil.copytree(ended, tmp_path / "copy")
    for path in copy.rglob(checkpoints.LAST):
        path.unlink()
    again = evolved(copy, max_trials=4)
    last = again.study.trials[-1]
    assert parent_of(last)
    assert last.state.name == "COMPLETE"
    assert last.user_attrs["inherited"] == 0


@pytest.mark.slow
def test_an_interrupted_search_goes_on_with_the_same_weights(ended, tmp_path):
    whole = evolved(tmp_path / "whole", max_trials=4)
    parts = evolved(shutil.copytree(ended, tmp_path / "parts"), max_trials=4)
    assert [t.params for t in parts.study.trials] == [t.params for t in whole.study.trials]
    values = [t.value for t in whole.study.trials]
    assert [t.value for t in parts.study.trials] == pytest.approx(values, rel=1e-5)
