"""Searches in worker processes that are killed: nothing is lost, and no process stays."""

import os
import random
import signal
import time

import psutil
import pytest
from programs import Program, ends_in, until


class Search(Program):
    """A search with two workers, which their warden starts."""

    def workers(self, parent):
        """The children of the parent's child."""
        try:
            wardens = psutil.Process(parent.pid).children()
            return [worker for warden in wardens for worker in warden.children()]
        except psutil.Error:
            return []

    def check_that_nothing_is_left(self):
        self.wait_until_all_are_gone()
        assert not list(self.temporary.iterdir())
        left = {path.name for path in (self.folder / "search").iterdir()}
        assert left == {"record.journal", "search.lock"}

    def ends(self):
        return ends_in(self.folder / "search" / "record.journal")


def finish(program):
    process = program.start()
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    program.check_that_nothing_is_left()


@pytest.mark.slow
@pytest.mark.parametrize(
    "body",
    [
        "time.sleep(1000 * hangs)",
        # Holds the interpreter's lock, as native code may: no thread of the worker's can act.
        "ctypes.PyDLL(None).sleep(1000 * hangs)",
        # A child of the worker's own goes too.
        "os.fork() == 0 and time.sleep(1000); time.sleep(1000 * hangs)",
    ],
    ids=["sleeping", "holding the lock", "with a child"],
)
def test_workers_end_with_a_parent_that_is_killed_and_the_search_goes_on(
    body, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    program = Search(tmp_path, body)
    parent = program.start()
    until(lambda: len(program.workers(parent)) == 2)
    time.sleep(0.5)
    parent.kill()
    parent.wait()
    program.wait_until_all_are_gone()
    (tmp_path / "calm").touch()
    finish(program)
    assert [trial.state.name for trial in program.trials()] == ["COMPLETE"] * 4


@pytest.mark.slow
def test_ctrl_c_leaves_no_process_and_a_lost_warden_is_replaced(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    program = Search(tmp_path, "time.sleep(1000 * hangs)")
    parent = program.start()
    until(lambda: len(program.workers(parent)) == 2)
    psutil.Process(parent.pid).children()[0].kill()  # The process that starts the workers.
    until(lambda: len(program.workers(parent)) == 2)
    os.killpg(parent.pid, signal.SIGINT)
    output, _ = parent.communicate(timeout=60)
    assert parent.returncode != 0 and output.rstrip().endswith("KeyboardInterrupt")
    program.check_that_nothing_is_left()
    running = [trial.state.name for trial in program.trials()].count("RUNNING")
    assert 1 <= running <= 2
    (tmp_path / "calm").touch()
    finish(program)
    assert [trial.state.name for trial in program.trials()] == ["COMPLETE"] * 4


@pytest.mark.slow
def test_a_hundred_kills(tmp_path):
    """Of workers and parents at random moments: every trial ends once, and nothing is left."""
    program = Search(tmp_path, "time.sleep(0.2)", trials=200)
    moments = random.Random(0)
    kept, kills, parents = {}, 0, 0
    parent = program.start()
    while kills < 100:
        until(lambda running=parent: program.workers(running) or running.poll() is not None)
        time.sleep(moments.uniform(0.02, 0.25))
        assert parent.poll() is None, parent.stdout.read()
        if kills % 17 == 16:
            parent.kill()
            parent.wait()
            program.wait_until_all_are_gone()
            ended = {t.number: t for t in program.trials() if t.state.is_finished()}
            assert {number: ended[number] for number in kept} == kept
            kept, parents = ended, parents + 1
            parent = program.start()
        else:
            workers = program.workers(parent)
            if not workers:
                continue
            moments.choice(workers).kill()
        kills += 1
    assert parents == 5 and len(kept) < 200
    output, _ = parent.communicate(timeout=300)
    assert parent.returncode == 0, output
    program.check_that_nothing_is_left()
    trials = program.trials()
    assert [trial.state.name for trial in trials] == ["COMPLETE"] * 200
    assert program.ends() == dict.fromkeys(range(200), 1)
    assert {number: trials[number] for number in kept} == kept
