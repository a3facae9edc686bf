"""Trials on Ray Tune: data in its object store, files through its storage, and errors."""

import os
import sys
import threading
from pathlib import Path

import cloudpickle
import keras
import numpy as np
import pytest
from models import blobs, eager
from squares import Square, states

import kt_hpo

ray = pytest.importorskip("ray")
pytestmark = pytest.mark.xdist_group("ray")

# This module is none that a worker could import.
cloudpickle.register_pickle_by_value(sys.modules[__name__])
ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])

SAMPLES = 20_000


def square(directory, workers=2, **kwargs):
    return Square(directory, kt_hpo.Ray(workers), **kwargs)


class TestNoRayRuns:
    """What is said before one starts; `tests/conftest.py` puts these tests before all that do."""

    @pytest.fixture(autouse=True)
    def no_ray(self):
        ray.shutdown()

    def test_it_does_not_start_without_authentication(self, tmp_path, monkeypatch):
        monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
        with pytest.raises(ValueError, match="RAY_AUTH_MODE=disabled"):
            square(tmp_path).search(verbose=0)

    def test_gpus_that_are_not_there_are_named(self, tmp_path, monkeypatch):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
        with pytest.raises(ValueError, match="this machine has 0"):
            Square(tmp_path, kt_hpo.Ray(2, {"GPU": 1})).search(verbose=0)


class Slides(kt_hpo.PopulationBasedTraining):
    """Members whose folders are only in the storage: each worker begins without any."""

    def on_epoch_begin(self, trial, model, epoch, logs=None):
        self.annotate(trial, where=str(self.project_dir))


@pytest.mark.slow
def test_members_go_on_from_checkpoints_in_the_storage(local_ray, tmp_path):
    x, y = blobs(400)

    def search(name, executor):
        tuner = Slides(
            eager, "val_loss", population_size=3, ready_interval=1, max_epochs=2,
            seed=0, directory=tmp_path, project_name=name, executor=executor,
        )  # fmt: skip
        tuner.search(x, y, validation_split=0.5, batch_size=100, verbose=0)
        return tuner

    inline = search("inline", kt_hpo.Inline())
    there = search("there", kt_hpo.Ray(1, storage_path=tmp_path / "storage"))
    assert [t.params for t in there.study.trials] == [t.params for t in inline.study.trials]
    values, theirs = ([t.value for t in tuner.study.trials] for tuner in (inline, there))
    assert theirs == pytest.approx(values, rel=1e-4)  # Weights and the order of the samples.
    assert {t.user_attrs["worker"] for t in there.study.trials} == {1}
    assert not {t.user_attrs["where"] for t in there.study.trials} & {str(there.project_dir)}
    assert there.get_best_models(1)[0].count_params() > 0
    left = {path.name for path in (tmp_path / "storage" / "there").glob("trial_*")}
    assert left == {path.name for path in Path(there.project_dir).glob("trial_*")}


def test_arrays_and_pipelines_lie_in_the_object_store_until_three_trials_fail(local_ray, tmp_path):
    tf = pytest.importorskip("tensorflow")
    if keras.backend.backend() != "tensorflow":
        pytest.skip("pipelines of tf.data are TensorFlow's")
    x, y = blobs(SAMPLES)
    pipeline = tf.data.Dataset.from_tensor_slices((x, y)).batch(1000)

    class Looks(kt_hpo.RandomSearch):
        def run_trial(self, trial, x, pipeline):
            trial.hyperparameters.Float("x", 0, 1)
            self.annotate(trial, pid=os.getpid())
            if int(trial.trial_id) > 1:
                raise ValueError("a wrong value")
            total = sum(float(np.sum(batch)) for batch, _ in pipeline)
            return {"shared": 0.0 if x.flags.writeable else 1.0, "total": total}

    tuner = Looks(
        objective=kt_hpo.Objective("total", "max"), max_trials=9, directory=tmp_path,
        executor=kt_hpo.Ray(1),
    )  # fmt: skip
    with pytest.raises(RuntimeError, match=r"(?s)3 trials failed in a row.*a wrong value"):
        tuner.search(x, pipeline, verbose=0)
    assert states(tuner) == ["COMPLETE"] * 2 + ["FAIL"] * 3
    trials = [trial.user_attrs for trial in tuner.study.trials]
    assert len({trial["pid"] for trial in trials}) == 1  # An error ends no process.
    for trial in trials[2:]:
        assert "Traceback" in trial["traceback"] and "a wrong value" in trial["traceback"]
    assert ray.is_initialized()  # It is the program's.
    metrics = tuner.oracle.get_best_trials(1)[0].metrics
    assert metrics.get_best_value("total") == pytest.approx(float(np.sum(x)), rel=1e-3, abs=1)
    assert metrics.get_best_value("shared") == 1.0


def test_folders_of_trials_lie_in_any_storage_of_fsspec(tmp_path):
    from kt_hpo.execution.ray.remote_storage import RemoteStorage

    for name in ("trial_0000", "trial_0001"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "last.weights.h5").write_bytes(name.encode())
    remote_storage = RemoteStorage("memory://bucket/search")
    for name in ("trial_0000", "trial_0001"):
        remote_storage.put(tmp_path / name)
    remote_storage.keep_only(["trial_0001"])
    remote_storage.fetch(["trial_0000", "trial_0001"], tmp_path / "there")
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["trial_0001"]
    assert (tmp_path / "there/trial_0001/last.weights.h5").read_bytes() == b"trial_0001"


def test_a_missing_ray_gives_the_install_line(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray.tune", None)
    with pytest.raises(ImportError, match=r'pip install "kt-hpo\[ray\]'):
        square(tmp_path).search(verbose=0)


def test_what_cannot_travel_is_named(local_ray, tmp_path):
    tuner = square(tmp_path)
    tuner.lock = threading.Lock()
    with pytest.raises(TypeError, match=r"self\.lock cannot be sent"):
        tuner.search(verbose=0)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (lambda: kt_hpo.Ray(0), "num_workers=0"),
        (lambda: kt_hpo.Ray(2, {"CPU": -1}), "name what a trial needs"),
        (lambda: kt_hpo.Ray(2, {"gpu": 1}), "Ray's names are 'CPU' and 'GPU'"),
    ],
)
def test_wrong_arguments_raise_at_once(given, words):
    with pytest.raises(ValueError, match=words):
        given()
