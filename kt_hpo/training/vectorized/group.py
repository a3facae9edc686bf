"""Trains a group: trials of one architecture, epoch by epoch, in one stack."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Any

import numpy as np
from keras import ops

from kt_hpo.oracle.recorded import RecordedOracle
from kt_hpo.training.vectorized import stack
from kt_hpo.training.vectorized.fitting import VectorizedFit
from kt_hpo.training.vectorized.interleave import Training
from kt_hpo.training.vectorized.learner import Batch, Learner, Values
from kt_hpo.training.vectorized.program import Given, Run, count
from kt_hpo.training.vectorized.trial_slot import TrialSlot, random_states


class Group:
    """Trials in training.

    Args:
        learner: The model they share.
        run: Its program.
        slots: The trials.
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
        slots: Sequence[TrialSlot],
        fresh: stack.Row,
        fit: VectorizedFit,
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
        self._slots = list(slots)
        self._state = stack.stacked([slot.row(fresh) for slot in slots])
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
        for slot in self._slots:
            slot.begin(self._learner.model)
        first_seconds = 0.0
        for epoch in self._fit.epochs:
            for slot in self._slots:
                slot.begin_epoch(epoch)
            running = threads.submit(self._epoch, self._arguments(epoch))
            yield running
            self._state, logs, seconds = running.result()
            first_seconds = first_seconds or seconds
            with self._oracle.record.batched():
                self._report(epoch, logs)
            if not any(slot.running for slot in self._slots):
                break
            remaining = self._fit.epochs.stop - epoch - 1
            if self._is_worth_compacting(remaining * seconds, first_seconds - seconds):
                self._compact()
        self._leave(range(len(self._slots)))

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
        rates = [slot.rates(before, steps) for slot in self._slots]
        seeds = [slot.seeds(epoch, steps, generators) for slot in self._slots]
        given = Given(
            rates=np.stack(rates),
            seeds=np.stack(seeds),
            common=random_states([self._oracle.seed, epoch], steps, generators),
            scalars=self._scalars(),
        )
        return (self._state, given, *self._data, ops.convert_to_tensor(self._order(epoch)))

    def _scalars(self) -> list[np.ndarray]:
        """What is every trial's own for the whole training."""
        numbers = np.asarray([slot.blueprint.scalars for slot in self._slots], "float32").T
        weights = [one for slot in self._slots if (one := slot.class_weights) is not None]
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
        improved = np.arange(len(self._state[0])) >= len(self._slots)
        stopped: list[int] = []
        for place, slot in enumerate(self._slots):
            if slot.running:
                own = {name: float(values[place]) for name, values in logs.items()}
                improved[place] = slot.end_epoch(epoch, own)
                if not slot.running:
                    stopped.append(place)
        if improved.all():
            self._best = self._state
        elif improved.any():
            best = stack.as_long(self._best, self._state)
            self._best = stack.renewed(best, self._state, improved)
        if stopped and self._keep_last:
            rows = stack.unstacked(stack.chosen(self._state, stopped))
            for place, row in zip(stopped, rows, strict=True):
                self._slots[place].last = row

    def _is_worth_compacting(self, remaining: float, compiling: float) -> bool:
        """Whether half of the places are empty, and giving them up saves more than it costs."""
        places = len(self._slots)
        empty = sum(not slot.running for slot in self._slots)
        return 2 * empty >= places and remaining * empty / places > compiling

    def _compact(self) -> None:
        """Lets the trials that have ended leave."""
        running = [place for place, slot in enumerate(self._slots) if slot.running]
        self._leave([place for place in range(len(self._slots)) if place not in running])
        self._slots = [self._slots[place] for place in running]
        self._state = stack.chosen(self._state, running)
        self._best = stack.chosen(self._best, running)

    def _leave(self, leaving: Sequence[int]) -> None:
        if not leaving:
            return
        best = stack.unstacked(self._best)
        last = stack.unstacked(self._state) if self._keep_last else None
        for place in leaving:
            slot = self._slots[place]
            slot.best = best[place]
            if last is not None and slot.last is None:
                slot.last = last[place]
            slot.end()
