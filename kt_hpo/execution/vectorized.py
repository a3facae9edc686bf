"""Many trials at once in one graph, on one device."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from keras_tuner.engine.trial import Trial, TrialStatus
from keras_tuner.errors import FatalError

from kt_hpo.arguments import check_whole
from kt_hpo.execution.inline import Inline
from kt_hpo.execution.trial import begin, end, run, settle
from kt_hpo.training.memory import quick_collections, released_graphs
from kt_hpo.training.results import Result

if TYPE_CHECKING:
    from kt_hpo.training.vectorized import Engine, Outcome
    from kt_hpo.tuner import Tuner


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

    def obstacle(self, tuner: Tuner) -> str | None:
        """Says why a search cannot be vectorized.

        Args:
            tuner: The tuner.

        Returns:
            What completes "because"; None where nothing is known that stands against it.
        """
        from kt_hpo.training.vectorized import CannotVectorizeError, check_search

        try:
            check_search(tuner)
        except CannotVectorizeError as error:
            return str(error)
        return None

    def run(self, tuner: Tuner, fit_args: tuple[Any, ...], fit_kwargs: dict[str, Any]) -> None:
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

    def _run(self, tuner: Tuner, fit_args: tuple[Any, ...], fit_kwargs: dict[str, Any]) -> None:
        # The engine brings a backend of Keras with it.
        from kt_hpo.training.vectorized import Engine

        engine = Engine(tuner, fit_args, fit_kwargs, self.fewest, self.largest)
        engine.explore()
        while True:
            trials, status = self._ask(tuner)
            if trials:
                self._train(tuner, engine, trials, fit_args, fit_kwargs)
            elif status == TrialStatus.STOPPED:
                return
            else:
                time.sleep(0.1)

    def _ask(self, tuner: Tuner) -> tuple[list[Trial], str]:
        """Asks the oracle for many trials, as if that many tuners did."""
        trials: list[Trial] = []
        ahead = 1 if self.k == 1 or tuner.oracle.learns_from_trials else _AHEAD
        with tuner.oracle.record.batched():
            for place in range(ahead * self.k):
                tuner.pre_create_trial()
                trial = tuner.oracle.create_trial(f"{tuner.tuner_id}:{place}")
                if trial.status != TrialStatus.RUNNING:
                    break
                trials.append(trial)
        return trials, trial.status

    def _train(
        self,
        tuner: Tuner,
        engine: Engine,
        trials: Sequence[Trial],
        fit_args: tuple[Any, ...],
        fit_kwargs: dict[str, Any],
    ) -> None:
        from kt_hpo.training.vectorized import best_of

        for trial in trials:
            begin(tuner, trial)
        fatal: list[FatalError] = []
        for ended in engine.train(trials, self.k):
            # One that ends the search does so when what was asked for beside it is recorded.
            kept = best_of(ended, tuner)
            with tuner.oracle.record.batched():
                for outcome in ended:
                    if outcome.obstacle is None:
                        with _collected(fatal):
                            self._end(tuner, outcome, outcome.trial.trial_id in kept)
            for outcome in ended:
                if outcome.obstacle is not None:
                    self._note(tuner, outcome.obstacle)
                    with _collected(fatal):
                        run(tuner, outcome.trial, fit_args, fit_kwargs)
        if fatal:
            raise fatal[0]

    def _end(self, tuner: Tuner, outcome: Outcome, keeps_best: bool) -> None:
        def results() -> list[Result]:
            found = outcome.results(tuner.oracle.objective)
            outcome.save(tuner, keeps_best)
            return found

        settle(tuner, outcome.trial, results)
        end(tuner, outcome.trial)

    def _note(self, tuner: Tuner, reason: str) -> None:
        if reason not in self.notes:
            self.notes.append(reason)
            tuner.progress.note(f"Trials train one after the other where {reason}.")

    def __repr__(self) -> str:
        return f"Vectorized(k={self.k})"


@contextmanager
def _collected(fatal: list[FatalError]) -> Iterator[None]:
    """Keeps an error that ends the search for later."""
    try:
        yield
    except FatalError as error:
        fatal.append(error)
