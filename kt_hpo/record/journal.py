"""The journal file a search is recorded in when no other storage is asked for.

Optuna's journal, made safe against `kill -9`: its lock is the kernel's, which a dead process
cannot keep; a last write that was cut short is dropped before anything is written behind it; and
damage elsewhere is an error that names the file, the line and the way on. Each line has a checksum.
Optuna's own `JournalFileBackend` reads the file, and may write to it; lines without a checksum, of
its own or of an older version of this package, are read as they are.
"""

from __future__ import annotations

import copy
import io
import json
import os
import shutil
import threading
import zlib
from bisect import bisect
from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import count, islice
from pathlib import Path
from typing import Any

from optuna.storages import JournalStorage
from optuna.storages.journal import BaseJournalBackend, JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial, TrialState

from kt_hpo.garbage import without_collections

try:
    import fcntl
except ImportError:  # Windows has no fcntl.
    fcntl = None  # type: ignore[assignment]


FILE_NAME = "record.journal"
_CLAIM = "search.lock"
_FOLLOWING = "following"
_CHECKSUM = b',"checksum":"'
# How many lines are read at once.
_AT_ONCE = 1000


class RecordError(RuntimeError):
    """The record of a search cannot be read, or is not the one that was asked for."""


class FileLock:
    """An exclusive lock on a file that ends with the process that holds it.

    Args:
        path: The file to lock; made if it is not there.
        blocking: Whether to wait for another holder.
    """

    def __init__(self, path: Path, blocking: bool = True) -> None:
        self._path = path
        self._mode = fcntl.LOCK_EX if blocking else fcntl.LOCK_EX | fcntl.LOCK_NB
        self._file: io.BufferedWriter | None = None

    def acquire(self) -> bool:
        """Takes the lock.

        Returns:
            True.

        Raises:
            BlockingIOError: If it is held by another and this lock does not wait.
        """
        file = self._path.open("ab")
        try:
            fcntl.flock(file, self._mode)
        except BaseException:
            file.close()
            raise
        self._file = file
        return True

    def release(self) -> None:
        """Gives the lock back."""
        if self._file is not None:
            self._file.close()
            self._file = None


class Journal(JournalFileBackend):
    """Optuna's journal file, whose writes can be held back to be made at once, all or none.

    Each line has a checksum, an entry that Optuna does not look at. Lines written at once say how
    many of them follow, so that half of a write is known when the file is opened again.

    Args:
        path: The file.
        lock: Keeps others from writing.
    """

    def __init__(self, path: Path, lock: Any) -> None:
        super().__init__(str(path), lock_obj=lock)
        self._path, self._write_lock = path, lock
        self._held: list[dict[str, Any]] | None = None
        self._written = 0
        # How many lines were read, and how long they are together.
        self._read, self._read_bytes = 0, 0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Holds writes back; nobody else can write meanwhile.

        Yields:
            Nothing, until they are written.
        """
        if self._held is not None:
            yield
            return
        self._write_lock.acquire()
        self._held, self._written = [], -1
        try:
            yield
        finally:
            logs, self._held = self._held, None
            try:
                if logs:
                    self._write(logs)
            finally:
                self._write_lock.release()

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Writes entries, or keeps them until `held` ends."""
        if self._held is not None:
            self._held.extend(logs)
            return
        self._write_lock.acquire()
        try:
            self._write(logs)
        finally:
            self._write_lock.release()

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:  # type: ignore[override]
        """Reads entries from one on, those held back included.

        Raises:
            RecordError: If a line is damaged.
        """
        if self._held is None:
            return self._read_file(log_number_from) if self._has_more(log_number_from) else iter(())
        return self._read_held(log_number_from, self._held)

    def _has_more(self, first: int) -> bool:
        """Whether the file may have lines from one on that were not read."""
        return first < self._read or self._path.stat().st_size > self._read_bytes

    def _read_held(
        self, log_number_from: int, held: list[dict[str, Any]]
    ) -> Iterator[dict[str, Any]]:
        if self._written < 0:
            more = self._has_more(log_number_from)
            found = list(self._read_file(log_number_from)) if more else []
            self._written = log_number_from + len(found)
            yield from found
        yield from held[max(log_number_from - self._written, 0) :]

    def _read_file(self, first: int) -> Iterator[dict[str, Any]]:
        """Reads the file from a line on; a last line without an end is being written."""
        if first < self._read:
            self._read, self._read_bytes = 0, 0
        with self._path.open("rb") as file:
            file.seek(self._read_bytes)
            while lines := [line for line in islice(file, _AT_ONCE) if line.endswith(b"\n")]:
                unread = lines[max(first - self._read, 0) :]
                self._read += len(lines)
                self._read_bytes += sum(map(len, lines))
                yield from self._entries(unread)

    def _entries(self, lines: list[bytes]) -> Iterator[dict[str, Any]]:
        """The entries of whole lines, up to one that is damaged."""
        entries: Iterable[dict[str, Any]]
        try:
            entries = _parsed_at_once(lines)
        except ValueError:
            entries = map(_parsed, lines)
        try:
            yield from entries
        except ValueError as error:
            raise RecordError(_describe_damage(self._path)) from error

    def _write(self, logs: list[dict[str, Any]]) -> None:
        lines = b"".join(
            _line(log, following)
            for log, following in zip(logs, reversed(range(len(logs))), strict=True)
        )
        with self._path.open("ab", buffering=0) as file:
            whole = os.fstat(file.fileno()).st_size
            try:
                _write_all(file.fileno(), lines)
                os.fsync(file.fileno())
            except OSError as error:
                # Half a line would spoil those written after it.
                file.truncate(whole)
                raise RecordError(
                    f"The record {self._path} cannot be written: {error.strerror}. What was "
                    "written before is kept. Make room and run the same program again: it goes on."
                ) from error


def _line(log: dict[str, Any], following: int) -> bytes:
    """An entry as a line that says how many of the same write follow, and its checksum."""
    entry = {**log, _FOLLOWING: following} if following else log
    content = json.dumps(entry, separators=(",", ":"))[:-1].encode()
    return content + b'%s%08x"}\n' % (_CHECKSUM, zlib.crc32(content))


def _parsed(line: bytes) -> dict[str, Any]:
    """The entry of a whole line, or a ValueError; who writes with Optuna writes no checksum."""
    _check(line)
    entry = json.loads(line)
    if not isinstance(entry, dict):
        raise ValueError("This is no entry.")
    return entry


def _check(line: bytes) -> None:
    content, mark, checksum = line.rstrip(b"\r\n").rpartition(_CHECKSUM)
    if mark and checksum != b'%08x"}' % zlib.crc32(content):
        raise ValueError("The checksum is another one.")


def _parsed_at_once(lines: list[bytes]) -> list[dict[str, Any]]:
    """What `_parsed` gives for each of many lines, in a third of the time."""
    for line in lines:
        _check(line)
    entries = json.loads(b"[%s]" % b",".join(lines))
    if len(entries) != len(lines) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError("A line is no entry.")
    return entries


def _write_all(descriptor: int, content: bytes) -> None:
    """Writes all of it; the system may take it in parts, of which only the next one fails."""
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]


class JournalRecord(JournalStorage):
    """A storage in a journal of ours, which lists 10,000 trials as soon as ten.

    A trial that has ended never changes: those that have not are looked at again, and new ones.

    Args:
        journal: The journal.

    Attributes:
        journal: The same.
    """

    def __init__(self, journal: Journal) -> None:
        super().__init__(journal)
        self.journal = journal
        self._begin_listing()

    def _begin_listing(self) -> None:
        self._listing = threading.Lock()
        # A study, its trials, and the numbers of those that had not ended.
        self._listed: tuple[int, list[FrozenTrial], list[int]] = (-1, [], [])

    def __getstate__(self) -> dict[Any, Any]:
        return {k: v for k, v in super().__getstate__().items() if not k.startswith("_list")}

    def __setstate__(self, state: dict[Any, Any]) -> None:
        super().__setstate__(state)
        self._begin_listing()

    def get_all_trials(
        self,
        study_id: int,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        """Lists the trials of a study."""
        trials = self.listed(study_id)
        shown = trials if states is None else [one for one in trials if one.state in states]
        return copy.deepcopy(shown) if deepcopy else shown.copy()

    def listed(self, study_id: int) -> list[FrozenTrial]:
        """Lists the trials of a study, for a reader who changes nothing in the list.

        Args:
            study_id: The study.

        Returns:
            The list, which is brought up to date when it is asked for the next time.

        Raises:
            KeyError: If there is no such study, or it was deleted.
        """
        with self._listing:
            known, trials, running = self._listed
            if known != study_id:
                trials, running = super().get_all_trials(study_id, deepcopy=False), []
                first = 0
            else:
                self.get_study_name_from_id(study_id)
                for number in running:
                    trials[number] = next(self._from(study_id, number))
                first = len(trials)
                trials += self._from(study_id, first)
            looked_at = [*running, *range(first, len(trials))]
            running = [number for number in looked_at if not trials[number].state.is_finished()]
            self._listed = study_id, trials, running
            return trials

    def _from(self, study_id: int, first: int) -> Iterator[FrozenTrial]:
        """The trials of a study from a number on."""
        with suppress(KeyError):
            for number in count(first):
                trial_id = self.get_trial_id_from_study_id_trial_number(study_id, number)
                yield self.get_trial(trial_id)


def open_for_writing(path: Path) -> JournalRecord:
    """Opens a journal to go on with it, or begins one.

    Args:
        path: The journal file.

    Returns:
        The storage.

    Raises:
        RecordError: If the file is damaged.
    """
    lock = _lock(path)
    lock.acquire()
    try:
        _drop_unfinished(path)
    finally:
        lock.release()
    return _open(path, Journal(path, lock))


def open_for_reading(path: Path) -> JournalRecord:
    """Opens a journal that another process may be writing.

    Args:
        path: The journal file.

    Returns:
        The storage.

    Raises:
        RecordError: If the file is damaged.
    """
    return _open(path, Journal(path, _lock(path)))


@contextmanager
def claimed(project_dir: Path) -> Iterator[None]:
    """Keeps a second process from searching in the same project.

    Args:
        project_dir: The project's folder.

    Yields:
        Nothing, while the project is this process's.

    Raises:
        RecordError: If another process searches there now.
    """
    if fcntl is None:
        yield
        return
    project_dir.mkdir(parents=True, exist_ok=True)
    lock = FileLock(project_dir / _CLAIM, blocking=False)
    try:
        lock.acquire()
    except BlockingIOError:
        raise RecordError(
            f"Another process is searching in {project_dir} right now. Wait for its end, stop it, "
            "or give this search another project_name."
        ) from None
    try:
        yield
    finally:
        lock.release()


def clear(project_dir: Path) -> None:
    """Deletes what a project's folder holds, but for the claim to it.

    Args:
        project_dir: The project's folder, which this process has `claimed`.
    """
    for path in project_dir.iterdir():
        if path.name == _CLAIM:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def is_claimed(project_dir: Path) -> bool:
    """Tells whether a process searches in a project now.

    Args:
        project_dir: The project's folder.

    Returns:
        Whether one does; False also where the system cannot tell.
    """
    if fcntl is None:
        return False
    try:
        file = (project_dir / _CLAIM).open("rb")
    except FileNotFoundError:
        return False
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _lock(path: Path) -> Any:
    return FileLock(path) if fcntl else JournalFileOpenLock(str(path))


def _open(path: Path, journal: Journal) -> JournalRecord:
    try:
        with without_collections():
            return JournalRecord(journal)
    except (OSError, RecordError):
        raise
    except Exception as error:  # Optuna raises whatever its replay stumbles over.
        raise RecordError(_describe_damage(path)) from error


def _drop_unfinished(path: Path) -> None:
    """Cuts off a last write that a killed process did not finish."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        content = file.read()
        whole = content.rfind(b"\n") + 1
        following = _following(content[:whole])
        if following:
            begun = whole
            while _following(content[:begun]) == following:
                begun = content.rfind(b"\n", 0, begun - 1) + 1
                following += 1
            whole = begun
        if whole < len(content):
            file.truncate(whole)
            file.flush()
            os.fsync(file.fileno())


def _following(lines: bytes) -> int:
    """How many lines should follow the last one, in the write that it is of."""
    try:
        return int(_parsed(lines[lines.rfind(b"\n", 0, -1) + 1 :]).get(_FOLLOWING, 0))
    except ValueError:  # A damaged line is told when it is read.
        return 0


class _Prefix(BaseJournalBackend):
    """The first lines of a journal."""

    def __init__(self, logs: list[dict[str, Any]]) -> None:
        self._logs = logs

    def read_logs(self, log_number_from: int) -> list[dict[str, Any]]:
        return self._logs[log_number_from:]

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        self._logs.extend(logs)


def _describe_damage(path: Path) -> str:
    logs = _undamaged(path.read_bytes().splitlines(keepends=True))
    whole = bisect(range(1, len(logs) + 1), False, key=lambda count: not _replays(logs[:count]))
    return (
        f"The record {path} is damaged at line {whole + 1}: it was not written by a search, or "
        f"was changed or cut by something else. To go on with what stands before the damage: "
        f"`head -n {whole} {path} > repaired && mv repaired {path}`. "
        "To begin anew, pass overwrite=True or give the search another project_name."
    )


def _undamaged(lines: list[bytes]) -> list[dict[str, Any]]:
    """The entries of a journal up to the first line that is none."""
    logs: list[dict[str, Any]] = []
    for line in lines:
        try:
            logs.append(_parsed(line))
        except ValueError:
            break
    return logs


def _replays(logs: list[dict[str, Any]]) -> bool:
    try:
        JournalStorage(_Prefix(logs))
    except Exception:  # Optuna raises whatever its replay stumbles over.
        return False
    return True
