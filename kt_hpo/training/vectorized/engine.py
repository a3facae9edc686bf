"""Trains many trials at once: builds their models, groups them, trains each group."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

import keras
import numpy as np
from keras_tuner.engine.trial import Trial
from keras_tuner.errors import FatalError

from hypermodels.schedules import TrainingSchedule
from kt_hpo.oracle.trials import past_of
from kt_hpo.space.continuation import Continuation
from kt_hpo.training.build import build as build_model
from kt_hpo.training.context import SearchContext
from kt_hpo.training.model_parts import CannotShareError
from kt_hpo.training.reproducibility import seed_of
from kt_hpo.training.vectorized import stack
from kt_hpo.training.vectorized.backend import backend
from kt_hpo.training.vectorized.blueprint import Blueprint
from kt_hpo.training.vectorized.eligibility import check_model
from kt_hpo.training.vectorized.fitting import Tensors, VectorizedFit, asked, build_as_fit, read
from kt_hpo.training.vectorized.group import Group
from kt_hpo.training.vectorized.interleave import Training, in_turns
from kt_hpo.training.vectorized.learner import Batch, Learner, optimizer_state
from kt_hpo.training.vectorized.outcome import Outcome
from kt_hpo.training.vectorized.program import TRACING, Run, Sizes, take
from kt_hpo.training.vectorized.program_cache import ProgramCache
from kt_hpo.training.vectorized.rates import scheduled
from kt_hpo.training.vectorized.signature import family
from kt_hpo.training.vectorized.state_cache import StateCache
from kt_hpo.training.vectorized.trial_slot import TrialSlot

_MEMORY = 2**31
_FEW, _LARGE = "few of them have one architecture", "their models are large"
# Of more architectures among the first trials, few of each are to be expected.
_MOST_KINDS = 3
# So many groups are made ready before they train.
_AHEAD = 3


class Key(NamedTuple):
    """What trials of a group have in common."""

    signature: Hashable
    data: Hashable
    sizes: Sizes
    epochs: range
    shuffle: bool | str


class Member(NamedTuple):
    """A trial of a group, with its executions and what they are asked to train."""

    trial: Trial
    slots: list[TrialSlot]
    fit: VectorizedFit

    @property
    def errors(self) -> list[Exception | None]:
        """What ended its executions, where they failed."""
        return [slot.error for slot in self.slots]


class Engine:
    """Trains the trials of a search in groups.

    Args:
        search: The search.
        fit_args: Positional arguments of `search`.
        fit_kwargs: Keyword arguments of `search`.
        fewest: Trials of which fewer have one architecture train by themselves.
        largest: Models of more numbers train by themselves; None for no limit.
    """

    def __init__(
        self,
        search: SearchContext,
        fit_args: tuple[Any, ...],
        fit_kwargs: dict[str, Any],
        fewest: int = 1,
        largest: int | None = None,
    ) -> None:
        self._search = search
        self._fewest, self._largest = fewest, largest or math.inf
        self._fit_args = fit_args
        self._fit_kwargs = fit_kwargs
        self._backend = backend()
        self._cache = ProgramCache(search.hypermodel)
        self._programs: dict[Key, tuple[Learner, Run, stack.Row]] = {}
        self._families: dict[Key, tuple[Learner, Run]] = {}
        self._data = Tensors()
        self._ends = StateCache(_MEMORY // 2)

    def explore(self) -> None:
        """Meets the hyperparameters that the hypermodel's `fit` asks for, before any trial runs.

        Otherwise the oracle would not know of them when it is asked for the first trials.
        """
        known = self._search.oracle.get_space()
        with suppress(CannotShareError):
            asked(self._search.hypermodel, known, self._fit_args, self._fit_kwargs)
            self._search.oracle.update_space(known)
            self._search.oracle.meets_more = False

    def train(
        self,
        trials: Iterable[Trial],
        at_once: int,
        begin: Callable[[Sequence[Trial]], None],
        gives_up: bool = False,
    ) -> Iterator[list[Outcome]]:
        """Trains trials.

        Args:
            trials: The trials.
            at_once: How many of them train at once at most.
            begin: Called with those that begin together, or that have failed before they began.
            gives_up: Whether to take no more of them once one fails or cannot share a program, or
                there are more than three architectures.

        Yields:
            How trials went that have ended together.
        """
        groups: dict[Key, list[Member]] = {}
        others: list[Outcome] = []
        if not gives_up:
            trials = list(trials)
            self._ends.keep_only(self._search.oracle.checkpoints_needed() | past_of(trials))
        for trial in trials:
            try:
                key, member = self._prepare(trial)
                groups.setdefault(key, []).append(member)
            except CannotShareError as error:
                others.append(Outcome(trial, obstacle=str(error)))
            except Exception as error:  # Whatever a user's build raises fails its own trial.
                begin([trial])
                others.append(Outcome(trial, error=error))
                if isinstance(error, FatalError):
                    break  # It ends the search, after what was asked for before.
            if gives_up and (others or len(groups) > _MOST_KINDS):
                break
        for key, members in list(groups.items()):
            if len(members) < self._fewest:
                others += [Outcome(member.trial, obstacle=_FEW) for member in groups.pop(key)]
        memory = _MEMORY // self._groups_at_once()
        yield from self._train_groups(_parts(groups, at_once, memory), begin)
        # What fails, or may, comes last: the others would not have been recorded if it ends the
        # search.
        yield from ([one] for one in sorted(others, key=lambda one: one.trial.trial_id))

    def _train_groups(
        self,
        parts: Sequence[tuple[Key, list[Member]]],
        begin: Callable[[Sequence[Trial]], None],
    ) -> Iterator[list[Outcome]]:
        """Trains groups, some at a time; meanwhile the next ones' programs are made."""
        at_once = self._groups_at_once()
        with ThreadPoolExecutor(1) as ahead, ThreadPoolExecutor(at_once) as threads:

            def trainings() -> Iterator[Training[list[Outcome]]]:
                coming: deque[Future[Group]] = deque()
                for number, (_, members) in enumerate(parts):
                    for part in parts[number + len(coming) : number + _AHEAD]:
                        coming.append(ahead.submit(self._ready, *part))
                    yield self._train_group(coming.popleft(), members, begin, threads)

            try:
                yield from in_turns(trainings(), at_once)
            finally:
                ahead.shutdown(cancel_futures=True)

    def _groups_at_once(self) -> int:
        """One where trials are judged: by what must not depend on which of two is quicker."""
        return 1 if self._search.stops_trials_early else self._backend.groups_at_once

    def _prepare(self, trial: Trial) -> tuple[Key, Member]:
        """Builds the models of a trial, and reads what they are to be trained on."""
        mistakes: list[Exception] = []

        def build(execution: int) -> keras.Model:
            try:
                return build_model(self._search, trial, execution)
            except Exception as error:
                mistakes.append(error)
                raise

        try:
            return self._read(trial, build)
        except CannotShareError:
            raise
        except Exception as error:
            if any(error is mistake for mistake in mistakes):
                raise
            # Ours, not the trial's: trained by itself, it does not need what failed.
            reason = f"they cannot be looked at ({type(error).__name__}: {error})"
            raise CannotShareError(reason) from error

    def _read(self, trial: Trial, build: Callable[[int], keras.Model]) -> tuple[Key, Member]:
        """Reads what a trial trains and on what; an error that `build` did not raise is ours."""
        search = self._search
        arguments = asked(
            search.hypermodel, trial.hyperparameters, self._fit_args, self._fit_kwargs
        )
        fit = read(arguments)
        slots, keys = [], set()

        def built(execution: int) -> keras.Model:
            model = build(execution)
            build_as_fit(model, fit.train.x)
            check_model(model)
            return model

        for execution in range(search.executions_per_trial):
            seed = seed_of(search.oracle.seed, trial, execution)
            past_id = Continuation.of(trial.hyperparameters.values).trial_id
            end = self._ends.get(past_id, execution)
            one = partial(built, execution)
            blueprint = self._cache.draft(trial.hyperparameters, seed, one, end)
            if blueprint.parameters > self._largest:
                raise CannotShareError(_LARGE)
            rates = self._rates(blueprint, fit)
            callbacks = arguments.get("callbacks") or []
            given = (blueprint, callbacks, self._fit_kwargs, fit.class_weights, rates)
            slots.append(TrialSlot(search, trial, execution, *given))
            keys.add(Key(blueprint.signature, fit.key, fit.sizes, fit.epochs, fit.shuffle))
        if len(keys) > 1:
            raise CannotShareError("a trial's executions have different models")
        return keys.pop(), Member(trial, slots, fit)

    def _rates(self, blueprint: Blueprint, fit: VectorizedFit) -> np.ndarray | None:
        """The learning rate of every step, where a schedule gives it."""
        if blueprint.schedule is None:
            return None
        if isinstance(blueprint.schedule, TrainingSchedule):
            # What `FollowTraining` does in `fit`.
            blueprint.schedule.spread(
                fit.steps, fit.epochs.stop, fit.epochs.start, blueprint.iterations
            )
        steps = fit.steps * len(fit.epochs)
        return scheduled(blueprint.schedule, blueprint.iterations, steps, self._backend)

    def _train_group(
        self,
        ready: Future[Group],
        members: Sequence[Member],
        begin: Callable[[Sequence[Trial]], None],
        threads: Executor,
    ) -> Training[list[Outcome]]:
        yield ready
        begin([member.trial for member in members])
        try:
            yield from ready.result().train(threads)
        except CannotShareError as error:
            return [Outcome(member.trial, obstacle=str(error)) for member in members]
        except Exception as error:  # Whatever it is: by itself, a trial fails of it by itself.
            reason = f"training them together fails ({type(error).__name__}: {error})"
            return [Outcome(member.trial, obstacle=reason) for member in members]
        for slot in [slot for member in members for slot in member.slots]:
            if slot.last is not None:
                self._ends.put(slot.trial.trial_id, slot.execution, slot.last)
        return [
            Outcome(member.trial, member.slots, next(filter(None, member.errors), None))
            for member in members
        ]

    def _ready(self, key: Key, members: Sequence[Member]) -> Group:
        with TRACING:
            group = self._group(key, members)
            group.prepare()
        return group

    def _group(self, key: Key, members: Sequence[Member]) -> Group:
        oracle, fit = self._search.oracle, members[0].fit
        data = self._data.of(fit)
        learner, run, fresh = self._program(key, members[0].slots[0].blueprint, data)
        keeps_last = any(oracle.may_be_continued(member.trial) for member in members)
        slots = [slot for member in members for slot in member.slots]
        return Group(learner, run, slots, fresh, fit, data, oracle, keeps_last)

    def _program(
        self, key: Key, blueprint: Blueprint, data: tuple[Batch, Batch | None]
    ) -> tuple[Learner, Run, stack.Row]:
        """The program of a group, and the state of an optimizer that has done nothing yet."""
        shapes = [(one.shape, one.dtype) for one in keras.tree.flatten(data) if one is not None]
        key = key._replace(data=str(shapes), epochs=range(0), shuffle=True)
        if key not in self._programs:
            model = blueprint.model()
            twin = self._backend.twin(model.optimizer)
            twin.build(model.trainable_variables)
            relatives = key._replace(signature=family(model))
            if relatives not in self._families:
                learner = Learner(model, twin, take(data[0], slice(0, 1)))
                run = self._backend.compile(learner, key.sizes)
                self._families[relatives] = (learner, run)
            fresh = stack.numbers(optimizer_state(twin))
            self._programs[key] = (*self._families[relatives], fresh)
        return self._programs[key]


def _parts(
    groups: dict[Key, list[Member]], at_once: int, memory: int
) -> list[tuple[Key, list[Member]]]:
    """Groups of no more trials than may train at once."""
    parts = []
    # The largest first: a program for many trials serves fewer as well.
    for key, members in sorted(groups.items(), key=lambda item: -len(item[1])):
        size = min(at_once, _most_at_once(members[0], memory))
        parts += [(key, members[at : at + size]) for at in range(0, len(members), size)]
    return parts


def _most_at_once(member: Member, memory: int) -> int:
    """How many trials like one have room in the memory that a group may take."""
    row = sum(array.nbytes for array in member.slots[0].blueprint.weights)
    # Weights, two moments and a gradient, as they are and at the best epoch.
    return max(1, memory // (8 * row * len(member.slots)))
