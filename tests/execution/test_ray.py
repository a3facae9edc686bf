"""Trials on Ray Tune: the results of inline, files through its storage, and faults."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import cloudpickle
import keras
import numpy as np
import psutil
import pytest
from models import blobs, conditional, eager
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


def mistaken():
    raise kt_hpo.errors.FatalValueError("no trial can run")


def first(fault, mark, then=lambda: None):
    """A fault, and another one when the trial is tried again."""

    def happen():
        if mark.exists():
            then()
        else:
            mark.touch()
            fault()

    return happen


class TestARayOfItsOwn:
    """How Ray starts for a search alone; no other Ray runs here."""

    @pytest.fixture(autouse=True)
    def no_ray(self):
        if ray.is_initialized():
            ray.shutdown()

    @pytest.mark.slow
    def test_it_is_gone_when_the_search_ends_and_its_logs_are_in_the_folder(self, tmp_path, capfd):
        tuner = square(tmp_path, workers=1)
        with pytest.raises(kt_hpo.errors.FatalValueError, match="no trial can run"):
            tuner.search(faults={"0002": mistaken}, verbose=0)
        assert states(tuner) == ["COMPLETE", "COMPLETE", "RUNNING"]
        assert not ray.is_initialized()
        children = psutil.Process().children(recursive=True)
        assert not [child for child in children if "raylet" in " ".join(child.cmdline())]
        assert list(Path(tuner.project_dir).glob("ray/session_*/logs/*"))
        assert capfd.readouterr() == ("", "")

    def test_it_does_not_start_without_authentication(self, tmp_path, monkeypatch):
        monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
        with pytest.raises(ValueError, match="RAY_AUTH_MODE=disabled"):
            square(tmp_path).search(verbose=0)

    def test_gpus_that_are_not_there_are_named(self, tmp_path, monkeypatch):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
        with pytest.raises(ValueError, match="this machine has 0"):
            Square(tmp_path, kt_hpo.Ray(2, {"GPU": 1})).search(verbose=0)

    @pytest.mark.slow
    @pytest.mark.long
    def test_a_cluster_that_is_not_there_is_named_and_another_search_finds_its_own(self, tmp_path):
        # In a process of its own, because threads of the client stay.
        program = f"""
        import sys
        sys.path.insert(0, {str(TESTS)!r})
        import kt_hpo
        from squares import Square, states

        # "auto" would find the Ray of any other program on this machine.
        nowhere, own = (Square("runs", kt_hpo.Ray(2, address=address), max_trials=2)
                        for address in ("ray://127.0.0.1:1", None))
        try:
            nowhere.search(verbose=0)
        except ConnectionError as error:
            print(error)
        own.search(verbose=0)
        again = Square("runs", kt_hpo.Ray(2), max_trials=4)
        again.search(verbose=0)
        print(states(again))
        """
        command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(program)]
        said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert "There is no Ray at address='ray://127.0.0.1:1'" in said.stdout, said.stderr
        assert said.stdout.endswith(f"{['COMPLETE'] * 4}\n"), said.stderr


@pytest.mark.slow
def test_faults_cost_their_trial_or_one_try_and_processes_stay(local_ray, tmp_path):
    faults = {
        "0001": wrong,
        "0002": first(killed, tmp_path / "once"),
        "0009": first(killed, tmp_path / "first", then=hangs),
    }
    tuner = square(tmp_path, max_trials=10, max_retries_per_trial=1, trial_timeout=3)
    began = time.monotonic()
    tuner.search(faults=faults, verbose=0)
    assert time.monotonic() - began < 120
    assert states(tuner) == ["COMPLETE", "FAIL"] + ["COMPLETE"] * 7 + ["FAIL"]
    trials = [trial.user_attrs for trial in tuner.study.trials]
    assert [trial.get("attempts", 0) for trial in trials] == [0, 1, 1] + [0] * 6 + [1]
    for number, words in (
        (1, "a wrong value"),
        (1, "Traceback"),
        (2, "died"),
        (9, "trial_timeout=3"),
    ):
        assert words in trials[number]["traceback"]
    # Two, and one for each that was killed.
    assert len({trial["pid"] for trial in trials}) <= 5


@pytest.mark.slow
def test_results_are_those_of_inline(local_ray, tmp_path):
    """Weights, order of the samples, values met while building, reports and pruning: all."""
    x, y = blobs(SAMPLES)

    def eager_conditional(hp):
        model = conditional(hp)
        model.run_eagerly = True
        return model

    def search(executor):
        tuner = kt_hpo.RandomSearch(
            eager_conditional, "val_loss", max_trials=4, seed=3, directory=tmp_path,
            project_name=type(executor).__name__, executor=executor, tune_new_entries=True,
        )  # fmt: skip
        tuner.search(x, y, validation_split=0.5, epochs=2, batch_size=2500, verbose=0)
        return tuner

    inline, there = search(kt_hpo.Inline()), search(kt_hpo.Ray(1))
    assert results(inline) == results(there)
    model = there.get_best_models(1)[0]
    assert model.evaluate(x[SAMPLES // 2 :], y[SAMPLES // 2 :], verbose=0)[0] == pytest.approx(
        there.study.best_value, rel=1e-4
    )
    assert {t.user_attrs["worker"] for t in there.study.trials} == {1}


@pytest.mark.slow
def test_hopeless_trials_stop_early(local_ray, tmp_path):
    x, y = blobs(400)
    tuner = kt_hpo.RandomSearch(
        eager, "val_loss", max_trials=8, seed=0, directory=tmp_path, executor=kt_hpo.Ray(2),
        pruner="median",
    )  # fmt: skip
    tuner.search(x, y, validation_split=0.5, epochs=6, batch_size=100, verbose=0)
    assert {"COMPLETE", "PRUNED"} <= set(states(tuner))
    assert all(len(trial.intermediate_values) <= 6 for trial in tuner.study.trials)


class Slides(kt_hpo.PopulationBasedTraining):
    """Members whose folders are only in the storage: each worker begins without any."""

    def on_epoch_begin(self, trial, model, epoch, logs=None):
        self.annotate(trial, where=str(self.project_dir))


@pytest.mark.slow
def test_members_go_on_from_checkpoints_in_the_storage(local_ray, tmp_path):
    x, y = blobs(400)

    def search(name, executor):
        tuner = Slides(
            eager, "val_loss", population_size=3, ready_interval=2, max_epochs=6,
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
