"""Optuna's studies on storages of ours, and what they keep to themselves."""

from __future__ import annotations

import copy
from collections.abc import Container
from typing import Any

import optuna
from optuna import pruners
from optuna.samplers import CmaEsSampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState


def storage_of(study: optuna.Study) -> Any:
    """Gives the storage of a study, which no public name tells.

    Args:
        study: The study.

    Returns:
        The `optuna.storages.BaseStorage`, or what stands for one. Without the name of today it is
        the attribute that can be asked for trials.

    Example:
        >>> storage = optuna.storages.InMemoryStorage()
        >>> storage_of(optuna.create_study(storage=storage)) is storage
        True
    """
    if hasattr(study, "_storage"):
        return study._storage
    return next(one for one in vars(study).values() if hasattr(one, "get_all_trials"))


def id_of(study: optuna.Study) -> int:
    """Gives the number of a study in its storage.

    Args:
        study: The study.

    Returns:
        The number. Without the name of today the storage is asked by the study's name.

    Example:
        >>> id_of(optuna.create_study())
        0
    """
    if hasattr(study, "_study_id"):
        return study._study_id
    return storage_of(study).get_study_id_from_name(study.study_name)


def trials_of_bracket(study: optuna.Study, trial: FrozenTrial) -> optuna.Study:
    """Gives a study as a sampler is to see it for a trial.

    Args:
        study: The study.
        trial: The trial.

    Returns:
        With Optuna's `HyperbandPruner` a study of the trials in the same bracket. Without that
        function of Optuna's it is the study: samplers learn from all brackets then.

    Example:
        >>> study = optuna.create_study()
        >>> trials_of_bracket(study, optuna.trial.create_trial(value=0.0)) is study
        True
    """
    own = getattr(pruners, "_filter_study", None)
    return study if own is None else own(study, trial)


def cmaes_population(sampler: CmaEsSampler) -> int | None:
    """Gives the size of a population that a user has set.

    Args:
        sampler: The sampler.

    Returns:
        The size; 0 for the default, which is below 25 up to a thousand dimensions, and None without
        Optuna's name.

    Example:
        >>> cmaes_population(CmaEsSampler(popsize=8))
        8
    """
    return (sampler._popsize or 0) if hasattr(sampler, "_popsize") else None


class StorageView:
    """A storage that seems to hold other trials of one study than it does.

    Args:
        study: The study.
    """

    def __init__(self, study: optuna.Study) -> None:
        self._storage = storage_of(study)
        self._id = id_of(study)
        self._directions = study.directions

    def get_study_id_from_name(self, study_name: str) -> int:
        """Gives the number of the study, whose name it is."""
        return self._id

    def get_study_directions(self, study_id: int) -> list[StudyDirection]:
        """Gives the directions of the study."""
        return self._directions

    def get_all_trials(
        self,
        study_id: int,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        """Gives the trials that the storage seems to hold."""
        trials = self._trials(study_id)
        if states is not None:
            trials = [trial for trial in trials if trial.state in states]
        return copy.deepcopy(trials) if deepcopy else trials

    def listed(self, study_id: int) -> list[FrozenTrial]:
        """Gives them to a reader who changes nothing in the list."""
        return self._trials(study_id)

    def _trials(self, study_id: int) -> list[FrozenTrial]:
        # Of 10,000 trials even a copy of the list takes a while.
        if hasattr(self._storage, "listed"):
            return self._seen(self._storage.listed(study_id))
        return self._seen(self._storage.get_all_trials(study_id, deepcopy=False))

    def _seen(self, trials: list[FrozenTrial]) -> list[FrozenTrial]:
        """What a view shows in place of the storage's trials."""
        return trials

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)


def study_on(view: StorageView, study: optuna.Study) -> optuna.Study:
    """Makes a study with the trials of a view.

    Args:
        view: The view.
        study: The study it is of.

    Returns:
        A study of the same name, with the same sampler and pruner.
    """
    storage: Any = view
    return optuna.load_study(
        study_name=study.study_name, storage=storage, sampler=study.sampler, pruner=study.pruner
    )
