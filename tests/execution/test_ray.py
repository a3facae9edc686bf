"""Trials on Ray Tune: the results of inline, files through its storage, and faults."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import cloudpickle
import keras
import numpy as np
import pytest
from models import blobs, conditional, eager
from programs import Script
from squares import Square, states

import kt_hpo

ray = pytest.importorskip("ray")
pytestmark = pytest.mark.xdist_group("ray")

# This module is none that a worker could import.
cloudpickle.register_pickle_by_value(sys.modules[__name__])
ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])

SAMPLES = 20_000
TESTS = Path(__file__).parents[1]
ATTRIBUTES = ("params", "value", "intermediate_values", "state")


def results(tuner):
    return [tuple(getattr(trial, name) for name in ATTRIBUTES) for trial in tuner.study.trials]


def square(directory, workers=2, **kwargs):
    return Square(directory, kt_hpo.Ray(workers), **kwargs)


def killed():
    os.kill(os.getpid(), signal.SIGKILL)


def hangs():
    time.sleep(300)


def wrong():
    raise ValueError("a wrong value")


def first(fault, mark, then=lambda: None):
    """A fault, and another one when the trial is tried again."""

    def happen():
        if mark.exists():
            then()
        else:
            mark.touch()
            fault()

    return happen


NOWHERE_AND_ITS_OWN = f"""
import sys, warnings
sys.path.insert(0, {str(TESTS)!r})
warnings.simplefilter("ignore")
import psutil, ray
import kt_hpo
from squares import Square, states

def mistaken():
    raise kt_hpo.errors.FatalValueError("no trial can run")

# "auto" would find the Ray of any other program on this machine.
for address in ("ray://127.0.0.1:1", None):
    tuner = Square("runs", kt_hpo.Ray(1, address=address))
    try:
        tuner.search(faults={{"0002": mistaken}}, verbose=0)
    except Exception as error:
        print(error)
children = [" ".join(child.cmdline()) for child in psutil.Process().children(recursive=True)]
print(states(tuner), ray.is_initialized(), [child for child in children if "raylet" in child])
"""


class TestARayOfItsOwn:
    """How Ray starts for a search alone; no other Ray runs here."""

    @pytest.fixture(autouse=True)
    def no_ray(self):
        if ray.is_initialized():
            ray.shutdown()

    @pytest.mark.slow
    def test_a_cluster_that_is_not_there_is_named_and_its_own_is_gone_when_it_ends(self, tmp_path):
        """In a process of its own, because threads of the client stay."""
        script = tmp_path / "script.py"
        script.write_text(NOWHERE_AND_ITS_OWN)
        names = ("INITIAL", "MAX")
        limits = {f"RAY_CLIENT_{name}_CONNECTION_TIMEOUT_S": "1" for name in names}
        said, _ = Script(script, limits).communicate(timeout=300)
        # Of the client's threads, when the other Ray starts.
        nowhere, *own = [line for line in said.splitlines() if "fork_posix.cc" not in line]
        assert "There is no Ray at address='ray://127.0.0.1:1'" in nowhere
        assert own == ["no trial can run", "['COMPLETE', 'COMPLETE', 'RUNNING'] False []"]
        assert list(tmp_path.glob("runs/square/ray/session_*/logs/*"))

    def test_it_does_not_start_without_authentication(self, tmp_path, monkeypatch):
        monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
        with pytest.raises(ValueError, match="RAY_AUTH_MODE=disabled"):
            square(tmp_path).search(verbose=0)

    def test_gpus_that_are_not_there_are_named(self, tmp_path, monkeypatch):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
        with pytest.raises(ValueError, match="this machine has 0"):
            Square(tmp_path, kt_hpo.Ray(2, {"GPU": 1})).search(verbose=0)


@pytest.mark.slow
def test_faults_cost_their_trial_or_one_try_and_processes_stay(local_ray, tmp_path):
    faults = {
        "0001": wrong,
        "0002": first(killed, tmp_path / "once"),
        "0003": first(killed, tmp_path / "first", then=hangs),
    }
    tuner = square(tmp_path, workers=1, max_trials=4, max_retries_per_trial=1, trial_timeout=3)
    tuner.search(faults=faults, verbose=0)
    assert states(tuner) == ["COMPLETE", "FAIL", "COMPLETE", "FAIL"]
    trials = [trial.user_attrs for trial in tuner.study.trials]
    assert [trial.get("attempts", 0) for trial in trials] == [0, 1, 1, 1]
    for number, words in (
        (1, "a wrong value"),
        (1, "Traceback"),
        (2, "died"),
        (3, "trial_timeout=3"),
    ):
        assert words in trials[number]["traceback"]
    pids = [trial["pid"] for trial in trials]
    assert pids[0] == pids[1] and len(set(pids)) == 3


@pytest.mark.slow
def test_results_are_those_of_inline(local_ray, tmp_path):
    """Weights, order of the samples, values met while building, reports and pruning: all."""
    x, y = blobs(4000)

    def eager_conditional(hp):
        model = conditional(hp)
        model.run_eagerly = True
        return model

    def search(executor):
        tuner = kt_hpo.RandomSearch(
            eager_conditional, "val_loss", max_trials=7, seed=8, directory=tmp_path,
            project_name=type(executor).__name__, executor=executor, pruner="median",
        )  # fmt: skip
        tuner.search(x, y, validation_split=0.5, epochs=3, batch_size=1000, verbose=0)
        return tuner

    inline, there = search(kt_hpo.Inline()), search(kt_hpo.Ray(1))
    assert results(inline) == results(there)
    assert set(states(there)) == {"COMPLETE", "PRUNED"}
    assert {"late" in trial.params for trial in there.study.trials} == {True, False}
    model = there.get_best_models(1)[0]
    assert model.evaluate(x[2000:], y[2000:], verbose=0)[0] == pytest.approx(
        there.study.best_value, rel=1e-4
    )
    assert {t.user_attrs["worker"] for t in there.study.trials} == {1}


class Slides(kt_hpo.PopulationBasedTraining):
    """Members whose folders are only in the storage: each worker begins without any."""

    def on_epoch_begin(self, trial, model, epoch, logs=None):
        self.annotate(trial, where=str(self.project_dir))


@pytest.mark.slow
def test_members_go_on_from_checkpoints_in_the_storage(local_ray, tmp_path):
    x, y = blobs(400)

    def search(name, executor):
        tuner = Slides(
            eager, "val_loss", population_size=3, ready_interval=2, max_epochs=4,
            seed=0, directory=tmp_path, project_name=name, executor=executor,
        )  # fmt: skip
        tuner.search(x, y, validation_split=0.5, batch_size=100, verbose=0)
        return tuner

    inline = search("inline", kt_hpo.Inline())
    there = search("there", kt_hpo.Ray(1, storage_path=tmp_path / "storage"))
    assert [t.params for t in there.study.trials] == [t.params for t in inline.study.trials]
    assert there.study.best_value == pytest.approx(inline.study.best_value, rel=1e-4)
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
            if int(trial.trial_id) > 1:
                wrong()
            total = sum(float(np.sum(batch)) for batch, _ in pipeline)
            return {"shared": 0.0 if x.flags.writeable else 1.0, "total": total}

    tuner = Looks(
        objective=kt_hpo.Objective("total", "max"), max_trials=9, directory=tmp_path,
        executor=kt_hpo.Ray(1),
    )  # fmt: skip
    with pytest.raises(RuntimeError, match=r"(?s)3 trials failed in a row.*a wrong value"):
        tuner.search(x, pipeline, verbose=0)
    assert states(tuner) == ["COMPLETE"] * 2 + ["FAIL"] * 3
    assert ray.is_initialized()  # It is the program's.
    metrics = tuner.oracle.get_best_trials(1)[0].metrics
    assert metrics.get_best_value("total") == pytest.approx(float(np.sum(x)), rel=1e-3, abs=1)
    assert metrics.get_best_value("shared") == 1.0


def test_folders_of_trials_lie_in_any_storage_of_fsspec(tmp_path):
    from kt_hpo.execution.ray.shelf import Shelf

    for name in ("trial_0000", "trial_0001"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "last.weights.h5").write_bytes(name.encode())
    shelf = Shelf("memory://bucket/search")
    for name in ("trial_0000", "trial_0001"):
        shelf.put(tmp_path / name)
    shelf.keep_only(["trial_0001"])
    shelf.fetch(["trial_0000", "trial_0001"], tmp_path / "there")
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["trial_0001"]
    assert (tmp_path / "there/trial_0001/last.weights.h5").read_bytes() == b"trial_0001"


def test_a_missing_ray_gives_the_install_line(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray.tune", None)
    with pytest.raises(ImportError, match=r'pip install "kt-hpo\[ray\]"'):
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
