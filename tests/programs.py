"""Programs of a user's that search in processes, to be killed by the tests."""

import json
import os
import runpy
import signal
import socket
import sys
import tempfile
import textwrap
import time
from collections import Counter

import psutil
from kills import processes

import kt_hpo

HEAD = """
import ctypes, os, sys, time
import kt_hpo

class Search(kt_hpo.RandomSearch):
    def run_trial(self, trial):
        value = trial.hyperparameters.Float("x", -1, 1)
        # The first trial, with which the space becomes known, runs alone.
        hangs = trial.trial_id != "0000" and not os.path.exists("calm")
        {body}
        return value ** 2

Search(max_trials={trials}, seed=0, directory={folder!r}, project_name="search",
       executor={executor}, max_retries_per_trial=1000).search(verbose=0)
"""
# Seconds within which all have to end when the search's process is gone, on a busy machine too.
SOON = 15


class Script:
    """A script that runs, told of as by `subprocess.Popen`; all it imports is there already.

    Args:
        path: The script; it runs in its folder, in a process group of its own.
        variables: Environment variables of it, besides those of this process.
    """

    def __init__(self, path, variables=None):
        self._said = tempfile.NamedTemporaryFile("r")  # noqa: SIM115
        arguments = (path, self._said.name, {**os.environ, **(variables or {})})
        self._process = processes().Process(target=run, args=arguments)
        self._process.start()
        self.pid, self.kill = self._process.pid, self._process.kill

    @property
    def returncode(self):
        return self._process.exitcode

    def wait(self, timeout=None):
        self._process.join(timeout)
        assert self.returncode is not None, f"it runs longer than {timeout} seconds"

    def communicate(self, timeout=None):
        self.wait(timeout)
        return self.said(), None

    def said(self):
        """What it has said so far."""
        self._said.seek(0)
        return self._said.read()


def run(path, said, variables):
    """What the process of a script does."""
    os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    output = os.open(said, os.O_WRONLY | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.environ.clear()
    os.environ.update(variables)
    tempfile.tempdir = None
    os.chdir(path.parent)
    sys.argv = [str(path)]
    sys.path.insert(0, str(path.parent))
    runpy.run_path(str(path), run_name="__main__")


class Program:
    """A user's script, without any guard of its main module, in a folder of its own."""

    def __init__(self, folder, body, trials=4, executor="2"):
        self.folder, self.temporary = folder / "runs", folder / "temporary"
        self.temporary.mkdir()
        self.script = folder / "script.py"
        text = textwrap.dedent(HEAD).format(
            body=body, trials=trials, folder=str(self.folder), executor=executor
        )
        self.script.write_text(text)
        self.mark = f"KT_HPO_TEST={folder}"

    def start(self):
        name, value = self.mark.split("=", 1)
        return Script(self.script, {name: value, "TMPDIR": str(self.temporary)})

    def processes(self):
        """All that carry the mark, whosever children they are; the dead left out."""
        found = []
        for process in psutil.process_iter():
            try:
                value = process.environ().get("KT_HPO_TEST")
                if value == str(self.mark.split("=", 1)[1]) and process.status() != "zombie":
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def wait_until_all_are_gone(self, seconds=SOON):
        deadline = time.monotonic() + seconds
        while self.processes() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not [process.cmdline() for process in self.processes()]

    def trials(self):
        return kt_hpo.open_study(self.folder).trials


def until(happens):
    deadline = time.monotonic() + 120
    while not happens():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def free_port():
    """A port that nobody listens on, on any interface."""
    with socket.socket() as one:
        one.bind(("", 0))
        return one.getsockname()[1]


def ends_in(journal):
    """How often each trial ends in a record; what is being written does not count."""
    lines = journal.read_text().splitlines() if journal.exists() else []
    entries = [json.loads(line) for line in lines if line.endswith("}")]
    return Counter(entry["trial_id"] for entry in entries if entry.get("state") in (1, 2, 3))
