"""The record: every trial of every algorithm in one Optuna study.

A trial is written when it starts (one write: its values) and when it ends; what happens between is
reported epoch by epoch. What a search needs to go on after a crash is read back from here, and
from nowhere else.

Beside Optuna's own fields (parameters, values, state, times, intermediate values of the
objective by epoch) a trial's `user_attrs` hold:

    history      one dict an execution: lists by metric, and `epoch`
    metrics      the metrics at the best epoch, mean over the executions
    observations        the values of all steps, where `metrics` does not tell them
    best_epoch   the epoch they were reached at, counted from 0
    parameters   how many weights the model has
    checkpoint   path of the best epoch's weights, within the project's folder
    values       values that are no hyperparameter, like `tuner/epochs` or `tuner/parent`
    inherited    how many weights the model started with from the trial under `tuner/parent`
    executions   where there are several, on folds or with other seeds: metrics and best epoch of
                 each
    standard_error          of each metric's mean over these
    learning_rate_factor    what the learning rate was multiplied with for the batch size
    out_of_memory           True where that failed the trial
    started      when it began to train, where that was later than it was asked for, or again
    traceback    of the error that failed the trial, or its last attempt
    attempts     how many attempts failed, where trials are retried
    ray_trial    the id of Ray Tune's trial, where Ray has run it
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from typing import Any

import keras_tuner
import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.trial import FrozenTrial, TrialState

from kt_hpo import objectives
from kt_hpo._private_apis.optuna import id_of, storage_of
from kt_hpo.record import journal, shared_storage
from kt_hpo.record.storages import Storage, check_storage, connected, read_space
from kt_hpo.space import domain
from kt_hpo.space.hyperparameters import HyperParameters
from kt_hpo.space.kinds import Value


class Record:
    """All that is known of a search.

    Args:
        study: The Optuna study that holds it.

    Attributes:
        study: The same, to be given to `optuna.visualization`, importances and dashboards.
    """

    def __init__(self, study: optuna.Study) -> None:
        self.study = study
        # Trials up to here are known to be there, and up to there to have begun.
        self._counted = self._begun = 0

    @classmethod
    def open(
        cls,
        project_dir: str | Path,
        objective: keras_tuner.Objective,
        storage: Storage = None,
        overwrite: bool = False,
    ) -> Record:
        """Opens the record of a project to write to it, and begins it if there is none.

        Args:
            project_dir: Folder of the project; its name is the study's.
            objective: What is optimized.
            storage: An Optuna storage or its URL; a journal file in the folder if not given.
            overwrite: Whether to forget what is there.

        Returns:
            The record.

        Raises:
            RecordError: If the journal is damaged, or is about another objective; or if what is to
                be forgotten is being searched from another directory.
        """
        project_dir = Path(project_dir)
        name = project_dir.name
        if storage is None:
            project_dir.mkdir(parents=True, exist_ok=True)
            if overwrite:
                (project_dir / journal.FILE_NAME).unlink(missing_ok=True)
            storage = journal.open_for_writing(project_dir / journal.FILE_NAME)
            # The folder may have been renamed.
            name = next(iter(optuna.get_all_study_names(storage)), name)
        check_storage(storage)
        with quiet_optuna():
            storage = connected(storage)
            if overwrite and name in optuna.get_all_study_names(storage):
                shared_storage.check_free(storage, project_dir)
                optuna.delete_study(study_name=name, storage=storage)
            if name in optuna.get_all_study_names(storage):
                study = optuna.load_study(study_name=name, storage=storage)
            else:
                study = optuna.create_study(
                    storage=storage,
                    study_name=name,
                    directions=objectives.directions(objective),
                    load_if_exists=True,
                )
            record = cls(study)
            record._check_objective(objective)
        return record

    def _check_objective(self, objective: keras_tuner.Objective) -> None:
        known, wanted = self.study.user_attrs.get("objective"), objectives.describe(objective)
        if known is None:
            self.study.set_metric_names([part.name for part in objectives.parts(objective)])
            self.study.set_user_attr("objective", wanted)
        elif known != wanted:
            raise journal.RecordError(
                f"The search in project {self.study.study_name!r} optimizes {known}, not {wanted}. "
                "Give the new search another project_name, or overwrite=True to begin anew."
            )

    def check_constraints(self, names: Sequence[str]) -> None:
        """Notes which constraints the search keeps, and refuses to go on with others.

        Args:
            names: The constraints' names.

        Raises:
            RecordError: If the trials there are were held against others.
        """
        known, wanted = self.study.user_attrs.get("constraints", []), sorted(names)
        if known == wanted:
            return
        if self.trials:
            raise journal.RecordError(
                f"The search in project {self.study.study_name!r} keeps {_in_words(known)}, not "
                f"{_in_words(wanted)}. Give the new search another project_name, or "
                "overwrite=True to begin anew."
            )
        self.study.set_user_attr("constraints", wanted)

    @property
    def space(self) -> HyperParameters | None:
        """The search space as far as it is known; None before the first build."""
        config = self.study.user_attrs.get("space")
        return None if config is None else read_space(config)

    @space.setter
    def space(self, hyperparameters: keras_tuner.HyperParameters) -> None:
        self.study.set_user_attr("space", hyperparameters.get_config())

    @property
    def seed(self) -> int | None:
        """The seed of the search; None before it is set."""
        return self.study.user_attrs.get("seed")

    @seed.setter
    def seed(self, seed: int) -> None:
        self.study.set_user_attr("seed", seed)

    def note(self, **attributes: Any) -> None:
        """Writes what is known of the search as a whole, where it is not written so already.

        Args:
            **attributes: Becomes the study's `user_attrs`, by name.
        """
        known = self.study.user_attrs
        for name, value in attributes.items():
            if known.get(name) != value:
                self.study.set_user_attr(name, value)

    def plan(self, planned: Mapping[str, int | None]) -> None:
        """Notes how much there shall be; a search with another plan is not finished.

        Args:
            planned: As the oracle's `plan`.
        """
        known = self.study.user_attrs
        if "finished" not in known or not is_planned(known, planned):
            self.note(**planned, finished=False)

    @property
    def trials(self) -> list[FrozenTrial]:
        """Every trial, in the order they were begun."""
        return self.study.get_trials(deepcopy=False)

    def trial(self, number: int) -> FrozenTrial:
        """Reads one trial, without those before it.

        Args:
            number: The trial's number.

        Returns:
            The trial as it is now.
        """
        return self._storage.get_trial(self._storage_id(number))

    @property
    def count(self) -> int:
        """How many trials there are; looks at new ones only."""
        if not self._counted:
            self._counted = len(self.trials)
        while self._find(self._counted) is not None:
            self._counted += 1
        return self._counted

    @property
    def waiting(self) -> FrozenTrial | None:
        """The next trial that was enqueued and not begun yet; looks at new ones only."""
        if not self._begun:
            states = [trial.state for trial in self.trials]
            begun = takewhile(lambda state: state != TrialState.WAITING, states)
            self._begun = len(list(begun))
        while (trial := self._find(self._begun)) is not None:
            if trial.state == TrialState.WAITING:
                return trial
            self._begun += 1
        return None

    def _find(self, number: int) -> FrozenTrial | None:
        """The trial of a number, if there are so many."""
        try:
            return self.trial(number)
        except KeyError:
            return None

    def begin(
        self,
        known: keras_tuner.HyperParameters,
        values: Mapping[str, Value],
        system_attrs: Mapping[str, Any] | None = None,
    ) -> None:
        """Adds a running trial; its number is the count of the trials before it.

        Args:
            known: The search space.
            values: The trial's values by name.
            system_attrs: What a sampler wants to remember of the trial.
        """
        params, distributions, rest = domain.to_params(known, values)
        self.study.add_trial(
            optuna.trial.create_trial(
                state=TrialState.RUNNING,
                params=params,
                distributions=distributions,
                user_attrs={"values": rest} if rest else {},
                system_attrs=dict(system_attrs or {}),
            )
        )

    def begin_waiting(
        self, number: int, known: keras_tuner.HyperParameters, values: Mapping[str, Value]
    ) -> None:
        """Sets a trial running that was enqueued.

        Args:
            number: The trial's number.
            known: The search space.
            values: The trial's values by name.
        """
        self.complete_params(number, known, values)
        self._storage.set_trial_state_values(self._storage_id(number), TrialState.RUNNING)

    def complete_params(
        self, number: int, known: keras_tuner.HyperParameters, values: Mapping[str, Value]
    ) -> None:
        """Adds the hyperparameters a trial met only while it was running.

        Args:
            number: The trial's number.
            known: The search space.
            values: The trial's values by name.
        """
        params, distributions, rest = domain.to_params(known, values)
        trial = self.trial(number)
        for name in (name for name in params if name not in trial.params):
            distribution = distributions[name]
            internal = distribution.to_internal_repr(params[name])
            self._storage.set_trial_param(self._storage_id(number), name, internal, distribution)
        self._keep_rest(trial, rest)

    def keep_values(
        self, number: int, known: keras_tuner.HyperParameters, values: Mapping[str, Value]
    ) -> None:
        """Writes the values that a trial met outside the space, all at once.

        Args:
            number: The trial's number.
            known: The search space.
            values: The trial's values by name.
        """
        _, _, rest = domain.to_params(known, values)
        self._keep_rest(self.trial(number), rest)

    def _keep_rest(self, trial: FrozenTrial, rest: Mapping[str, Value]) -> None:
        """Writes the values of a trial that are no parameters of Optuna's, if they are others."""
        if rest != trial.user_attrs.get("values", {}):
            self.annotate(trial.number, values=rest)

    def report(self, number: int, epoch: int, value: float) -> None:
        """Writes the objective's value at the end of an epoch.

        Args:
            number: The trial's number.
            epoch: The epoch, counted from 0 over all the trial continues.
            value: The objective's value.
        """
        self._storage.set_trial_intermediate_value(self._storage_id(number), epoch, float(value))

    def annotate(self, number: int, **attributes: Any) -> None:
        """Writes what else is known of a trial that has not ended.

        Args:
            number: The trial's number.
            **attributes: What to keep, by name; see the list at the top of this module.
        """
        for name, value in attributes.items():
            self._storage.set_trial_user_attr(self._storage_id(number), name, value)

    def constrain(self, number: int, name: str, violation: float) -> None:
        """Writes how far a trial is from keeping a constraint, where Optuna's samplers look.

        Args:
            number: The trial's number.
            name: The constraint.
            violation: At most 0 where it is kept.
        """
        self._storage.set_trial_system_attr(
            self._storage_id(number), f"constraints:{name}", float(violation)
        )

    def end(self, number: int, state: TrialState, values: Sequence[float] | None = None) -> None:
        """Ends a trial, after all else of it is written.

        Args:
            number: The trial's number.
            state: COMPLETE, PRUNED (its value is the last that was reported) or FAIL.
            values: A value for each objective, for a complete trial.
        """
        with _allowing_stop(self.study):
            self.study.tell(number, values and [float(value) for value in values], state=state)

    @contextmanager
    def batched(self) -> Iterator[None]:
        """Writes to a journal all at once at the end; to be left soon, as others wait to write.

        Yields:
            Nothing, while writes are held back. Whoever reads through this record sees them.
        """
        storage = self._storage
        if not isinstance(storage, journal.JournalRecord):
            yield
            return
        with storage.journal.held():
            yield

    @property
    def _storage(self) -> optuna.storages.BaseStorage:
        return storage_of(self.study)

    def _storage_id(self, number: int) -> int:
        return self._storage.get_trial_id_from_study_id_trial_number(id_of(self.study), number)


def _in_words(constraints: Sequence[str]) -> str:
    return ", ".join(constraints) or "no constraints"


@contextmanager
def _allowing_stop(study: optuna.Study) -> Iterator[None]:
    """Lets a sampler that has nothing more to try say so, outside of `study.optimize`, too."""
    study.stop = lambda: None  # type: ignore[method-assign]
    try:
        yield
    finally:
        vars(study).pop("stop", None)


def is_planned(attributes: Mapping[str, Any], planned: Mapping[str, int | None]) -> bool:
    """Tells whether a search was meant to have as much before.

    Args:
        attributes: The study's `user_attrs`.
        planned: As the oracle's `plan`.

    Returns:
        Whether it was.

    Example:
        >>> is_planned({"planned_trials": 10}, {"planned_trials": 10, "planned_epochs": None})
        True
    """
    return all(attributes.get(name) == value for name, value in planned.items())


@contextmanager
def quiet_optuna() -> Iterator[None]:
    """Keeps Optuna from announcing its studies and from warning of what is done on purpose.

    Yields:
        Nothing, while Optuna is used; the user's own handlers then say what they said before.
    """
    # Optuna's own level would clear what Python keeps of all loggers, and that at every trial.
    logger = optuna.logging.get_logger("optuna")
    handlers = [*logger.handlers, *(logging.getLogger().handlers if logger.propagate else [])]
    quiet = _Errors()
    for handler in handlers:
        handler.addFilter(quiet)
    try:
        with warnings.catch_warnings(category=ExperimentalWarning, action="ignore"):
            yield
    finally:
        for handler in handlers:
            handler.removeFilter(quiet)


class _Errors(logging.Filter):
    """Lets nothing of Optuna pass but errors."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.ERROR or record.name.partition(".")[0] != "optuna"
