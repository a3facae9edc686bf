"""Writes to a journal that are held back."""

import itertools
import json
import pickle
import random
import resource
import signal

import optuna
import pytest
from keras_tuner import Objective
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import StudyDirection
from optuna.trial import TrialState

import kt_hpo
from kt_hpo.record import journal
from kt_hpo.record.record import Record
from kt_hpo.space.hyperparameters import HyperParameters


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


@pytest.mark.parametrize("seed", range(3))
def test_trials_are_listed_as_optuna_lists_them_whoever_writes(seed, tmp_path):
    stream, path = random.Random(seed), tmp_path / "record.journal"
    writers = [journal.open_for_writing(path) for _ in range(2)]
    for writer in writers:
        writer.create_new_study([StudyDirection.MINIMIZE])
    studies = [study._study_id for study in writers[0].get_all_studies()]
    for _ in range(120):
        writer, study = stream.choice(writers), stream.choice(studies)
        running = [
            t for t in writer.get_all_trials(study, deepcopy=False) if t.state.name == "RUNNING"
        ]
        what = stream.choice(["begin", "annotate", "end", "list"])
        if what == "begin":
            writer.create_new_trial(study)
        elif what == "annotate" and running:
            writer.set_trial_user_attr(stream.choice(running)._trial_id, "seen", stream.random())
        elif what == "end" and running:
            state = stream.choice([TrialState.COMPLETE, TrialState.FAIL])
            writer.set_trial_state_values(stream.choice(running)._trial_id, state, [1.0])
        else:
            writer.get_all_trials(study).reverse()  # Of a list of one's own.
    optunas = JournalStorage(JournalFileBackend(str(path)))
    for writer, study in itertools.product(writers, studies):
        assert writer.get_all_trials(study) == optunas.get_all_trials(study)
        elsewhere = pickle.loads(pickle.dumps(writer))
        assert elsewhere.listed(study) == writer.listed(study) == optunas.get_all_trials(study)
        completed = optunas.get_all_trials(study, states=(TrialState.COMPLETE,))
        assert writer.get_all_trials(study, states=(TrialState.COMPLETE,)) == completed
        assert writer.get_all_trials(study, states=()) == []
    writers[0].delete_study(studies[1])
    with pytest.raises(KeyError):
        writers[1].get_all_trials(studies[1])


def test_held_writes_are_written_after_an_error(tmp_path):
    record = opened(tmp_path)
    with pytest.raises(RuntimeError, match="no"), record.batched():
        begin(record, 0.1)
        raise RuntimeError("no")
    assert len(opened(tmp_path).trials) == 1


def recorded(folder):
    """The record of a search with a trial that ended and one that runs; its file."""
    record = opened(folder)
    begin(record, 0.1)
    with record.batched():
        record.annotate(0, best_epoch=3)
        record.end(0, TrialState.COMPLETE, [1.5])
    begin(record, 0.2)
    return folder / "record.journal"


@pytest.mark.slow
def test_a_write_of_several_entries_is_there_as_a_whole_or_not_at_all(tmp_path):
    journal = recorded(tmp_path)
    record = opened(tmp_path)
    before = journal.read_bytes()
    with record.batched():
        record.annotate(1, best_epoch=4)
        record.annotate(1, parameters=5)
        record.end(1, TrialState.COMPLETE, [0.5])
    after = journal.read_bytes()
    for length in range(len(before), len(after)):
        journal.write_bytes(after[:length])
        trial = opened(tmp_path).trials[1]
        assert trial.state == TrialState.RUNNING and not trial.user_attrs
        assert b'"parameters"' not in journal.read_bytes()
    journal.write_bytes(after)
    assert opened(tmp_path).trials[1].value == 0.5


def test_whatever_bit_is_flipped_nothing_wrong_is_read(tmp_path):
    journal = recorded(tmp_path / "whole")
    content = journal.read_bytes()
    whole = [
        (t.number, t.state, t.values, t.params, t.user_attrs)
        for t in opened(tmp_path / "whole").trials
    ]
    stream = random.Random(0)
    refused = 0
    for place in stream.sample(range(len(content) - 1), 300):
        flipped = bytearray(content)
        flipped[place] ^= 1 << stream.randrange(8)
        journal.write_bytes(flipped)
        try:
            trials = opened(tmp_path / "whole").trials
        except kt_hpo.RecordError as error:
            assert "damaged at line" in str(error) and "head -n" in str(error)
            refused += 1
        else:
            # The flipped bit was in the name of the checksum.
            assert [(t.number, t.state, t.values, t.params, t.user_attrs) for t in trials] == whole
    assert refused > 250


@pytest.mark.parametrize("damage", [b"!\n", b"\n", b"\x00\n"])
def test_a_last_line_that_is_whole_but_damaged_is_an_error(damage, tmp_path):
    journal = recorded(tmp_path)
    content = journal.read_bytes()
    for damaged in (content[:-3] + damage, content + damage, damage):
        journal.write_bytes(damaged)
        for open_it in (opened, kt_hpo.open_study):
            with pytest.raises(kt_hpo.RecordError, match="damaged at line"):
                open_it(tmp_path)


@pytest.mark.parametrize("damage", [b"{},{}", b"7", b"{", b"\xff"])
def test_a_damaged_line_among_thousands_is_named(damage, tmp_path):
    journal = recorded(tmp_path)
    begun = len(journal.read_bytes().splitlines())
    note = b'{"op_code":2,"worker_id":"w","study_id":0,"user_attr":{"place":%d}}\n'
    notes = [note % place for place in range(2500)]
    with journal.open("ab") as file:
        file.writelines(notes)
    assert opened(tmp_path).study.user_attrs["place"] == 2499
    notes[1700] = damage + b"\n"
    content = journal.read_bytes().splitlines(keepends=True)[:begun]
    journal.write_bytes(b"".join([*content, *notes]))
    with pytest.raises(kt_hpo.RecordError, match=f"damaged at line {begun + 1701}:"):
        opened(tmp_path)


def test_a_journal_of_an_older_version_is_read_and_gone_on_with(tmp_path):
    journal = recorded(tmp_path)
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    old = [{k: v for k, v in line.items() if k not in ("checksum", "following")} for line in lines]
    assert old != lines
    journal.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in old))
    record = opened(tmp_path)
    begin(record, 0.3)
    assert [trial.params["rate"] for trial in opened(tmp_path).trials] == [0.1, 0.2, 0.3]


def test_optunas_own_reader_opens_it_and_writes_to_it(tmp_path):
    journal = recorded(tmp_path)
    backend = optuna.storages.journal.JournalFileBackend(str(journal))
    study = optuna.load_study(
        study_name=tmp_path.name, storage=optuna.storages.JournalStorage(backend)
    )
    assert study.trials == kt_hpo.open_study(tmp_path).trials
    study.enqueue_trial({"rate": 0.7})
    assert opened(tmp_path).waiting.system_attrs["fixed_params"] == {"rate": 0.7}


def seed(folder, is_ready):
    is_ready.set()
    record = opened(folder)
    record.seed = 7
    assert len(record.trials) == 1


@pytest.mark.slow
def test_another_process_waits_for_held_writes(processes, tmp_path):
    record, is_ready = opened(tmp_path), processes.Event()
    other = processes.Process(target=seed, args=(tmp_path, is_ready))
    with record.batched():
        begin(record, 0.1)
        other.start()
        assert is_ready.wait(60)
        other.join(0.5)
        assert other.is_alive()
    other.join()
    assert other.exitcode == 0
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


class Parabola(kt_hpo.RandomSearch):
    def run_trial(self, trial):
        return trial.hyperparameters.Float("x", -1, 1) ** 2


def search(folder, limit=None):
    tuner = Parabola(max_trials=40, seed=0, directory=folder)
    if limit:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        tuner.search(verbose=0)
    except kt_hpo.RecordError as error:
        (folder / "error.txt").write_text(str(error))


@pytest.mark.slow
def test_a_full_disk_stops_the_search_and_leaves_the_record_readable(processes, tmp_path):
    """The limit on the size of a file stands for the end of the disk: the same call fails."""
    full = processes.Process(target=search, args=(tmp_path, 5_000))
    full.start()
    full.join()
    error = (tmp_path / "error.txt").read_text()
    assert error.startswith("The record") and "cannot be written" in error
    kept = [trial for trial in kt_hpo.open_study(tmp_path).trials if trial.state.is_finished()]
    assert 1 < len(kept) < 40
    search(tmp_path)
    trials = kt_hpo.open_study(tmp_path).trials
    assert [trial.state.name for trial in trials] == ["COMPLETE"] * 40
    assert trials[: len(kept)] == kept
