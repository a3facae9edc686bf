"""Ray Tune's side of a search: it runs what the oracle proposes, and tells what it has lost.

Of a client of a cluster, it runs on the head. This module travels there as it is, and says what it
has to in plain tuples: to import its package there would import TensorFlow for nothing.
"""

from __future__ import annotations

import logging
import pickle
import sys
from pathlib import Path
from typing import Any

import ray
from ray import tune
from ray.tune.search import Searcher

from kt_hpo.execution.ray.request_broker import BrokerConnection

ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])


class OracleSearcher(Searcher):
    """Proposes what the oracle of a search proposes.

    The record is what a search is taken up from, so there is nothing for Ray to save.

    Args:
        broker: The way to the search's process.
    """

    def __init__(self, broker: Any) -> None:
        super().__init__()
        self._connection = BrokerConnection(broker)

    def suggest(self, trial_id: str) -> Any:
        """Asks for the configuration of the next trial.

        Args:
            trial_id: Ray's name for it.

        Returns:
            The configuration; None while there is nothing to run, `Searcher.FINISHED` when there
            is no more.
        """
        try:
            self._connection.send(pickle.dumps(("suggest", trial_id)))
            return pickle.loads(self._connection.receive())
        except EOFError:
            return Searcher.FINISHED

    def set_search_properties(self, *args: Any, **spec: Any) -> bool:
        """Takes the objective as set: the oracle knows it."""
        return True

    def on_trial_complete(self, trial_id: str, *args: Any, **kwargs: Any) -> None:
        """Does nothing: the worker has told the search's process."""

    def save(self, checkpoint_path: str) -> None:
        """Does nothing."""

    def restore(self, checkpoint_path: str) -> None:
        """Does nothing."""

    def get_state(self) -> dict[str, Any]:
        """Gives nothing."""
        return {}

    def set_state(self, state: dict[str, Any]) -> None:
        """Does nothing."""


class LossReporter(tune.Callback):
    """Tells the search's process which trials Ray has lost.

    Args:
        broker: The way there.
    """

    def __init__(self, broker: Any) -> None:
        self._connection = BrokerConnection(broker)

    def setup(self, *args: Any, **info: Any) -> None:
        """Keeps Ray quiet where the loop runs on the head of a cluster.

        Args:
            *args: What the loop begins with.
            **info: The same.
        """
        logging.getLogger("ray").setLevel(logging.CRITICAL)

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Tells of one."""
        try:
            self._connection.send(pickle.dumps(("lose", trial.trial_id, _words_of(trial))))
            self._connection.receive()
        except EOFError:
            pass  # The search has ended, by itself or by an error that its user sees.


def _words_of(trial: Any) -> str:
    """Why Ray lost a trial, from the file in which the loop has written it down."""
    path = trial.error_file
    return Path(path).read_text() if path and Path(path).exists() else "Ray has lost the trial."


def name_of(trial: Any) -> str:
    """Names a trial of Ray's in its files.

    Args:
        trial: The trial.

    Returns:
        The name, with ours and Ray's.
    """
    return f"trial_{trial.config['trial']}_{trial.trial_id}"
