"""A search to its end: trials, the best model retrained on all but the test data, one test, files.

`kt-hpo search` and `kt_hpo.tune` are this, with settings of a shell and of Python.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path
from textwrap import fill
from typing import Any

import keras_tuner

from kt_hpo import result_files
from kt_hpo.datasets import Splits
from kt_hpo.formatting import number
from kt_hpo.oracle.trials import lineage
from kt_hpo.record import tables
from kt_hpo.record.clock import seconds
from kt_hpo.record.record import is_planned
from kt_hpo.space.continuation import Continuation
from kt_hpo.training.cross_validation import count_folds
from kt_hpo.tuner import Tuner

# What the end of a search takes besides training, evaluation, intervals, tables and the figure, in
# seconds; of a short search this share.
_FILES, _FILES_SHARE = 4.0, 0.2
# What a search still takes when its time is up: a graph that is being made is made to its end.
_GRAPH = 1.0
# How much longer than the trial's training the retraining may take.
_MARGIN = 1.25


def search_and_test(
    tuner: Tuner,
    data: Splits,
    *,
    max_epochs: int,
    batch_size: int | None = None,
    ensemble: int = 1,
    verbose: int = 1,
    begun: float | None = None,
) -> bool:
    """Searches, retrains the best model on training and validation data, tests it, and writes it.

    A search that is over already is only shown again. The test data are looked at once, at the end.

    Args:
        tuner: The tuner. Its `time_budget` is for all of this: the search ends early enough for the
            rest, as far as that is known from the best trial, which may take half of the time.
            Where one retraining would take longer than that, the model is as its trial left it.
        data: The data. Where the tuner has folds, training and validation data are one.
        max_epochs: Epochs of a trial at most, unless the hypermodel chooses them itself.
        batch_size: For a hypermodel that does not choose its own.
        ensemble: How often the best model is retrained, if there is time: their mean is saved.
        verbose: 0 is silent, 2 shows the epochs of all trials.
        begun: The `time.monotonic()` from which the time budget counts; now if not given.

    Returns:
        Whether there is a best model; else the time was too short for any trial.

    Raises:
        ValueError: If data, objective and model do not fit together; nothing is trained then.
        RuntimeError: If trials fail one after the other, or all do.
    """
    if not len(data.test):
        raise ValueError(
            "The test split is empty, and the best model is tested on it: leave test=0 out, or "
            "search with a tuner of your own."
        )
    directory = Path(tuner.project_dir)
    say = print if verbose else _silent
    batches = {} if batch_size is None else {"batch_size": batch_size}
    if is_over(tuner):
        say(f"The search in {directory} is finished; this is what it found.")
    else:
        tuner.oracle.record.note(test=None)
        # A hypermodel with a `fit` of its own chooses its epochs in it.
        chooses = type(tuner.hypermodel).fit is not keras_tuner.HyperModel.fit
        epochs = {} if chooses else {"epochs": max_epochs}
        reserve = _Reserve(tuner, data, time.monotonic() if begun is None else begun, ensemble)
        tuner.interruption.reserve = reserve.seconds
        _run_trials(tuner, data, {**batches, **epochs, "verbose": verbose})
        if tuner.oracle.why_none_is_best() and not tuner.study.user_attrs["finished"]:
            say("The time is up, and no trial has been completed yet.")
            return False
        several = f", {ensemble} times: the mean predicts" if ensemble > 1 else ""
        if (until := reserve.until()) > -math.inf:
            say(f"Training the best model on the training and validation data{several} ...")
        result_files.write_results(
            tuner, data, directory, ensemble=ensemble, until=until, **batches
        )
    if verbose:
        _show(tuner, directory)
    return True


def is_over(tuner: Tuner) -> bool:
    """Tells whether all the trials there shall be have been run, and the best model tested.

    Args:
        tuner: The tuner.

    Returns:
        Whether a search with it would only be shown again.
    """
    known = tuner.study.user_attrs
    is_finished = known.get("finished") and is_planned(known, tuner.oracle.plan)
    return bool(is_finished and known.get("test") is not None)


def _run_trials(tuner: Tuner, data: Splits, kwargs: Mapping[str, Any]) -> None:
    """Searches with the data as the validation needs them."""
    if tuner.training.cross_validation is not None:
        tuner.search(*data.train.concatenate(data.validation).arrays, **kwargs)
    else:
        tuner.search(*data.train.arrays, validation_data=data.validation.arrays, **kwargs)


def _show(tuner: Tuner, directory: Path) -> None:
    print(tables.summarize_best(tuner.study))
    known = tuner.study.user_attrs
    intervals = known.get("test_intervals", {})
    test = ", ".join(_with_interval(n, v, intervals.get(n)) for n, v in known["test"].items())
    retrained = "retrained" if known.get("retrained", True) else "as its trial left it (no time)"
    print(f"Best model, {retrained}, on the test data: {test}")
    if intervals:
        samples = known["test_samples"]
        print(f"In brackets: 95 % intervals, by the {samples:,} samples of the test.")
    written = [name for name in result_files.FILES if (directory / name).exists()]
    print(fill(f"Files in {directory}: {', '.join(written)}", tables.WIDTH))
    print(f"Next: kt-hpo report {directory}")


def _with_interval(name: str, value: float, ends: tuple[float, float] | None) -> str:
    interval = "" if ends is None else f" [{number(ends[0])}, {number(ends[1])}]"
    return f"{name} {number(value)}{interval}"


class _Reserve:
    """How many seconds of the budget the search must leave: those before it, and those after it."""

    def __init__(self, tuner: Tuner, data: Splits, begun: float, ensemble: int) -> None:
        self._tuner, self._begun, self._ensemble = tuner, begun, ensemble
        self._spent = time.monotonic() - begun
        samples, splitter = len(data.train) + len(data.validation), tuner.training.cross_validation
        self._growth = samples / max(1, len(data.train))
        if splitter is not None:
            # A trial trains on all but one fold, once for each.
            self._growth = 1 / max(1, (count_folds(splitter, samples) or 2) - 1)
        self._growth /= tuner.executions_per_trial
        self._budget = tuner.training.time_budget or math.inf
        self._files = min(_FILES, _FILES_SHARE * self._budget)
        self._known: tuple[int, float] = (0, 0.0)

    def seconds(self) -> float:
        """By the best trial so far; looked up anew when another has ended."""
        ended = len(self._tuner.oracle.end_order)
        if ended != self._known[0]:
            self._known = ended, self._retraining(ends=True)
        training, half = self._known[1], self._budget / 2
        if not training:
            return min(self._spent, half)
        # A retraining that takes longer is not done, so its time is the search's.
        retraining = _GRAPH + training * self._ensemble
        if self._files + _GRAPH + training > half:
            retraining = 0.0
        return self._spent + min(self._files + retraining, half)

    def until(self) -> float:
        """The `time.monotonic()` to retrain until; in the past where one retraining is too long."""
        end = self._begun + self._budget - self._files
        return end if time.monotonic() + self._retraining() / _MARGIN <= end else -math.inf

    def _retraining(self, ends: bool = False) -> float:
        """How long training the best trial anew takes, through all that it went through.

        And through what it will have gone through when its training ends, if it does.
        """
        oracle = self._tuner.oracle
        best = oracle.get_best_trials(1)
        if not best:
            return 0.0
        lived = lineage(oracle.trials, best[0])
        *before, last = [oracle.record.trial(int(part.trial_id)) for part in lived]
        first = Continuation.of(best[0].hyperparameters.values).initial_epoch
        epochs = max(1, len(last.intermediate_values))
        wanted = min(max(best[0].best_step + 1 - first, 1), epochs)
        if ends and (to_go := oracle.epochs_to_go(best[0])):
            wanted = epochs + to_go
        training = sum(seconds(part) or 0.0 for part in before)
        training += (seconds(last) or 0.0) * wanted / epochs
        return _MARGIN * self._growth * training


def _silent(*_: Any) -> None:
    """Prints nothing."""
