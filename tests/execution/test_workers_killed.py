"""Searches in worker processes that are killed: nothing is lost, and no process stays."""

import os
import random
import signal
import time

import psutil
import pytest
from programs import Program, ends_in, until


class Search(Program):
    """A search with two workers, which their supervisor starts."""

    def workers(self, parent):
        """The children of the parent's child."""
        try:
            supervisors = psutil.Process(parent.pid).children()
            return [worker for supervisor in supervisors for worker in supervisor.children()]
        except psutil.Error:
            return []

    def both_hang(self, parent):
        """Whether each of the workers has a child, as `HANGS` has it."""
        try:
            return [bool(worker.children()) for worker in self.workers(parent)] == [True] * 2
        except psutil.Error:
            return False

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


# Both workers have a child, which goes too. One may hold the interpreter's lock, as native code
# does: no thread of its can act.
HANGS = """
        locks = trial.trial_id == "0001" and os.path.exists("lock")
        os.fork() == 0 and time.sleep(1000)
        hangs and locks and ctypes.PyDLL(None).sleep(1000)
        time.sleep(1000 * hangs)
"""


@pytest.mark.slow
def test_no_process_stays_when_the_search_is_killed_or_interrupted_and_it_goes_on(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    program = Search(tmp_path, HANGS)
    parent = program.start()
    until(lambda: program.both_hang(parent))
    (tmp_path / "lock").touch()  # Those who begin from now on.
    psutil.Process(parent.pid).children()[0].kill()  # The process that starts the workers.
    until(lambda: program.both_hang(parent))  # Another one has taken its place.
    parent.kill()
    parent.wait()
    program.wait_until_all_are_gone()
    parent = program.start()
    until(lambda: program.both_hang(parent))
    os.killpg(parent.pid, signal.SIGINT)
    output, _ = parent.communicate(timeout=60)
    assert parent.returncode != 0 and output.rstrip().endswith("KeyboardInterrupt")
    program.check_that_nothing_is_left()
    assert [trial.state.name for trial in program.trials()] == ["COMPLETE"] + ["RUNNING"] * 2
    (tmp_path / "calm").touch()
    finish(program)
    assert [trial.state.name for trial in program.trials()] == ["COMPLETE"] * 4


@pytest.mark.slow
def test_forty_kills(tmp_path):
    """Of workers and parents at random moments: every trial ends once, and nothing is left."""
    program = Search(tmp_path, "time.sleep(0.3)", trials=60)
    moments = random.Random(0)
    kept, kills, parents = {}, 0, 0
    parent = program.start()
    while kills < 40:
        until(lambda running=parent: program.workers(running) or running.returncode is not None)
        time.sleep(moments.uniform(0.02, 0.25))
        assert parent.returncode is None, parent.said()
        if kills % 15 == 14:
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
    assert parents == 2 and len(kept) < 60
    output, _ = parent.communicate(timeout=300)
    assert parent.returncode == 0, output
    program.check_that_nothing_is_left()
    trials = program.trials()
    assert [trial.state.name for trial in trials] == ["COMPLETE"] * 60
    assert program.ends() == dict.fromkeys(range(60), 1)
    assert {number: trials[number] for number in kept} == kept
