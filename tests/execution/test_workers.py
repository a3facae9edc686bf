"""Trials in processes of their own: the results of inline, and faults that disturb nobody else."""

import ctypes
import os
import signal
import sys
import threading
import time
from pathlib import Path

import cloudpickle
import keras
import numpy as np
import psutil
import pytest
from models import blobs, build, conditional, eager
from squares import Square

import kt_hpo

# This module is none that a worker could import.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

SAMPLES = 20_000
ATTRIBUTES = ("params", "value", "intermediate_values", "state")


def results(tuner):
    return [tuple(getattr(trial, name) for name in ATTRIBUTES) for trial in tuner.study.trials]


def no_process_is_left():
    """Of those that this one has started, and they, but for multiprocessing's own."""
    children = psutil.Process().children(recursive=True)
    return not [child for child in children if "processes" in " ".join(child.cmdline())]


def memory(kind):
    """Megabytes of this process's memory of a kind, from the kernel."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(kind)) / 1024


@pytest.mark.slow
def test_results_are_those_of_inline(tmp_path):
    """Weights, order of the samples, values met while building, reports and pruning: all."""
    x, y = blobs(SAMPLES)

    def eager_conditional(hp):
        model = conditional(hp)
        model.run_eagerly = True
        return model

    def search(executor):
        tuner = kt_hpo.RandomSearch(
            eager_conditional, "val_loss", max_trials=4, seed=3, directory=tmp_path,
            project_name=str(executor), executor=executor,
        )  # fmt: skip
        tuner.search(x, y, validation_split=0.2, epochs=2, batch_size=4000, verbose=0)
        return tuner

    inline, workers = search(None), search(2)
    for one, other in zip(results(inline), results(workers), strict=True):
        assert one[0] == other[0] and one[3] == other[3]
        assert one[1] == pytest.approx(other[1], rel=1e-4)
        assert one[2] == pytest.approx(other[2], rel=1e-4)
    theirs = [trial.user_attrs for trial in workers.study.trials]
    assert {attrs["worker"] for attrs in theirs} == {1, 2}
    assert [attrs["parameters"] for attrs in theirs] == [
        trial.user_attrs["parameters"] for trial in inline.study.trials
    ]
    model = workers.get_best_models()[0]
    best = min(trial.value for trial in workers.study.trials)
    validation = x[-SAMPLES // 5 :], y[-SAMPLES // 5 :]
    assert model.evaluate(*validation, verbose=0)[0] == pytest.approx(best, rel=1e-3)
    assert no_process_is_left()
    assert not list(tmp_path.glob("2/workers*"))
    workers.search(x, y, validation_split=0.2, epochs=2, verbose=0)  # Nothing is left to do.
    assert len(workers.study.trials) == 4


@pytest.mark.slow
def test_every_fault_fails_its_own_trial_alone(tmp_path, capsys):
    faults = {
        "0001": lambda: os.kill(os.getpid(), signal.SIGKILL),
        "0002": lambda: ctypes.string_at(0),
        "0003": lambda: sys.exit(3),
        "0004": lambda: time.sleep(60),
        "0005": lambda: np.ones(2**62, "int8"),
        "0006": lambda: print("I was here") or 1 / 0,
        # A child that outlives it changes nothing.
        "0007": lambda: (os.fork() and os.kill(os.getpid(), signal.SIGKILL)) or time.sleep(60),
    }
    limits = {"max_consecutive_failed_trials": 9, "trial_timeout": 4}
    tuner = Square(tmp_path, 2, max_trials=10, **limits)
    tuner.search(faults=faults)
    trials = tuner.study.trials
    failed = {t.number: t.user_attrs["traceback"] for t in trials if t.state.name == "FAIL"}
    words = {
        1: "killed by SIGKILL, as the system does when memory runs out",
        2: "killed by SIGSEGV",
        3: "exit status 3",
        4: "longer than trial_timeout=4 seconds",
        5: "MemoryError",
        6: "ZeroDivisionError",
        7: "SIGKILL",
    }
    assert failed.keys() == words.keys()
    for number, word in words.items():
        assert word in failed[number].splitlines()[-1]
    # The stack tells where it crashed, and where it hung.
    assert "run_trial" in failed[2] and "run_trial" in failed[4]
    assert [t.number for t in trials if t.state.name == "COMPLETE"] == [0, 8, 9]
    shown = capsys.readouterr().out
    assert "[trial 6] I was here" in shown
    assert "Trial 0001 failed: The worker was killed" in shown
    assert no_process_is_left()


@pytest.mark.slow
def test_a_trial_is_tried_again_and_a_mistake_of_every_trial_ends_the_search(tmp_path):
    seen = tmp_path / "seen"

    class Dies(Square):
        def run_trial(self, trial):
            value = super().run_trial(trial)
            if trial.trial_id == "0001":
                with seen.open("a") as file:
                    file.write("x")
                if len(seen.read_text()) < 3:
                    os.kill(os.getpid(), signal.SIGKILL)
            return "nonsense" if trial.trial_id == "0003" else value

    tuner = Dies(tmp_path, 1, max_retries_per_trial=2)
    with pytest.raises(kt_hpo.errors.FatalTypeError, match="nonsense") as caught:
        tuner.search(verbose=0)
    assert "In the worker" in caught.value.__notes__[0]
    assert [t.state.name for t in tuner.study.trials[:3]] == ["COMPLETE"] * 3
    assert tuner.study.trials[1].user_attrs["attempts"] == 2
    assert no_process_is_left()


@pytest.fixture
def settings_of_keras():
    before = keras.config.epsilon(), keras.config.dtype_policy()
    keras.config.set_epsilon(1e-3)
    keras.config.set_dtype_policy("mixed_bfloat16")
    yield
    keras.config.set_epsilon(before[0])
    keras.config.set_dtype_policy(before[1])


@pytest.mark.slow
def test_data_are_shared_pipelines_travel_and_settings_hold(
    settings_of_keras, tmp_path, monkeypatch
):
    """In a worker that is there in a moment, whatever threads libraries have."""
    import pandas as pd
    import tensorflow as tf

    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")

    class Looks(Square):
        def run_trial(self, trial, x, pipeline, shuffled, frame):
            trial.hyperparameters.Float("x", 0, 1)
            before = memory("Anonymous")
            tensor = tf.convert_to_tensor(x)
            grown = memory("Anonymous") - before
            x[0] = 7.0  # A worker's own affair.
            batches = [batch.numpy().tolist() for batch in pipeline]
            assert batches == [[0, 1], [2, 3]] and frame["a"].sum() == 3
            return {
                "default_objective": grown,
                "sum": float(tensor[1:].numpy().sum()),
                "orders": len({str([n.numpy() for n in shuffled]) for _ in range(3)}),
                "epsilon": keras.config.epsilon(),
                "halves": keras.config.dtype_policy().name == "mixed_bfloat16",
                "fork": "supervisor" in Path("/proc/self/cmdline").read_text(),
            }

    x = np.ones((100, 2**18), "float32")
    pipeline = tf.data.Dataset.range(4).batch(2)
    data = {"pipeline": pipeline, "shuffled": tf.data.Dataset.range(40).shuffle(40)}
    tuner = Looks(tmp_path, 1, max_trials=2)
    tuner.search(x, frame=pd.DataFrame({"a": [1, 2]}), verbose=0, **data)
    for trial in tuner.study.trials:
        assert trial.value < 20, "megabytes, of 100: a copy was made"
        metrics = trial.user_attrs["metrics"]
        assert (metrics["sum"], metrics["orders"]) == (x[1:].size, 3)
        assert (metrics["epsilon"], metrics["halves"], metrics["fork"]) == (1e-3, 1, 1)
    assert x[0, 0] == 1
    assert not list(tmp_path.glob("square/workers*"))


def pipeline():
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices(blobs(100)).batch(100).repeat()


MADE = {"x": pipeline, "validation_data": lambda: blobs(50), "steps_per_epoch": 2, "verbose": 0}


def test_data_may_be_functions_that_make_them(tmp_path):
    tuner = kt_hpo.RandomSearch(eager, "val_loss", max_trials=1, seed=0, directory=tmp_path)
    tuner.search(**MADE)
    assert tuner.study.trials[0].state.name == "COMPLETE"


def test_callbacks_hooks_and_functions_that_make_data_travel(tmp_path):
    log = tmp_path / "log"

    class Mine(kt_hpo.OptunaSearch):
        def on_trial_begin(self, trial):
            log.open("a").write(f"begin {trial.trial_id} {os.getpid()}\n")

        def on_epoch_end(self, trial, model, epoch, logs=None):
            log.open("a").write(f"epoch {epoch} {os.getpid()}\n")

    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    objectives = ["val_loss", "parameters"]
    tuner = Mine(eager, objectives, max_trials=2, seed=0, directory=tmp_path, executor=2)
    tuner.search(**MADE, epochs=9, validation_freq=2, callbacks=[Stop()])
    assert [len(trial.values) for trial in tuner.study.trials] == [2, 2]
    losses = [trial.user_attrs["history"][0]["val_loss"] for trial in tuner.study.trials]
    assert [[one is None for one in loss] for loss in losses] == [[True, False]] * 2
    lines = [line.split() for line in log.read_text().splitlines()]
    here = {pid for *_, pid in lines if pid == str(os.getpid())}
    assert [line[0] for line in lines if line[-1] in here] == ["begin", "begin"]
    assert sorted(line[1] for line in lines if line[0] == "epoch") == ["0", "0", "1", "1"]
    assert len({line[-1] for line in lines if line[0] == "epoch"}) == 2


class Spoilt:
    """Can be packed, and not unpacked."""

    def __reduce__(self):
        return int, ("no number",)


@pytest.mark.slow
def test_workers_that_cannot_start_stop_the_search_with_the_first_traceback(tmp_path):
    tuner = Square(tmp_path, 1, max_trials=2)
    tuner.spoilt = Spoilt()
    with pytest.raises(RuntimeError, match=r"(?s)3 workers in a row.*invalid literal.*no number"):
        tuner.search(verbose=0)
    assert no_process_is_left()
    del tuner.spoilt
    tuner.search(verbose=0)
    assert [trial.state.name for trial in tuner.study.trials] == ["COMPLETE"] * 2


def test_what_cannot_be_sent_is_named_before_anything_runs(tmp_path):
    tuner = Square(tmp_path)
    tuner.lock = threading.Lock()
    with pytest.raises(TypeError, match=r"self\.lock.*Inline"):
        tuner.search(verbose=0)
    del tuner.lock
    with pytest.raises(TypeError, match=r"faults=.*Inline"):
        tuner.search(faults={"0000": threading.Lock()})
    assert not tuner.study.trials


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: kt_hpo.Workers(0), "n=0"),
        (lambda: kt_hpo.Workers(2, gpus_per_trial=1.5), "gpus_per_trial=1.5"),
        (lambda: kt_hpo.Workers(2, gpus_per_trial=-1), "gpus_per_trial=-1"),
        (lambda: kt_hpo.RandomSearch(build, executor="workers"), "Workers"),
        (lambda: kt_hpo.RandomSearch(build, executor=True), "True"),
    ],
)
def test_wrong_arguments_say_what_is_allowed(wrong, words):
    with pytest.raises(ValueError, match=words):
        wrong()


def test_too_few_gpus_are_an_error_before_any_training(tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    tuner = Square(tmp_path, kt_hpo.Workers(2, gpus_per_trial=1))
    with pytest.raises(ValueError, match=r"need 2 GPUs, and there are 1"):
        tuner.search(verbose=0)
    assert not tuner.study.trials


@pytest.mark.slow
def test_each_worker_sees_its_own_gpu_and_its_part_of_the_cores(tmp_path, monkeypatch):
    class Looks(Square):
        def run_trial(self, trial):
            trial.hyperparameters.Float("x", 0, 1)
            time.sleep(1)
            names = ("CUDA_VISIBLE_DEVICES", "TF_NUM_INTRAOP_THREADS")
            seen = {name: float(os.environ[name]) for name in names}
            return {"default_objective": 0.0, **seen}

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    tuner = Looks(tmp_path, kt_hpo.Workers(2, gpus_per_trial=1), max_trials=4)
    tuner.search(verbose=0)
    seen = [trial.user_attrs["metrics"] for trial in tuner.study.trials]
    assert {metrics["CUDA_VISIBLE_DEVICES"] for metrics in seen} == {3, 5}
    half = max(len(os.sched_getaffinity(0)) // 2, 1)
    assert {metrics["TF_NUM_INTRAOP_THREADS"] for metrics in seen} == {half}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["hyperband", "pbt", "evolution"])
def test_algorithms_whose_trials_go_on_from_others_run_side_by_side(kind, tmp_path):
    common = {"seed": 0, "directory": tmp_path, "executor": 2}
    tuner = {
        "hyperband": lambda: kt_hpo.Hyperband(eager, "val_loss", max_epochs=2, factor=2, **common),
        "pbt": lambda: kt_hpo.PopulationBasedTraining(
            eager, "val_loss", population_size=2, max_epochs=2, **common
        ),
        "evolution": lambda: kt_hpo.EvolutionarySearch(
            eager, "val_loss", max_trials=5, population_size=2, inherit_weights=True, **common
        ),
    }[kind]()
    tuner.search(*blobs(200), validation_split=0.2, batch_size=160, verbose=0)
    trials = tuner.study.trials
    assert [trial.state.name for trial in trials] == ["COMPLETE"] * tuner.oracle.planned_trials
    if kind == "evolution":
        assert any(trial.user_attrs.get("inherited") for trial in trials)
    else:
        # As many epochs as were left, none twice.
        spans = [
            range(values["tuner/initial_epoch"], values["tuner/epochs"])
            for values in (trial.user_attrs["values"] for trial in trials)
        ]
        assert any(span.start > 0 for span in spans)
        epochs = [trial.user_attrs["history"][0]["epoch"] for trial in trials]
        assert epochs == [list(span) for span in spans]
    assert no_process_is_left()
