"""Random search (Bergstra & Bengio 2012, "Random Search for Hyper-Parameter Optimization")."""

from __future__ import annotations

import keras_tuner

from kt_hpo.oracles.recorded import RecordedOracle


class RandomSearchOracle(RecordedOracle, keras_tuner.oracles.RandomSearchOracle):
    """Draws every trial at random, none twice.

    Keras Tuner draws all values of all trials from one counter, so that searches with near seeds
    share most of their trials; here every trial of every seed has a random stream of its own.

    Args: as in `keras_tuner.oracles.RandomSearchOracle`.

    Example:
        >>> RandomSearchOracle(objective="val_loss", max_trials=5, seed=0).seed
        0
    """
