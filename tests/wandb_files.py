"""Reads the `.wandb` files of offline runs, as `wandb sync` does.

They are LevelDB's log format: blocks of 32 KiB with pieces of records, behind a header of 7 bytes.
"""

import json
import struct
from dataclasses import dataclass, field

from wandb.proto.wandb_internal_pb2 import Record

BLOCK = 32768
WHOLE, LAST = 1, 4


def records(path):
    """The records of a `.wandb` file."""
    content, at, pieces = path.read_bytes(), 7, b""
    assert content.startswith(b":W&B")
    while at < len(content):
        if BLOCK - at % BLOCK < 7:  # A block's end that has no place for a piece is padded.
            at += BLOCK - at % BLOCK
            continue
        length, kind = struct.unpack_from("<HB", content, at + 4)
        pieces += content[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (WHOLE, LAST):
            yield Record.FromString(pieces)
            pieces = b""


@dataclass
class OfflineRun:
    """What an offline run holds."""

    name: str = ""
    group: str = ""
    project: str = ""
    sweep_id: str = ""
    config: dict = field(default_factory=dict)
    history: list = field(default_factory=list)
    summary: dict = field(default_factory=dict)
    artifacts: list = field(default_factory=list)
    exit_code: int | None = None


def read_run(path):
    """Reads a `.wandb` file."""
    run = OfflineRun()
    for record in records(path):
        match record.WhichOneof("record_type"):
            case "run":
                # The service names the runs of a sweep; here they have their ids alone.
                run.name = record.run.display_name or record.run.run_id
                run.group = record.run.run_group
                run.project, run.sweep_id = record.run.project, record.run.sweep_id
                run.config |= _items(record.run.config.update)
            case "config":
                run.config |= _items(record.config.update)
            case "history":
                row = _items(record.history.item)
                run.history.append({k: v for k, v in row.items() if not k.startswith("_")})
            case "summary":
                run.summary |= _items(record.summary.update)
            case "artifact":
                run.artifacts.append(record.artifact)
            case "exit":
                run.exit_code = record.exit.exit_code
    return run


def read_runs(folder):
    """Reads all runs in a folder, by their names."""
    runs = [read_run(path) for path in sorted(folder.glob("offline-run-*/*.wandb"))]
    return {run.name: run for run in runs}


def _items(entries):
    return {"/".join(e.nested_key) or e.key: json.loads(e.value_json) for e in entries}
