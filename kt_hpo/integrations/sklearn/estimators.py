"""A HyperModel as a scikit-learn estimator."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import column_or_1d
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from kt_hpo.integrations.sklearn.base import KerasHyperEstimator


class KerasHyperClassifier(ClassifierMixin, KerasHyperEstimator):
    """A hypermodel of classifiers as a scikit-learn classifier.

    Its parameters are those below and the hypermodel's hyperparameters by their names, so that
    `GridSearchCV`, `RandomizedSearchCV` and the halving searches search them; see `param_grid` and
    `param_distributions`. The labels may be anything; the model gets them as its output and its
    loss want them: as 0 and 1 for a single unit, as numbers for a sparse loss, else one-hot. An
    output wider than there are classes is allowed: a fold may lack one.

    Args:
        hypermodel: A `keras_tuner.HyperModel` or a function of `hp` that returns a compiled model.
        epochs: Epochs of a training, a resource for the halving searches. None leaves them to the
            hypermodel's `fit`, which is one epoch if it has none of its own.
        batch_size: Batch size; None leaves it to the hypermodel's `fit`, or Keras.
        verbose: As in `model.fit`.
        random_state: Seed of the weights, the order of the samples and all else that is drawn.
        callbacks: Callbacks of the training; each training has copies of its own. Those that
            cannot be copied are given as functions that make one.
        fit_kwargs: Further arguments of `HyperModel.fit`, such as `validation_split`. Its
            `class_weight` is by label, or `"balanced"`.
        **hyperparameters: Values of the hypermodel's hyperparameters; None, or none, for the
            default. Those of scopes that the others leave inactive are passed over. A
            hyperparameter named `epochs` or `batch_size` is the parameter of that name.

    Attributes:
        classes_: The labels.
        model_: The trained Keras model.
        history_: Its metrics, a list of an epoch's values each.
        hyperparameters_: The values it was built with.
        n_features_in_: Number of features.

    Raises:
        ValueError: If a hyperparameter is unknown, or its value outside its range.

    Example:
        >>> import keras
        >>> from sklearn.datasets import load_iris
        >>> def build(hp):
        ...     units = hp.Int("units", 4, 32)
        ...     layers = [keras.Input((4,)), keras.layers.Dense(units, activation="relu")]
        ...     model = keras.Sequential([*layers, keras.layers.Dense(3, activation="softmax")])
        ...     model.compile("adam", "sparse_categorical_crossentropy")
        ...     return model
        >>> X, y = load_iris(return_X_y=True)
        >>> classifier = KerasHyperClassifier(build, units=16, epochs=2, random_state=0).fit(X, y)
        >>> classifier.predict_proba(X).shape
        (150, 3)
    """

    def predict(self, X: Any) -> np.ndarray:
        """Gives the most probable label of each sample.

        Args:
            X: Samples.

        Returns:
            The labels.
        """
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Gives the probability of each label.

        Args:
            X: Samples.

        Returns:
            A row a sample, a column for each of `classes_`.
        """
        outputs = self._outputs(X)
        return self.head_.probabilities(outputs, len(self.classes_))

    def _validated(self, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
        X, y = validate_data(self, X, y, allow_nd=True)
        check_classification_targets(y)
        self.encoder_ = LabelEncoder().fit(y)
        self.classes_ = self.encoder_.classes_
        return X, y

    def _targets(self, y: Any) -> np.ndarray:
        codes = self.encoder_.transform(column_or_1d(y, warn=True))
        return self.head_.labels(codes, len(self.classes_))

    def _weighted(self, y: np.ndarray, sample_weight: Any, class_weight: Any) -> Any:
        if class_weight is None:
            return sample_weight
        weights = compute_sample_weight(class_weight, y)
        return weights if sample_weight is None else weights * sample_weight


class KerasHyperRegressor(RegressorMixin, KerasHyperEstimator):
    """A hypermodel of regressions as a scikit-learn regressor, of one target or of several.

    Args: as in `KerasHyperClassifier`.

    Attributes:
        model_: The trained Keras model.
        history_: Its metrics, a list of an epoch's values each.
        hyperparameters_: The values it was built with.
        n_features_in_: Number of features.

    Raises:
        ValueError: If a hyperparameter is unknown, or its value outside its range.

    Example:
        >>> import keras
        >>> def build(hp):
        ...     layers = [keras.layers.Dense(hp.Int("units", 4, 32)), keras.layers.Dense(1)]
        ...     model = keras.Sequential([keras.Input((2,)), *layers])
        ...     model.compile("adam", "mse")
        ...     return model
        >>> regressor = KerasHyperRegressor(build, units=8)
        >>> regressor.set_params(units=100)
        Traceback (most recent call last):
        ValueError: units=100 is not allowed; it must be one of IntDistribution(high=32, ...).
        >>> regressor.fit([[0, 1], [2, 3]], [0.5, 1.5]).predict([[1, 1]]).shape
        (1,)
    """

    def predict(self, X: Any) -> np.ndarray:
        """Gives the values of each sample.

        Args:
            X: Samples.

        Returns:
            A value a sample, or a row of them if there were several targets.
        """
        outputs = self._outputs(X)
        return outputs.reshape(len(outputs), *self.target_shape_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _validated(self, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
        X, y = validate_data(self, X, y, allow_nd=True, multi_output=True, y_numeric=True)
        self.target_shape_ = y.shape[1:]
        return X, y

    def _targets(self, y: Any) -> np.ndarray:
        return self.head_.values(np.asarray(y))
