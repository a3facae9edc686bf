"""Writes to a journal that are held back."""

import os
import subprocess
import sys
import textwrap

import optuna
import pytest
from keras_tuner import Objective

import kt_hpo
from kt_hpo.hyperparameters import HyperParameters
from kt_hpo.record import Record


def opened(folder):
    return Record.open(folder, Objective("val_loss", "min"))


def begin(record, rate):
    hp = HyperParameters()
    hp.Float("rate", 0.0, 1.0)
    record.begin(hp, {"rate": rate})


def test_held_writes_are_seen_within_and_written_at_the_end(tmp_path):
    record = opened(tmp_path)
    begin(record, 0.1)
    before = (tmp_path / "record.journal").read_bytes()
    with record.batched():
        begin(record, 0.2)
        with record.batched():
            record.report(1, 0, 3.0)
        record.report(1, 1, 2.0)
        assert record.trials[1].intermediate_values == {0: 3.0, 1: 2.0}
        assert (tmp_path / "record.journal").read_bytes() == before
    begin(record, 0.3)
    assert [trial.params["rate"] for trial in opened(tmp_path).trials] == [0.1, 0.2, 0.3]
    assert opened(tmp_path).trials[1].intermediate_values == {0: 3.0, 1: 2.0}


def test_held_writes_are_written_after_an_error(tmp_path):
    record = opened(tmp_path)
    with pytest.raises(RuntimeError, match="no"), record.batched():
        begin(record, 0.1)
        raise RuntimeError("no")
    assert len(opened(tmp_path).trials) == 1


def test_another_process_waits_for_held_writes(tmp_path):
    record = opened(tmp_path)
    program = textwrap.dedent(
        f"""
        from keras_tuner import Objective
        from kt_hpo.record import Record
        print("ready", flush=True)
        record = Record.open({str(tmp_path)!r}, Objective("val_loss", "min"))
        record.seed = 7
        print(len(record.trials), flush=True)
        """
    )
    with record.batched():
        begin(record, 0.1)
        other = subprocess.Popen(
            [sys.executable, "-c", program],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert other.stdout.readline() == "ready\n"
        with pytest.raises(subprocess.TimeoutExpired):
            other.wait(0.5)
    assert other.communicate()[0] == "1\n"
    begin(record, 0.2)
    assert record.seed == 7
    assert len(opened(tmp_path).trials) == 2


def test_other_storages_write_at_once(tmp_path):
    storage = optuna.storages.InMemoryStorage()
    record = Record.open(tmp_path, Objective("val_loss", "min"), storage)
    with record.batched():
        begin(record, 0.1)
        study = optuna.load_study(study_name=tmp_path.name, storage=storage)
        assert len(study.trials) == 1


@pytest.mark.slow
def test_a_full_disk_stops_the_search_and_leaves_the_record_readable(tmp_path):
    """The limit on the size of a file stands for the end of the disk: the same call fails."""
    program = textwrap.dedent(
        f"""
        import resource, signal, sys
        import kt_hpo
        class Parabola(kt_hpo.RandomSearch):
            def run_trial(self, trial):
                return trial.hyperparameters.Float("x", -1, 1) ** 2
        tuner = Parabola(max_trials=40, seed=0, directory={str(tmp_path)!r})
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        if "full" in sys.argv:
            resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, 5_000))
        tuner.search(verbose=0)
        """
    )
    full = subprocess.run([sys.executable, "-c", program, "full"], capture_output=True, text=True)
    assert full.returncode == 1
    last = full.stderr.strip().splitlines()[-1]
    assert "RecordError: The record" in last and "cannot be written" in last
    kept = [trial for trial in kt_hpo.open_study(tmp_path).trials if trial.state.is_finished()]
    assert 1 < len(kept) < 40
    subprocess.run([sys.executable, "-c", program], check=True)
    trials = kt_hpo.open_study(tmp_path).trials
    assert [trial.state.name for trial in trials] == ["COMPLETE"] * 40
    assert trials[: len(kept)] == kept
