"""The model of a trial, before its training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import keras
from keras_tuner.engine.trial import Trial
from keras_tuner.errors import FailedTrialError, FatalTypeError

from kt_hpo.training import checkpoints, distribution, inheritance
from kt_hpo.training.measures import count_parameters

if TYPE_CHECKING:
    from kt_hpo.tuner import Tuner


def build(tuner: Tuner, trial: Trial, execution: int = 0) -> keras.Model:
    """Builds the model of a trial, as far trained as the trial it continues or descends from.

    Args:
        tuner: The tuner.
        trial: The trial.
        execution: The number of the training within its trial.

    Returns:
        The model.

    Raises:
        FatalTypeError: If the hypermodel does not return a model.
        FailedTrialError: If the model has more than `max_model_size` weights.
    """
    model = tuner._build_hypermodel(trial.hyperparameters)
    if not isinstance(model, keras.Model):
        raise FatalTypeError(
            f"HyperModel.build(hp) returned {model!r} of type {type(model).__name__}; it must "
            "return a keras.Model. Is its `return model` missing?"
        )
    size = count_parameters(model)
    if tuner.max_model_size and size > tuner.max_model_size:
        raise FailedTrialError(
            f"The model has {size:,} weights, more than max_model_size={tuner.max_model_size:,}."
        )
    past_id = trial.hyperparameters.values.get("tuner/trial_id")
    with distribution.scope(tuner.distribution_strategy):
        if past_id is not None:
            past = checkpoints.find_last(Path(tuner.get_trial_dir(past_id)), execution)
            checkpoints.go_on_from(model, past)
        if tuner.oracle.inherit_weights:
            inherited = inheritance.inherit_from_parent(tuner, trial, model, execution)
            if inherited is not None:
                tuner.annotate(trial, inherited=inherited)
    return model
