"""The best trial's model, trained anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras

from kt_hpo.training import fit

if TYPE_CHECKING:
    from kt_hpo.tuner import Tuner


def fit_best(tuner: Tuner, fit_args: tuple[Any, ...], fit_kwargs: dict[str, Any]) -> keras.Model:
    """Trains the model of the best trial from its beginning.

    Args:
        tuner: The tuner.
        fit_args: Positional arguments of `HyperModel.fit`.
        fit_kwargs: Its keyword arguments; without `epochs`, as many as the trial needed to reach
            its best epoch.

    Returns:
        The trained model.

    Raises:
        ValueError: If no trial has been completed.
    """
    trials = tuner.oracle.get_best_trials(1)
    if not trials:
        raise ValueError("No trial has been completed yet: run search() first.")
    trial = trials[0]
    keras.utils.clear_session()
    keras.utils.set_random_seed(fit.seed_of(tuner.oracle.seed, trial))
    hp = trial.hyperparameters.copy()
    model = tuner._build_hypermodel(hp)
    defaults: dict[str, Any] = {"verbose": 0}
    if tuner.fits_its_own_way and "epochs" in hp.values:
        hp.values["epochs"] = trial.best_step + 1
    else:
        defaults["epochs"] = trial.best_step + 1
    tuner.hypermodel.fit(hp, model, *fit_args, **{**defaults, **fit_kwargs})
    return model
