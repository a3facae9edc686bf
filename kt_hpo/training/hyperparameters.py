"""How a model is trained, as hyperparameters of any hypermodel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import keras_tuner

from hypermodels.ranges import Range, check_numbers, pick
from kt_hpo._private_apis.keras import learning_rate_of
from kt_hpo.arguments import check_whole
from kt_hpo.space.hyperparameters import HyperParameters
from kt_hpo.training import batches, class_weights, precision


def as_hypermodel(
    hypermodel: keras_tuner.HyperModel | Callable[..., keras.Model],
) -> keras_tuner.HyperModel:
    """Makes a hypermodel of a function.

    Args:
        hypermodel: A function `build(hp)`, or a hypermodel.

    Returns:
        The hypermodel.

    Raises:
        ValueError: If it is neither.

    Example:
        >>> as_hypermodel(lambda hp: keras.Sequential(name="mlp")).build(None).name
        'mlp'
    """
    if isinstance(hypermodel, keras_tuner.HyperModel):
        return hypermodel
    if not callable(hypermodel):
        raise ValueError(
            f"hypermodel={hypermodel!r} is not allowed; give a keras_tuner.HyperModel or a "
            "function build(hp) that returns a compiled model."
        )
    made = keras_tuner.HyperModel()
    made.build = hypermodel
    return made


def has_own_fit(hypermodel: Any) -> bool:
    """Tells whether a hypermodel trains by a `fit` of its own.

    Args:
        hypermodel: A `keras_tuner.HyperModel` or a function `build(hp)`.

    Returns:
        Whether it overrides `fit`, and does not say that this calls `model.fit` as it is told to.

    Example:
        >>> has_own_fit(lambda hp: keras.Sequential())
        False
    """
    own = getattr(type(hypermodel), "fit", None) not in (None, keras_tuner.HyperModel.fit)
    return own and not getattr(hypermodel, "uses_model_fit", False)


class Training(keras_tuner.HyperModel):
    """Adds to a hypermodel how its models are trained, without a `fit` of one's own.

    Every range is `(low, high)`, a list of choices, or one value, which is not searched then. What
    is not given stays as the hypermodel and `search` have it, and what `search` is told goes before
    the hyperparameters. A hyperparameter that the hypermodel asks for itself by one of these names
    has the range that is given here.

    Args:
        hypermodel: A `keras_tuner.HyperModel` or a function `build(hp)`.
        batch_size: Samples in a batch, searched on a log scale; also makes the batches of a
            `tf.data.Dataset` that has none.
        epochs: Epochs of a training.
        class_weight: `"balanced"` weighs every class alike, `"none"` every sample; a range within
            `(0.0, 1.0)` lies between these two, weights being powers of the balanced ones; or a
            dict of weights by class.
        learning_rate: The learning rate, searched on a log scale; see `find_learning_rate`.
        weight_decay: The optimizer's weight decay, likewise.
        clipnorm: The norm that each gradient is clipped to, likewise.
        gradient_accumulation_steps: Batches whose gradients are averaged before a step.
        precision: Out of float32, mixed_float16, mixed_bfloat16, auto.
        jit_compile: Whether XLA compiles the model: True, False.
        steps_per_execution: Batches that run in one call of the graph.

    Raises:
        ValueError: If a range is not allowed.

    Example:
        >>> def build(hp):
        ...     model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        ...     model.compile("adam", "mse")
        ...     return model
        >>> hp = keras_tuner.HyperParameters()
        >>> model = Training(build, batch_size=(16, 256), learning_rate=(1e-4, 1e-1)).build(hp)
        >>> [one.name for one in hp.space], round(float(model.optimizer.learning_rate), 6)
        (['batch_size', 'learning_rate'], 0.0001)
    """

    batches_pipelines = True

    def __init__(
        self,
        hypermodel: keras_tuner.HyperModel | Callable[..., keras.Model],
        *,
        batch_size: Range = None,
        epochs: Range = None,
        class_weight: Range = None,
        learning_rate: Range = None,
        weight_decay: Range = None,
        clipnorm: Range = None,
        gradient_accumulation_steps: Range = None,
        precision: Range = None,
        jit_compile: Range = None,
        steps_per_execution: Range = None,
    ) -> None:
        super().__init__()
        self.hypermodel = as_hypermodel(hypermodel)
        self.class_weight = class_weight
        self._ranges = {
            "batch_size": batch_size,
            "epochs": epochs,
            "learning_rate": learning_rate,
            "weight_decay": weight_decay,
            "clipnorm": clipnorm,
            "gradient_accumulation_steps": gradient_accumulation_steps,
            "precision": precision,
            "jit_compile": jit_compile,
            "steps_per_execution": steps_per_execution,
            "class_weight": None if isinstance(class_weight, dict) else class_weight,
        }
        self._check()

    def _check(self) -> None:
        given = {name: values for name, values in self._ranges.items() if values is not None}
        for name in ("batch_size", "epochs", "gradient_accumulation_steps", "steps_per_execution"):
            if name in given:
                check_numbers(name, given[name], 1)
                values = given[name]
                for number in values if isinstance(values, list | tuple) else [values]:
                    check_whole(**{name: number})
        for name in ("learning_rate", "weight_decay", "clipnorm"):
            if name in given:
                check_numbers(name, given[name], 1e-12)
        for name, check in (
            ("precision", precision.check_precision),
            ("jit_compile", precision.check_jit_compile),
        ):
            values = given.get(name)
            for value in values if isinstance(values, list) else [values]:
                check(value)
        class_weights.check_class_weight(self.class_weight)

    @property
    def uses_model_fit(self) -> bool:
        """Whether the wrapped hypermodel's `fit` is `model.fit`."""
        return not has_own_fit(self.hypermodel)

    def declare_hyperparameters(self, hp: keras_tuner.HyperParameters) -> None:
        """Declares the hyperparameters of the wrapped hypermodel.

        Args:
            hp: What they are declared in.
        """
        self.hypermodel.declare_hyperparameters(hp)

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        """Builds a model of the wrapped hypermodel.

        Args:
            hp: Its hyperparameters, and those of its training.

        Returns:
            The compiled model.
        """
        values = {
            name: pick(hp, name, asked, sampling="log" if name in _LOGARITHMIC else "linear")
            for name, asked in self._ranges.items()
            if asked is not None
        }
        if isinstance(hp, HyperParameters):
            hp.hold(*values)
        with precision.using(values.get("precision")):
            model = self.hypermodel.build(hp)
        if isinstance(model, keras.Model) and model.compiled:
            _set_optimizer(model.optimizer, values)
            precision.compile_steps(
                model, values.get("jit_compile"), values.get("steps_per_execution")
            )
        return model

    def fit(
        self, hp: keras_tuner.HyperParameters, model: keras.Model, *args: Any, **kwargs: Any
    ) -> Any:
        """Trains a model as its hyperparameters say.

        Args:
            hp: The hyperparameters the model was built with.
            model: The model.
            *args: Positional arguments of `search`.
            **kwargs: Its keyword arguments; they go before the hyperparameters.

        Returns:
            What the wrapped hypermodel's `fit` returns.

        Raises:
            FatalValueError: If there is a batch size to choose, and the data have batches already.
        """
        if self._ranges["epochs"] is not None:
            kwargs.setdefault("epochs", hp.get("epochs"))
        if self.class_weight is not None and "class_weight" not in kwargs:
            weights = self.class_weight
            if not isinstance(weights, dict):
                weights = class_weights.weights(hp.get("class_weight"), *args, **kwargs)
            kwargs["class_weight"] = weights
        if self._ranges["batch_size"] is not None:
            size = kwargs.pop("batch_size", hp.get("batch_size"))
            args, kwargs = batches.batched(model, size, args, kwargs)
        return self.hypermodel.fit(hp, model, *args, **kwargs)


_LOGARITHMIC = ("batch_size", "learning_rate", "weight_decay", "clipnorm")
_OPTIMIZERS = ("learning_rate", "weight_decay", "clipnorm", "gradient_accumulation_steps")


def _set_optimizer(optimizer: keras.optimizers.Optimizer, values: dict[str, Any]) -> None:
    """Gives an optimizer that has done nothing yet what was chosen for it."""
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    for name in _OPTIMIZERS:
        if name in values:
            is_schedule = name == "learning_rate" and callable(learning_rate_of(optimizer))
            if is_schedule:
                raise ValueError(
                    "Training(learning_rate=...) cannot set the learning rate of an optimizer that "
                    "follows a schedule. Leave one of the two out."
                )
            setattr(optimizer, name, values[name])
