"""Trials of a past search that a new one begins with."""

from __future__ import annotations

from collections.abc import Sequence

import keras_tuner
import optuna
from keras_tuner.engine.trial import Trial
from optuna.trial import FrozenTrial, TrialState

from kt_hpo import objectives
from kt_hpo.constraints import Constraint, known_violations
from kt_hpo.oracle.trials import best_value, rebuild
from kt_hpo.record.record import Record
from kt_hpo.record.studies import PAST, is_past
from kt_hpo.space import domain
from kt_hpo.space.scopes import is_active, recorded_names


def take_past(
    record: Record,
    study: optuna.Study,
    objective: keras_tuner.Objective,
    known: keras_tuner.HyperParameters,
    constraints: Sequence[Constraint] = (),
) -> list[Trial]:
    """Copies the trials of a past study that fit the space into a record that has none yet.

    Args:
        record: The record of the new search.
        study: The past search.
        objective: What the new search optimizes.
        known: Its search space.
        constraints: What it keeps; past trials are held against what is known of them.

    Returns:
        The trials, scored.

    Raises:
        ValueError: If the past search optimized in other directions, or no trial of it fits.
    """
    if study.directions != record.study.directions:
        raise ValueError(
            f"warm_start={study.study_name!r} optimizes {_directions(study)}, this search "
            f"{_directions(record.study)}: its trials are worth nothing here. Leave it out."
        )
    completed = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    made = [_copy(trial, study, objective, known, constraints) for trial in completed]
    copies = [copy for copy in made if copy]
    if not copies:
        raise ValueError(
            f"None of the {len(completed)} completed trials of warm_start={study.study_name!r} has "
            f"a value for all of {', '.join(hp.name for hp in known.space) or 'no hyperparameters'}"
            ". Give a study of the same search space, or leave it out."
        )
    with record.batched():  # A search that goes on must not find a part of them.
        record.study.add_trials(copies)
    return past_trials(record, objective, known)


def past_trials(
    record: Record, objective: keras_tuner.Objective, known: keras_tuner.HyperParameters
) -> list[Trial]:
    """Rebuilds the trials of a record that a past search has run.

    Args:
        record: The record.
        objective: What is optimized.
        known: The search space.

    Returns:
        The trials, scored.
    """
    trials = [rebuild(frozen, objective, known) for frozen in record.trials if is_past(frozen)]
    for trial in trials:
        trial.score = best_value(trial, objective.name)
    return trials


def _copy(
    trial: FrozenTrial,
    study: optuna.Study,
    objective: keras_tuner.Objective,
    known: keras_tuner.HyperParameters,
    constraints: Sequence[Constraint],
) -> FrozenTrial | None:
    """The trial as one of the new record; None if it does not fit the space."""
    values = domain.from_params(known, trial.params).values
    params, distributions, rest = domain.to_params(known, values)
    complete = all(hp.name in values for hp in known.space if is_active(hp, values))
    fits = all(
        distributions[name] == domain.to_distribution(hp)
        for hp, name in recorded_names(known)
        if name in distributions
    )
    if not complete or not fits or rest or not known.space:
        return None
    names = [part.name for part in objectives.parts(objective)]
    metrics = dict(zip(names, trial.values, strict=True))
    measured = trial.user_attrs.get("metrics", {}) | metrics
    violations = known_violations(constraints, measured)
    return optuna.trial.create_trial(
        state=TrialState.COMPLETE,
        values=trial.values,
        params=params,
        distributions=distributions,
        system_attrs={f"constraints:{name}": by for name, by in violations.items()},
        user_attrs={
            PAST: study.study_name,
            "metrics": objectives.with_objective(objective, metrics),
            "best_epoch": trial.user_attrs.get("best_epoch", 0),
        },
    )


def _directions(study: optuna.Study) -> str:
    return ", ".join(direction.name.lower() for direction in study.directions)
