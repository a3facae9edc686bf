"""Searches over scikit-learn's estimators."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras_tuner
from sklearn.model_selection import KFold

from kt_hpo.tuner import Tuner


class SklearnTuner(Tuner):
    """Searches a scikit-learn estimator, each trial measured by cross-validation.

    Keras Tuner's, with our record and all that comes of it. For a Keras model inside of
    scikit-learn's own searches see `kt_hpo.sklearn`.

    Args:
        oracle: Who proposes the values; its objective is usually
            `keras_tuner.Objective("score", "max")`.
        hypermodel: A `keras_tuner.HyperModel` or a function `build(hp)` that returns an estimator.
        scoring: A function `(estimator, X, y, sample_weight=...)` that gives the score; the
            estimator's own `score` if not given.
        metrics: Functions `(y, predicted, sample_weight=...)` to be recorded too, or one of them.
        cv: A splitter of scikit-learn's; five shuffled folds if not given.
        **kwargs: The arguments of `kt_hpo.Tuner`.

    Example:
        >>> from sklearn.linear_model import Ridge
        >>> import numpy as np
        >>> oracle = keras_tuner.oracles.RandomSearchOracle(
        ...     keras_tuner.Objective("score", "max"), max_trials=3, seed=0
        ... )
        >>> tuner = SklearnTuner(
        ...     oracle,
        ...     lambda hp: Ridge(alpha=hp.Float("alpha", 1e-3, 10.0, sampling="log")),
        ...     directory="runs",
        ...     project_name="ridge",
        ...     overwrite=True,
        ... )
        >>> x = np.arange(20.0).reshape(10, 2)
        >>> tuner.search(x, x.sum(axis=1), verbose=0)
        >>> len(tuner.get_best_models()[0].coef_)
        2
    """

    def __init__(
        self,
        oracle: keras_tuner.Oracle,
        hypermodel: Any,
        scoring: Callable[..., float] | None = None,
        metrics: Callable[..., float] | Sequence[Callable[..., float]] | None = None,
        cv: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(oracle, hypermodel, **kwargs)
        self.scoring = scoring
        self.metrics = [metrics] if callable(metrics) else list(metrics or [])
        self.cv = cv or KFold(5, shuffle=True, random_state=1)

    # An estimator asks for all it needs when it is built.
    meets_more = False

    run_trial = keras_tuner.SklearnTuner.run_trial
    save_model = keras_tuner.SklearnTuner.save_model
    load_model = keras_tuner.SklearnTuner.load_model
