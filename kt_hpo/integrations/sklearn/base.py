"""What a hypermodel's classifier and regressor share: their parameters and their training."""

from __future__ import annotations

import copy
import random
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Self

import keras
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from kt_hpo._private_apis.sklearn import checked_weights
from kt_hpo.integrations.sklearn.configurations import (
    HyperModelLike,
    as_hypermodel,
    check_given,
    configuration,
    find_space,
)
from kt_hpo.integrations.sklearn.heads import Head
from kt_hpo.space.hyperparameters import HyperParameters
from kt_hpo.space.kinds import Value
from kt_hpo.startup import quiet_retracing
from kt_hpo.training.callback_list import copied
from kt_hpo.training.memory import released_graphs

# Parameters of an estimator that may be hyperparameters of its hypermodel at the same time.
SHARED = ("epochs", "batch_size")


class KerasHyperEstimator(BaseEstimator):
    """What the classifier and the regressor share.

    Args: as in `KerasHyperClassifier`.
    """

    _explored: tuple[HyperModelLike, HyperParameters] | None = None

    def __init__(
        self,
        hypermodel: HyperModelLike,
        *,
        epochs: int | None = None,
        batch_size: int | None = None,
        verbose: int | str = 0,
        random_state: Any = None,
        callbacks: Sequence[keras.callbacks.Callback | Callable[[], Any]] | None = None,
        fit_kwargs: Mapping[str, Any] | None = None,
        **hyperparameters: Any,
    ) -> None:
        as_hypermodel(hypermodel)
        self.hypermodel = hypermodel
        self.epochs = epochs
        self.batch_size = batch_size
        self.verbose = verbose
        self.random_state = random_state
        self.callbacks = callbacks
        self.fit_kwargs = fit_kwargs
        self._given: dict[str, Any] = {}
        self.set_params(**hyperparameters)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Gives the parameters, those of the hypermodel among them.

        Args:
            deep: Not used: no parameter is an estimator.

        Returns:
            Values by name; a hyperparameter that has not been set is None, its default.
        """
        own = super().get_params(deep=False)
        return {hp.name: self._given.get(hp.name) for hp in self._space().space} | own

    def set_params(self, **params: Any) -> Self:
        """Sets parameters; all of them or, at an error, none.

        Args:
            **params: Values by name, such as `units=32`, or `**{"block/units": 32}`; None for a
                hyperparameter's default.

        Returns:
            The estimator.

        Raises:
            ValueError: If a name is unknown, or a value outside its range in every scope.
        """
        if not params:
            return self
        changed = copy.copy(self)
        own = self._own()
        theirs = {name: value for name, value in params.items() if name not in own}
        for name in params.keys() & own:
            setattr(changed, name, params[name])
        changed._given = {n: v for n, v in (self._given | theirs).items() if v is not None}
        # What was set under another hypermodel may be taken back under this one.
        changed._check_names([*changed._given, *(theirs.keys() - self._given)])
        check_given(changed._space(), changed._hyperparameters())
        self.__dict__ = changed.__dict__
        return self

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **fit_kwargs: Any) -> Self:
        """Builds the model of the hyperparameters, and trains it.

        Args:
            X: Samples, an array or a frame of numbers.
            y: A label or a value for each.
            sample_weight: Weight of each in the loss.
            **fit_kwargs: Further arguments of `HyperModel.fit`, which come before those of the
                constructor. `validation_data` takes labels as `y` does.

        Returns:
            The estimator.

        Raises:
            ValueError: If a hyperparameter is outside its range, or model and data do not match.
        """
        X, y = self._validated(X, y)
        hp = configuration(self._space(), self._hyperparameters())
        kwargs = self._fit_kwargs(fit_kwargs)
        if sample_weight is not None:
            sample_weight = checked_weights(sample_weight, X)
        sample_weight = self._weighted(y, sample_weight, kwargs.pop("class_weight", None))
        hypermodel = as_hypermodel(self.hypermodel)
        with seeded(self.random_state), quiet_retracing(), released_graphs():
            self.model_ = _checked_model(hypermodel.build(hp))
            self.head_ = Head.of(self.model_, X)
            if sample_weight is not None:
                kwargs["sample_weight"] = sample_weight
            if isinstance(kwargs.get("validation_data"), tuple):
                features, target, *weight = kwargs["validation_data"]
                kwargs["validation_data"] = (features, self._targets(target), *weight)
            hypermodel.fit(hp, self.model_, X, self._targets(y), **kwargs)
        history = getattr(self.model_, "history", None)
        self.history_ = {} if history is None else dict(history.history)
        self.hyperparameters_: dict[str, Value] = dict(hp.values)
        return self

    @abstractmethod
    def _validated(self, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
        """Checks the data, and learns what is to be known of it."""

    @abstractmethod
    def _targets(self, y: Any) -> np.ndarray:
        """What the model is trained on."""

    def _weighted(self, y: np.ndarray, sample_weight: Any, class_weight: Any) -> Any:
        if class_weight is not None:
            raise ValueError("class_weight is for classifiers; give sample_weight.")
        return sample_weight

    def _outputs(self, X: Any) -> np.ndarray:
        check_is_fitted(self, "model_")
        X = validate_data(self, X, reset=False, allow_nd=True)
        with quiet_retracing():
            # For so few samples a pipeline takes longer than the model.
            if len(X) <= (self.batch_size or 32):
                return np.asarray(self.model_.predict_on_batch(X))
            return np.asarray(self.model_.predict(X, batch_size=self.batch_size, verbose=0))

    def _fit_kwargs(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of a training; the more special ones come first."""
        kwargs = {"verbose": self.verbose, **(self.fit_kwargs or {}), **given}
        for name in SHARED:
            if getattr(self, name) is not None:
                kwargs.setdefault(name, getattr(self, name))
        callbacks = [*(self.callbacks or []), *(kwargs.get("callbacks") or [])]
        return {**kwargs, "callbacks": copied(callbacks, "", 0)}

    def _space(self) -> HyperParameters:
        """The space of the hypermodel, explored once."""
        if self._explored is None or self._explored[0] is not self.hypermodel:
            found = find_space(self.hypermodel)
            for name in sorted({hp.name for hp in found.space} & set(self._own()) - {*SHARED}):
                raise ValueError(
                    f"{name!r} is a parameter of {type(self).__name__} itself; give the "
                    "hyperparameter another name."
                )
            self._explored = self.hypermodel, found
        return self._explored[1]

    def _own(self) -> list[str]:
        """The names of the parameters that are not the hypermodel's."""
        return list(super().get_params(deep=False))

    def _hyperparameters(self) -> dict[str, Any]:
        """What has been set of the hypermodel's space."""
        known = {hyperparameter.name for hyperparameter in self._space().space}
        return self._given | {name: getattr(self, name) for name in SHARED if name in known}

    def _check_names(self, names: Iterable[str]) -> None:
        known = list(dict.fromkeys(hyperparameter.name for hyperparameter in self._space().space))
        for name in names:
            if name not in known:
                raise ValueError(
                    f"{name!r} is no parameter of {type(self).__name__}. Its own are "
                    f"{', '.join(self._own())}; its hypermodel's are {', '.join(known) or 'none'}."
                )

    def __sklearn_clone__(self) -> Self:
        """An unfitted copy, which need not explore the space again."""
        self._space()
        fresh = copy.copy(self)
        unfitted = {name: value for name, value in vars(self).items() if not name.endswith("_")}
        fresh.__dict__ = copy.deepcopy(unfitted)
        return fresh


@contextmanager
def seeded(random_state: Any) -> Iterator[None]:
    """Seeds Keras, and gives Python's and NumPy's own random numbers back as they were.

    Args:
        random_state: A seed, a `numpy.random.RandomState`, or None for NumPy's.

    Yields:
        Nothing, while a model is built and trained.
    """
    seed = int(check_random_state(random_state).randint(2**31 - 1))
    before = random.getstate(), np.random.get_state()
    keras.utils.set_random_seed(seed)
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])


def _checked_model(model: Any) -> keras.Model:
    if not isinstance(model, keras.Model):
        raise ValueError(
            f"HyperModel.build(hp) returned {model!r} of type {type(model).__name__}; it must "
            "return a keras.Model. Is its `return model` missing?"
        )
    return model
