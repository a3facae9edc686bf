"""Many trials at once in one graph, on one device."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

from keras_tuner.engine.trial import Trial
from keras_tuner.errors import FatalError

from kt_hpo.arguments import check_whole
from kt_hpo.execution.context import ExecutionContext
from kt_hpo.execution.dispatcher import Assignment, Dispatcher
from kt_hpo.execution.inline import PAUSE, Inline
from kt_hpo.execution.messages import Ended
from kt_hpo.execution.trial import attempt, run_trial
from kt_hpo.training.cross_validation import Data
from kt_hpo.training.memory import quick_collections, released_graphs
from kt_hpo.training.results import Result

if TYPE_CHECKING:
    from kt_hpo.training.vectorized import Engine, Outcome


# Of so many times as many trials as train at once, those of one architecture fill a group.
_AHEAD = 4


class Vectorized:
    """Trains up to `k` trials at once: models of one architecture share a program.

    For small and medium models a trial's time is Python and tracing, not arithmetic; together they
    take little longer than one. Losses and metrics are `model.fit`'s: weights and dropout are every
    trial's own, the shuffled order of the samples is the search's. What cannot be vectorized
    trains by itself, and the tuner says once why.

    The oracle is asked for `k` trials before the first of them has ended. An algorithm that learns
    from one trial to the next learns from fewer then: for those a smaller `k` may be better. One
    that does not is asked for several times `k`, so that many of them are of one architecture.

    Args:
        k: How many trials train at once.
        fewest: Trials of which fewer have one architecture train by themselves: on TensorFlow
            a program of its own is faster than one for many that trains few.
        largest: Models of more parameters train by themselves: on TensorFlow, fused kernels, which
            programs for many do not have, outweigh what is shared. None for no limit.

    Attributes:
        k: As given.
        fewest: As given.
        largest: As given.
        notes: Why trials of the latest search were trained one after the other, if any were.

    Raises:
        ValueError: If one of them is not a whole number from 1 on.

    Example:
        >>> Vectorized(k=64)
        Vectorized(k=64)
    """

    def __init__(self, k: int = 32, fewest: int = 1, largest: int | None = None) -> None:
        check_whole(k=k, fewest=fewest, largest=1 if largest is None else largest)
        self.k = k
        self.fewest = fewest
        self.largest = largest
        self.notes: list[str] = []

    @property
    def in_words(self) -> str:
        """How trials run, as a search says it."""
        return f"Up to {self.k} trials train at once, in one graph."

    def obstacle(self, tuner: ExecutionContext) -> str | None:
        """Says why a search cannot be vectorized.

        Args:
            tuner: The tuner.

        Returns:
            What completes "because"; None where nothing is known that stands against it.
        """
        from kt_hpo.training.vectorized import CannotShareError, check_search

        try:
            check_search(tuner)
        except CannotShareError as error:
            return str(error)
        return None

    def run(
        self, tuner: ExecutionContext, fit_args: tuple[Any, ...], fit_kwargs: dict[str, Any]
    ) -> None:
        """Runs trials until the oracle has no more.

        Args:
            tuner: The tuner.
            fit_args: Positional arguments of `search`.
            fit_kwargs: Keyword arguments of `search`.
        """
        self.notes.clear()
        reason = self.obstacle(tuner)
        if reason is not None:
            self._note(tuner, reason)
            Inline().run(tuner, fit_args, fit_kwargs)
            return
        with quick_collections(), released_graphs():
            self._run(tuner, fit_args, fit_kwargs)

    def run_if_alike(
        self,
        tuner: ExecutionContext,
        fit_args: tuple[Any, ...],
        fit_kwargs: dict[str, Any],
        first: int,
    ) -> None:
        """Runs all trials so if some of the first ones train together, else one after the other.

        Args:
            tuner: The tuner.
            fit_args: Positional arguments of `search`.
            fit_kwargs: Keyword arguments of `search`.
            first: How many trials to look at.
        """
        self.notes.clear()
        with quick_collections():
            with released_graphs():
                is_over = self._run(tuner, fit_args, fit_kwargs, first)
            if not is_over:
                Inline().run(tuner, fit_args, fit_kwargs)

    def _run(
        self,
        tuner: ExecutionContext,
        fit_args: tuple[Any, ...],
        fit_kwargs: dict[str, Any],
        first: int | None = None,
    ) -> bool:
        """Runs trials until there are no more, or no two of the first ones train together."""
        # The engine brings a backend of Keras with it.
        from kt_hpo.training.vectorized import Engine

        engine = Engine(tuner, fit_args, fit_kwargs, self.fewest, self.largest)
        engine.explore()
        ahead = 1 if self.k == 1 or tuner.oracle.learns_from_trials else _AHEAD
        dispatcher = Dispatcher(tuner, ahead * self.k)
        trainer = _Trainer(tuner, engine, dispatcher, (fit_args, fit_kwargs), self.k, self._note)
        if first is not None:
            if not trainer.train(islice(iter(dispatcher.next, None), first), gives_up=True):
                return dispatcher.is_over
            tuner.progress.note(self.in_words)
        while not dispatcher.is_over:
            with tuner.oracle.record.batched():
                assignments = list(iter(dispatcher.next, None))
            if assignments:
                trainer.train(assignments)
            elif not dispatcher.is_over:
                time.sleep(PAUSE)
        return True

    def _note(self, tuner: ExecutionContext, reason: str) -> None:
        if reason not in self.notes:
            self.notes.append(reason)
            tuner.progress.note(f"Trials train one after the other where {reason}.")

    def __repr__(self) -> str:
        return f"Vectorized(k={self.k})"


class _Trainer:
    """Trains what the dispatcher hands out, and tells it how that went.

    Args:
        tuner: The tuner.
        engine: Trains trials together.
        dispatcher: Has handed them out.
        data: Positional and keyword arguments of `search`.
        k: How many train at once at most.
        note: Called with the tuner and why a trial trains by itself.
    """

    def __init__(
        self,
        tuner: ExecutionContext,
        engine: Engine,
        dispatcher: Dispatcher,
        data: Data,
        k: int,
        note: Callable[[ExecutionContext, str], None],
    ) -> None:
        self._tuner = tuner
        self._engine = engine
        self._dispatcher = dispatcher
        self._data = data
        self._k = k
        self._note = note
        self._assignments: dict[str, Assignment] = {}
        self._fatal: list[FatalError] = []

    def train(self, assignments: Iterable[Assignment], gives_up: bool = False) -> bool:
        """Trains trials; an error that ends the search is raised when the others are recorded.

        Args:
            assignments: The trials.
            gives_up: Whether to take no more of them once it is seen that they differ.

        Returns:
            Whether some of them trained together.

        Raises:
            FatalError: If every other trial would fail of the same mistake.
        """
        together = False
        trials = self._trials(assignments)
        for outcomes in self._engine.train(trials, self._k, self._begin, gives_up):
            trained = [outcome for outcome in outcomes if outcome.obstacle is None]
            if trained:
                together |= len(trained) > 1
                self._end(trained)
            for outcome in outcomes:
                if outcome.obstacle is not None:
                    self._train_alone(outcome.trial, outcome.obstacle)
        if self._fatal:
            raise self._fatal[0]
        return together

    def _trials(self, assignments: Iterable[Assignment]) -> Iterator[Trial]:
        for assignment in assignments:
            self._assignments[assignment.trial.trial_id] = assignment
            yield assignment.trial

    def _begin(self, trials: Sequence[Trial]) -> None:
        with self._tuner.oracle.record.batched():
            for trial in trials:
                self._dispatcher.begin(self._assignments[trial.trial_id])

    def _end(self, outcomes: Sequence[Outcome]) -> None:
        from kt_hpo.training.vectorized import best_of

        kept = best_of(outcomes, self._tuner)
        with self._tuner.oracle.record.batched():
            for outcome in outcomes:
                trial_id = outcome.trial.trial_id
                with self._collected():
                    ended = _ended(self._tuner, outcome, trial_id in kept)
                    self._dispatcher.end(self._assignments.pop(trial_id), ended)

    def _train_alone(self, trial: Trial, reason: str) -> None:
        self._note(self._tuner, reason)
        self._begin([trial])
        with self._collected():
            ended = run_trial(self._tuner, trial, *self._data)
            self._dispatcher.end(self._assignments.pop(trial.trial_id), ended)

    @contextmanager
    def _collected(self) -> Iterator[None]:
        """Keeps an error that ends the search for later."""
        try:
            yield
        except FatalError as error:
            self._fatal.append(error)


def _ended(tuner: ExecutionContext, outcome: Outcome, keeps_best: bool) -> Ended:
    def results() -> list[Result]:
        found = outcome.results(tuner.oracle.objective)
        outcome.save(tuner, keeps_best)
        return found

    return attempt(outcome.trial, results)
