"""Trains a group: trials of one architecture, epoch by epoch, in one stack."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Any

import numpy as np
from keras import ops

from kt_hpo.oracles import RecordedOracle
from kt_hpo.training.vectorized import stack
from kt_hpo.training.vectorized.fitting import Fit
from kt_hpo.training.vectorized.learner import Batch, Learner, Values
from kt_hpo.training.vectorized.program import Given, Run, count
from kt_hpo.training.vectorized.seat import Seat, random_states
from kt_hpo.training.vectorized.turns import Training


class Group:
    """Trials in training.

    Args:
        learner: The model they share.
        run: Its program.
        seats: The trials.
        fresh: The state of their optimizers where they have done nothing yet.
        fit: What all of them are asked to train.
        data: Its samples for training and for validation, as tensors.
        oracle: The oracle of the search, whose seed the order of the samples follows from.
        keep_last: Whether the state in which each trial ends is wanted.
    """

    def __init__(
        self,
        learner: Learner,
        run: Run,
        seats: Sequence[Seat],
        fresh: stack.Row,
        fit: Fit,
        data: tuple[Batch, Batch | None],
        oracle: RecordedOracle,
        keep_last: bool,
    ) -> None:
        self._learner = learner
        self._run = run
        self._fit = fit
        self._data = data
        self._oracle = oracle
        self._keep_last = keep_last
        self._seats = list(seats)
        self._state = stack.stacked([seat.row(fresh) for seat in seats])
        self._best = self._state
        self._steps = fit.steps

    def prepare(self) -> None:
        """Has the program made that the first epoch needs."""
        self._run.prepare(*self._arguments(self._fit.epochs.start))

    def train(self, threads: Executor) -> Training[None]:
        """Trains all of them to their ends.

        Args:
            threads: Where epochs run.

        Yields:
            Each epoch, to be continued when it has run.
        """
        with self._oracle.record.batched():
            for trial_id in dict.fromkeys(seat.trial.trial_id for seat in self._seats):
                self._oracle.start_clock(trial_id)
        for seat in self._seats:
            seat.begin(self._learner.model)
        first_seconds = 0.0
        for epoch in self._fit.epochs:
            for seat in self._seats:
                seat.begin_epoch(epoch)
            running = threads.submit(self._epoch, self._arguments(epoch))
            yield running
            self._state, logs, seconds = running.result()
            first_seconds = first_seconds or seconds
            with self._oracle.record.batched():
                self._report(epoch, logs)
            if not any(seat.running for seat in self._seats):
                break
            remaining = self._fit.epochs.stop - epoch - 1
            if self._is_worth_compacting(remaining * seconds, first_seconds - seconds):
                self._compact()
        self._leave(range(len(self._seats)))

    def _epoch(self, arguments: tuple[Any, ...]) -> tuple[Values, dict[str, np.ndarray], float]:
        """The state after an epoch, its metrics, and how long it took."""
        began = time.perf_counter()
        state, logs, measured = self._run(*arguments)
        logs = {**logs, **{f"val_{name}": values for name, values in measured.items()}}
        arrays = {name: ops.convert_to_numpy(values) for name, values in logs.items()}
        return state, arrays, time.perf_counter() - began

    def _arguments(self, epoch: int) -> tuple[Any, ...]:
        """What the program needs for an epoch."""
        steps, fit = self._steps, self._fit
        before = (epoch - fit.epochs.start) * steps
        generators = len(self._learner.generators)
        rates = [seat.rates(before, steps) for seat in self._seats]
        seeds = [seat.seeds(epoch, steps, generators) for seat in self._seats]
        given = Given(
            rates=np.stack(rates),
            seeds=np.stack(seeds),
            common=random_states([self._oracle.seed, epoch], steps, generators),
            scalars=self._scalars(),
        )
        return (self._state, given, *self._data, ops.convert_to_tensor(self._order(epoch)))

    def _scalars(self) -> list[np.ndarray]:
        """What is every trial's own for the whole training."""
        numbers = np.asarray([seat.blueprint.scalars for seat in self._seats], "float32").T
        weights = [one for seat in self._seats if (one := seat.class_weights) is not None]
        return [*numbers, np.stack(weights)] if weights else [*numbers]

    def _order(self, epoch: int) -> np.ndarray:
        """The order of the samples in an epoch, the same for every trial of a search."""
        samples, size = count(self._fit.train), self._fit.sizes.batch
        stream = np.random.default_rng([self._oracle.seed, epoch, samples])
        order = np.arange(samples, dtype="int32")
        if self._fit.shuffle == "batch":
            batches = [order[at : at + size] for at in range(0, samples, size)]
            return np.concatenate([stream.permutation(batch) for batch in batches])
        return stream.permutation(order) if self._fit.shuffle else order

    def _report(self, epoch: int, logs: dict[str, np.ndarray]) -> None:
        improved = np.arange(len(self._state[0])) >= len(self._seats)
        stopped: list[int] = []
        for place, seat in enumerate(self._seats):
            if seat.running:
                own = {name: float(values[place]) for name, values in logs.items()}
                improved[place] = seat.end_epoch(epoch, own)
                if not seat.running:
                    stopped.append(place)
        if improved.all():
            self._best = self._state
        elif improved.any():
            best = stack.as_long(self._best, self._state)
            self._best = stack.renewed(best, self._state, improved)
        if stopped and self._keep_last:
            rows = stack.unstacked(stack.chosen(self._state, stopped))
            for place, row in zip(stopped, rows, strict=True):
                self._seats[place].last = row

    def _is_worth_compacting(self, remaining: float, compiling: float) -> bool:
        """Whether half of the places are empty, and giving them up saves more than it costs."""
        places = len(self._seats)
        empty = sum(not seat.running for seat in self._seats)
        return 2 * empty >= places and remaining * empty / places > compiling

    def _compact(self) -> None:
        """Lets the trials that have ended leave."""
        running = [place for place, seat in enumerate(self._seats) if seat.running]
        self._leave([place for place in range(len(self._seats)) if place not in running])
        self._seats = [self._seats[place] for place in running]
        self._state = stack.chosen(self._state, running)
        self._best = stack.chosen(self._best, running)

    def _leave(self, leaving: Sequence[int]) -> None:
        if not leaving:
            return
        best = stack.unstacked(self._best)
        last = stack.unstacked(self._state) if self._keep_last else None
        for place in leaving:
            seat = self._seats[place]
            seat.best = best[place]
            if last is not None and seat.last is None:
                seat.last = last[place]
            seat.end()
