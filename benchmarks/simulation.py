"""What 1 to 1,024 workers gain, simulated on a table of learning curves: Hyperband against ASHA.

    python -m benchmarks.simulation

The oracles are the real ones, only training is looked up: an epoch of a configuration takes as
long as it took when the table was made, and shows what it showed then. Hyperband promotes a trial
when it is known to be among the best of its rung. As it is written in the paper, a bracket begins
when the one before has ended; ours begins it as soon as a worker has nothing else to do. ASHA (Li
et al. 2020) decides at once, so that nobody waits. All spend about as many epochs. Which seed of
the table a training shows is drawn with its values.
"""

from __future__ import annotations

import argparse
import heapq
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras_tuner
import numpy as np
import optuna
from keras_tuner.engine.trial import Trial, TrialStatus
from matplotlib import pyplot as plt

from benchmarks import measuring, pictures
from benchmarks.curves import table as curves
from benchmarks.curves.table import Table
from kt_hpo import oracles
from kt_hpo.engines.hyperband import Bracket
from kt_hpo.pruning import make_pruner

OBJECTIVE = keras_tuner.Objective("error", "min")
WORKERS = (1, 4, 16, 64, 256, 1024)
ALGORITHMS = ("Hyperband, a bracket at a time", "Hyperband, ours", "ASHA")
ITERATIONS = 15
TRAINING = "training"


class OneBracketAtATime(oracles.HyperbandOracle):
    """Hyperband as its algorithm 1 says it."""

    def _following_bracket(self) -> Iterator[Bracket]:
        return iter(()) if self.ongoing_trials else super()._following_bracket()


@dataclass
class Outcome:
    """What became of a simulated search.

    Attributes:
        makespan: Seconds from its begin to its end.
        busy: Seconds of all workers together in which they trained.
        epochs: Epochs trained.
        trials: Trials begun.
        best: The least error that was shown.
    """

    makespan: float = 0.0
    busy: float = 0.0
    epochs: int = 0
    trials: int = 0
    best: float = 1.0

    def idle(self, workers: int) -> float:
        """The share of the workers' time in which they waited."""
        return 1 - self.busy / (workers * self.makespan)


class Cluster:
    """Workers that share an oracle and train by looking up.

    Args:
        oracle: Proposes trials.
        table: What they show, and how long they take.
        workers: How many there are.
        budget: Epochs after which no trial is begun any more.
    """

    def __init__(self, oracle: Any, table: Table, workers: int, budget: float) -> None:
        self._oracle = oracle
        self._table = table
        self._budget = budget
        self._waiting = [f"worker {number}" for number in range(workers)]
        # By time, then by order: what ends, and whose.
        self._events: list[tuple[float, int, str, Trial, int]] = []
        self._best: dict[str, float] = {}
        self._count = 0
        self.outcome = Outcome()

    def run(self) -> Outcome:
        """Runs until nothing is left to do."""
        self._hand_out(0.0)
        while self._events:
            now, _, worker, trial, epoch = heapq.heappop(self._events)
            self.outcome.makespan = now
            if self._goes_on(trial, epoch):
                self._begin_epoch(now, worker, trial, epoch + 1)
                continue
            self._oracle.update_trial(trial.trial_id, {"error": self._best.pop(trial.trial_id)})
            trial.status = TrialStatus.COMPLETED
            self._oracle.end_trial(trial)
            self._waiting.append(worker)
            self._hand_out(now)
        return self.outcome

    def _hand_out(self, now: float) -> None:
        """Gives trials to those who wait, until one is told to go on waiting: so would be all."""
        while self._waiting and self.outcome.epochs < self._budget:
            trial = self._oracle.create_trial(self._waiting[-1])
            if trial.status != TrialStatus.RUNNING:
                return
            self.outcome.trials += 1
            first = trial.hyperparameters.values.get("tuner/initial_epoch", 0)
            self._begin_epoch(now, self._waiting.pop(), trial, first)

    def _begin_epoch(self, now: float, worker: str, trial: Trial, epoch: int) -> None:
        seconds = float(self._table.seconds[self._row(trial)])
        self.outcome.busy += seconds
        self.outcome.epochs += 1
        self._count += 1
        heapq.heappush(self._events, (now + seconds, self._count, worker, trial, epoch))

    def _goes_on(self, trial: Trial, epoch: int) -> bool:
        values, errors = trial.hyperparameters.values, self._table.error
        error = float(errors[values[TRAINING] % len(errors), self._row(trial), epoch])
        self.outcome.best = min(self.outcome.best, error)
        self._best[trial.trial_id] = min(self._best.get(trial.trial_id, 1.0), error)
        more = self._oracle.report(trial.trial_id, epoch, {"error": error})
        return more and epoch + 1 < values.get("tuner/epochs", errors.shape[2])

    def _row(self, trial: Trial) -> int:
        return self._table.space.row(trial.hyperparameters.values)


def opened(kind: type[Any], table: Table, folder: str, seed: int, **options: Any) -> Any:
    hyperparameters = table.space.hyperparameters()
    hyperparameters.Int(TRAINING, 0, 10**6)
    oracle = kind(objective=OBJECTIVE, seed=seed, hyperparameters=hyperparameters, **options)
    oracle.storage = optuna.storages.InMemoryStorage()
    oracle._set_project_dir(folder, "simulation")
    return oracle


def hyperband(
    table: Table,
    workers: int,
    iterations: int,
    seed: int,
    kind: type[oracles.HyperbandOracle] = oracles.HyperbandOracle,
) -> Outcome:
    """Hyperband of so many iterations."""
    with tempfile.TemporaryDirectory() as folder:
        epochs = table.error.shape[2]
        options = {"max_epochs": epochs, "hyperband_iterations": iterations}
        oracle = opened(kind, table, folder, seed, **options)
        oracle.reload()
        return Cluster(oracle, table, workers, np.inf).run()


def asha(table: Table, workers: int, budget: int, seed: int) -> Outcome:
    """ASHA: random search whose trials are stopped by asynchronous successive halving."""
    with tempfile.TemporaryDirectory() as folder:
        oracle = opened(oracles.RandomSearchOracle, table, folder, seed, max_trials=10**6)
        oracle.pruner = make_pruner("asha")
        oracle.reload()
        return Cluster(oracle, table, workers, budget).run()


def simulated(table: Table, workers: int, iterations: int, seeds: int) -> list[dict[str, Any]]:
    """All algorithms with so many workers; the mean over seeds."""
    found: dict[str, list[Outcome]] = {name: [] for name in ALGORITHMS}
    for seed in range(1, seeds + 1):
        ours = hyperband(table, workers, iterations, seed)
        outcomes = (
            hyperband(table, workers, iterations, seed, OneBracketAtATime),
            ours,
            asha(table, workers, ours.epochs, seed),
        )
        for name, outcome in zip(ALGORITHMS, outcomes, strict=True):
            found[name].append(outcome)
    return [
        {
            "algorithm": algorithm,
            "workers": workers,
            "makespan": float(np.mean([one.makespan for one in outcomes])),
            "idle": float(np.mean([one.idle(workers) for one in outcomes])),
            "epochs": float(np.mean([one.epochs for one in outcomes])),
            "trials": float(np.mean([one.trials for one in outcomes])),
            "best error": float(np.mean([one.best for one in outcomes])),
        }
        for algorithm, outcomes in found.items()
    ]


def section(results: dict[str, Any]) -> str:
    """Tells the results."""
    rows = [
        [f"{one['workers']:,}", one["algorithm"], f"{one['makespan']:.1f}", f"{one['idle']:.1%}",
         f"{one['epochs']:,.0f}", f"{one['trials']:,.0f}", f"{one['best error']:.4f}"]
        for one in results["rows"]
    ]  # fmt: skip
    columns = {"workers": "r", "algorithm": "l", "makespan, s": "r", "idle": "r", "epochs": "r",
               "trials": "r", "least error": "r"}  # fmt: skip
    return (
        f"On the table `{results['table']}`, {results['iterations']} iterations of Hyperband, the "
        f"mean over {results['seeds']} seeds.\n\n![]({drawn(results['rows'])})\n\n"
        + measuring.markdown(columns, rows)
    )


def drawn(rows: list[dict[str, Any]]) -> str:
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4))
    colors = (pictures.GRAY, pictures.ORANGE, pictures.BLUE)
    for algorithm, color in zip(ALGORITHMS, colors, strict=True):
        some = [one for one in rows if one["algorithm"] == algorithm]
        workers = [one["workers"] for one in some]
        style = {"color": color, "marker": "o", "label": algorithm}
        left.plot(workers, [one["makespan"] for one in some], **style)
        right.plot(workers, [one["idle"] for one in some], **style)
    pictures.axes(left, "Makespan", "workers", "seconds", log="xy")
    pictures.axes(right, "Idle time, a share of all", "workers", "", log="x")
    for ax in (left, right):
        ax.set_xticks(WORKERS, [f"{count:,}" for count in WORKERS])
        ax.minorticks_off()
    left.legend(frameon=False)
    return pictures.saved(figure, "simulation")


def run(options: argparse.Namespace) -> None:
    load, name = measuring.load(), curves.there()[0]
    table = curves.read(name)
    iterations, seeds = (1, 1) if options.quick else (ITERATIONS, options.seeds)
    rows = []
    for workers in WORKERS:
        rows += simulated(table, workers, iterations, seeds)
        print(*rows[-len(ALGORITHMS) :], sep="\n", flush=True)
    measuring.write(
        "simulation", options, load, table=name, iterations=iterations, seeds=seeds, rows=rows
    )


def main() -> None:
    parser = measuring.arguments(__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    run(parser.parse_args())


if __name__ == "__main__":
    main()
