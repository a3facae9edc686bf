"""What an executor knows of the search that it runs; a `kt_hpo.Tuner` is that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import keras
import optuna
from keras_tuner.engine.trial import Trial

from kt_hpo.tracking import Tracker
from kt_hpo.training.context import SearchContext


class ExecutionContext(SearchContext, Protocol):
    """A search, and whom to tell of its trials.

    Attributes:
        tuner_id: Under which name the oracle is asked for trials.
        project_dir: The directory of the search.
        trackers: What keeps the search besides the record.
    """

    tuner_id: str
    project_dir: str
    trackers: Sequence[Tracker]

    @property
    def study(self) -> optuna.Study:
        """The record of the search."""

    def load_model(self, trial: Trial) -> keras.Model:
        """Gives the trained model of a trial."""

    def on_search_begin(self) -> None:
        """Hears that the search begins."""

    def on_search_end(self) -> None:
        """Hears that the search has ended."""

    def pre_create_trial(self) -> None:
        """Hears that the oracle is about to be asked for a trial."""

    def on_trial_begin(self, trial: Trial) -> None:
        """Hears that a trial begins."""

    def on_trial_end(self, trial: Trial) -> None:
        """Records the end of a trial."""
