"""Makes the tables of learning curves with the vectorized trainer, piece by piece.

    python -m benchmarks.curves.make [--tables NAME ...] [--minutes 4]

A piece is what trains together: one seed and one architecture, at all learning rates, dropouts and
weight decays. Finished pieces are kept under `benchmarks/curves/pieces/`, so that this can be
interrupted, and goes on with what is missing. When the pieces of a seed are complete, they are
written into the table `benchmarks/curves/<table>.npz`, which the repository holds.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import optuna

import kt_hpo
from benchmarks.curves.plans import PLANS, Plan
from benchmarks.curves.table import path_of
from benchmarks.listed import Listed
from benchmarks.spaces import Values

PIECES = Path(__file__).parent / "pieces"
TIMED_EPOCHS = 4


class Piece(NamedTuple):
    """What trains together: a table's configurations of one architecture, with one seed."""

    table: str
    seed: int
    number: int
    configurations: list[Values]

    @property
    def file(self) -> Path:
        """Where it is kept."""
        return PIECES / f"{self.table}-{self.seed}-{self.number}.npz"


def pieces(table: str) -> Iterator[Piece]:
    plan = PLANS[table]
    for seed in range(plan.seeds):
        groups = itertools.groupby(plan.space, lambda values: [values[n] for n in plan.shapes])
        for number, (_, configurations) in enumerate(groups):
            yield Piece(table, seed, number, list(configurations))


def train(piece: Piece) -> None:
    """Trains a piece and keeps its curves."""
    plan = PLANS[piece.table]
    train_data, validation, _ = kt_hpo.datasets.load(plan.data)
    levels = [plan.space.levels(values) for values in piece.configurations]
    choices = [(name, list(dict.fromkeys(one[name] for one in levels))) for name in levels[0]]
    batch_size = levels[0]["batch_size"]
    fit = {"validation_data": validation.arrays, "batch_size": batch_size, "verbose": 0}
    executor = kt_hpo.Vectorized(k=64)
    with tempfile.TemporaryDirectory() as folder:
        tuner = kt_hpo.Tuner(
            Listed(
                levels,
                seed=1_000_003 * (piece.seed + 1),
                # Where learning rates are too large, a whole row of trainings is lost to NaN.
                max_consecutive_failed_trials=len(levels),
            ),
            lambda hp: plan.build({name: hp.Choice(name, values) for name, values in choices}),
            directory=folder,
            storage=optuna.storages.InMemoryStorage(),
            executor=executor,
            early_stopping=None,
            keep_checkpoints=1,
        )
        tuner.search(*train_data.arrays, epochs=plan.epochs, **fit)
    if executor.notes:
        raise RuntimeError(f"not all trials of {piece.file.name} were vectorized: {executor.notes}")
    samples = len(validation.arrays[1])
    accuracy, loss = columns(tuner.study, plan.epochs)
    keep(piece.file, correct=samples * np.nan_to_num(accuracy), loss=loss, samples=samples,
         seconds=seconds_an_epoch(plan, levels[0], train_data.arrays, fit))  # fmt: skip


def columns(study: optuna.Study, epochs: int) -> Iterator[np.ndarray]:
    """Accuracy and loss by trial and epoch; of a training that became NaN, all of them are."""
    lost = [{}]
    curves = [trial.user_attrs.get("history", lost)[0] for trial in study.trials]
    for metric in ("val_accuracy", "val_loss"):
        yield np.array([curve.get(metric, [np.nan] * epochs) for curve in curves])


def seconds_an_epoch(plan: Plan, levels: Values, data: Any, fit: dict[str, Any]) -> float:
    """What an epoch takes when such a model trains by itself: the median, the first left out."""
    keras.utils.clear_session()
    ends: list[float] = []
    clock = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: ends.append(time.perf_counter()))
    plan.build(levels).fit(*data, epochs=TIMED_EPOCHS, callbacks=[clock], **fit)
    return statistics.median(np.diff(ends))


def keep(file: Path, correct: np.ndarray, loss: np.ndarray, **rest: Any) -> None:
    """Writes curves: correct answers exactly, losses to three digits."""
    file.parent.mkdir(exist_ok=True)
    partial = file.with_suffix(".partial")
    with np.errstate(over="ignore"), partial.open("wb") as stream:
        np.savez_compressed(
            stream, correct=correct.round().astype("uint16"), loss=loss.astype("float16"), **rest
        )
    partial.rename(file)


def pack(table: str) -> int:
    """Writes the table of the seeds that are complete; returns how many there are."""
    plan = PLANS[table]
    seeds = []
    for _, group in itertools.groupby(pieces(table), lambda piece: piece.seed):
        files = [piece.file for piece in group]
        if not all(file.exists() for file in files):
            break
        seeds.append([dict(np.load(file)) for file in files])
    if seeds:
        keep(
            path_of(table),
            correct=np.stack([np.concatenate([one["correct"] for one in seed]) for seed in seeds]),
            loss=np.stack([np.concatenate([one["loss"] for one in seed]) for seed in seeds]),
            samples=seeds[0][0]["samples"],
            seconds=np.repeat(
                np.median([[one["seconds"] for one in seed] for seed in seeds], axis=0),
                len(plan.space) // len(seeds[0]),
            ).astype("float32"),
        )
    return len(seeds)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tables", nargs="+", choices=list(PLANS), default=list(PLANS))
    parser.add_argument("--minutes", type=float, default=float("inf"))
    arguments = parser.parse_args()
    end = time.monotonic() + 60 * arguments.minutes
    for table in arguments.tables:
        missing = [piece for piece in pieces(table) if not piece.file.exists()]
        for left, piece in zip(range(len(missing), 0, -1), missing, strict=True):
            if time.monotonic() > end:
                break
            began = time.monotonic()
            train(piece)
            seconds = time.monotonic() - began
            print(f"{piece.file.name}: {seconds:.0f} s, {left - 1} left", flush=True)
        print(f"{table}: {pack(table)} of {PLANS[table].seeds} seeds complete", flush=True)


if __name__ == "__main__":
    main()
