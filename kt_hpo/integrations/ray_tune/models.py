"""The model of a trial of Ray's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import keras

from kt_hpo.integrations.ray_tune.space import read_values
from kt_hpo.integrations.sklearn.configurations import HyperModelLike, as_hypermodel, find_space
from kt_hpo.training import checkpoints

if TYPE_CHECKING:
    from ray import tune


def load_model(hypermodel: HyperModelLike, result: tune.Result) -> keras.Model:
    """Loads the trained model of one of Ray Tune's results.

    Args:
        hypermodel: The hypermodel whose `kt_hpo.ray.trainable` has been run.
        result: The result, such as `tuner.fit().get_best_result("val_loss", "min")`.

    Returns:
        The compiled model, with weights and optimizer state of the trial's last checkpoint.

    Raises:
        ValueError: If the trial has no checkpoint.

    Example:
        >>> model = load_model(build, results.get_best_result("val_loss", "min"))  # doctest: +SKIP
    """
    if result.checkpoint is None:
        raise ValueError(
            "The trial has no checkpoint. Ray makes them where it is asked to: "
            "RunConfig(checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=True))."
        )
    known = find_space(hypermodel)
    known.values = read_values(known, result.config or {})
    model = as_hypermodel(hypermodel).build(known)
    with result.checkpoint.as_directory() as folder:
        checkpoints.restore(model, Path(folder) / checkpoints.LAST)
    return model
