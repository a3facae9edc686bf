"""Makes the tables of learning curves that are missing with the vectorized trainer, in pieces.

    python -m benchmarks.curves.make [--tables NAME ...] [--minutes 4] [--seconds]

A piece is what trains together: one architecture, with all seeds and at all values of the other
hyperparameters. Finished pieces are kept under `benchmarks/curves/pieces/`, so that this can be
interrupted, and goes on with what is missing. When the pieces of a table are complete, they are
written into `benchmarks/curves/<table>.npz`, which the repository holds. A table is made again when
its file is deleted. `--seconds` measures again what an epoch takes.
"""

from __future__ import annotations

import argparse
import itertools
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import keras_tuner
import numpy as np
import optuna

import kt_hpo
from benchmarks.curves.data import load
from benchmarks.curves.plans import PLANS
from benchmarks.curves.table import path_of
from benchmarks.listed import Listed
from benchmarks.spaces import Values

PIECES = Path(__file__).parent / "pieces"
TIMED_EPOCHS = 12


class Piece(NamedTuple):
    """What trains together: a table's configurations of one architecture."""

    table: str
    number: int
    configurations: list[Values]

    @property
    def file(self) -> Path:
        """Where it is kept."""
        return PIECES / f"{self.table}-{self.number}.npz"


def pieces(table: str) -> Iterator[Piece]:
    plan = PLANS[table]
    groups = itertools.groupby(plan.space, lambda values: [values.get(n) for n in plan.shapes])
    for number, (_, configurations) in enumerate(groups):
        yield Piece(table, number, list(configurations))


def train(piece: Piece) -> None:
    """Trains a piece and keeps its curves."""
    plan = PLANS[piece.table]
    data, validation = load(plan.data)
    first = piece.configurations[0]
    choices = {n: list(dict.fromkeys(one[n] for one in piece.configurations)) for n in first}
    batch_size = first.get("batch_size", plan.batch_size)
    fit = {"validation_data": validation, "batch_size": batch_size, "verbose": 0}
    executor = kt_hpo.Vectorized(k=64)
    trials = piece.configurations * plan.seeds
    with tempfile.TemporaryDirectory() as folder:
        tuner = kt_hpo.Tuner(
            Listed(
                trials,
                seed=1_000_003 * (piece.number + 1),
                objective=keras_tuner.Objective("val_loss", "min"),
                # Where learning rates are too large, a whole row of trainings is lost to NaN.
                max_consecutive_failed_trials=len(trials),
            ),
            lambda hp: plan.build({n: hp.Choice(n, levels) for n, levels in choices.items()}),
            directory=folder,
            storage=optuna.storages.InMemoryStorage(),
            executor=executor,
            early_stopping=None,
            keep_checkpoints=1,
        )
        tuner.search(*data, epochs=plan.epochs, **fit)
    if executor.notes:
        raise RuntimeError(f"not all trials of {piece.file.name} were vectorized: {executor.notes}")
    shape = (plan.seeds, len(piece.configurations), plan.epochs)
    shown, loss = (
        curves(tuner.study, name, plan.epochs).reshape(shape)
        for name in (f"val_{plan.metric}", "val_loss")
    )
    samples = len(validation[1])
    found = {"correct": samples * shown, "samples": samples}
    keep(piece.file, loss=loss, **(found if plan.metric == "accuracy" else {"error": shown}))


def curves(study: optuna.Study, metric: str, epochs: int) -> np.ndarray:
    """A metric by trial and epoch; of a training that became NaN, all is."""
    histories = [trial.user_attrs.get("history", [{}])[0] for trial in study.trials]
    return np.array([one.get(metric, [np.nan] * epochs) for one in histories])


def seconds(table: str) -> np.ndarray:
    """The processor's seconds for an epoch of each configuration: the least of its piece's first.

    What else runs on the machine adds to the clock's, and little to these.
    """
    plan, found = PLANS[table], []
    data, validation = load(plan.data)
    for piece in pieces(table):
        keras.utils.clear_session()
        values, ends = piece.configurations[0], list[float]()
        clock = keras.callbacks.LambdaCallback(
            on_epoch_end=lambda *_, ends=ends: ends.append(time.process_time())
        )
        plan.build(values).fit(
            *data, validation_data=validation, epochs=TIMED_EPOCHS, callbacks=[clock], verbose=0,
            batch_size=values.get("batch_size", plan.batch_size),
        )  # fmt: skip
        found += [np.diff(ends).min()] * len(piece.configurations)
    return np.array(found, "float32")


def keep(file: Path, **arrays: Any) -> None:
    """Writes curves: correct answers exactly, errors in single precision, losses to three digits.

    A training that is lost has no correct answer.
    """
    file.parent.mkdir(exist_ok=True)
    if "correct" in arrays:
        arrays["correct"] = np.nan_to_num(arrays["correct"]).round().astype("uint16")
    else:
        arrays["error"] = arrays["error"].astype("float32")
    partial = file.with_suffix(".partial")
    with np.errstate(over="ignore"), partial.open("wb") as stream:
        np.savez_compressed(stream, **arrays | {"loss": arrays["loss"].astype("float16")})
    partial.rename(file)


def pack(table: str) -> bool:
    """Writes a table if all its pieces are there; returns whether they are."""
    parts = list(pieces(table))
    if not all(piece.file.exists() for piece in parts):
        return False
    made = [dict(np.load(piece.file)) for piece in parts]
    shown = {"correct", "error", "loss"} & set(made[0])
    keep(
        path_of(table),
        **{name: np.concatenate([one[name] for one in made], axis=1) for name in shown},
        **{name: made[0][name] for name in {"samples"} & set(made[0])},
        seconds=seconds(table),
    )
    return True


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tables", nargs="+", choices=list(PLANS), default=list(PLANS))
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--seconds", action="store_true", help="measure again what epochs take")
    arguments = parser.parse_args()
    end = time.monotonic() + 60 * arguments.minutes
    for table in arguments.tables:
        if path_of(table).exists():
            if arguments.seconds:
                keep(path_of(table), **dict(np.load(path_of(table))) | {"seconds": seconds(table)})
            continue
        missing = [piece for piece in pieces(table) if not piece.file.exists()]
        for left, piece in zip(range(len(missing), 0, -1), missing, strict=True):
            if time.monotonic() > end:
                break
            began = time.monotonic()
            train(piece)
            took = time.monotonic() - began
            print(f"{piece.file.name}: {took:.0f} s, {left - 1} left", flush=True)
        print(f"{table} is {'made' if pack(table) else 'not complete'}", flush=True)


if __name__ == "__main__":
    main()
