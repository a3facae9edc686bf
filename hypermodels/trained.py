"""What every hypermodel here shares: its optimizer, its batch size and its epochs."""

from __future__ import annotations

import math
from typing import Any

import keras
import keras_tuner

from hypermodels import blocks
from hypermodels.ranges import Range, check_names, check_numbers, pick
from hypermodels.schedules import FollowTraining


class TrainedHyperModel(keras_tuner.HyperModel):
    """A hypermodel whose batch size, epochs and optimizer are hyperparameters too.

    Args:
        num_classes: Number of classes; None for regression.
        train_size: Number of training samples; only of use where the data do not tell how many
            they are (generators): schedules are as long as the training otherwise.
        epochs: Range of the epochs of a training; what `search` is told comes first.
        batch_size: Range of the batch size; not used with pipelines, which are batched already.
        optimizer: Names out of adam, adamw, sgd, rmsprop.
        learning_rate: Range of the learning rate, searched on a log scale.
        momentum: Range of the momentum, under sgd.
        weight_decay: Range of the weight decay, under adamw.
        schedule: Names out of none, cosine, exponential.
        warm_up: Part of a training in which the learning rate rises from 0, with a schedule.
        name: Name of the hypermodel.
        tunable: Whether its hyperparameters are searched.

    Raises:
        ValueError: If a range or name is not allowed.
    """

    # `fit` below is `model.fit`: the search may check data and objective before it trains.
    uses_model_fit = True

    def __init__(
        self,
        num_classes: int | None,
        *,
        train_size: int,
        epochs: Range,
        batch_size: Range,
        optimizer: Range,
        learning_rate: Range,
        momentum: Range,
        weight_decay: Range,
        schedule: Range,
        warm_up: Range,
        name: str | None,
        tunable: bool,
    ) -> None:
        super().__init__(name=name, tunable=tunable)
        if num_classes is not None:
            check_numbers("num_classes", num_classes, 2)
        check_numbers("train_size", train_size, 1)
        check_numbers("epochs", epochs, 1)
        check_numbers("batch_size", batch_size, 1)
        check_names("optimizer", optimizer, blocks.OPTIMIZERS)
        check_numbers("learning_rate", learning_rate, 1e-12)
        check_numbers("momentum", momentum, 0, 1)
        check_numbers("weight_decay", weight_decay, 1e-12)
        check_names("schedule", schedule, blocks.SCHEDULES)
        check_numbers("warm_up", warm_up, 0, 1)
        self.num_classes = num_classes
        self.train_size = train_size
        self.epochs = epochs
        self.batch_size = batch_size
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.schedule = schedule
        self.warm_up = warm_up

    def compiled(self, hp: keras_tuner.HyperParameters, inputs: Any, x: Any) -> keras.Model:
        """Ends a model with its output, optimizer, loss and metric.

        Args:
            hp: The hyperparameters of a build.
            inputs: The model's input.
            x: Tensor of shape `(batch, features)`.

        Returns:
            The compiled model.
        """
        epochs = pick(hp, "epochs", self.epochs)
        batch_size = pick(hp, "batch_size", self.batch_size)
        rate = blocks.learning_rate(
            hp,
            rate=self.learning_rate,
            schedules=self.schedule,
            warm_up=self.warm_up,
            steps=math.ceil(self.train_size / batch_size),
            epochs=epochs,
        )
        optimizer = blocks.optimizer(
            hp,
            kinds=self.optimizer,
            rate=rate,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
        )
        model = keras.Model(inputs, blocks.output(x, self.num_classes), name=self.name)
        return blocks.compiled(model, optimizer, self.num_classes)

    def fit(
        self, hp: keras_tuner.HyperParameters, model: keras.Model, *args: Any, **kwargs: Any
    ) -> keras.callbacks.History:
        """Trains a model with the epochs and the batch size of its hyperparameters.

        A learning-rate schedule is spread over the steps of this training.

        Args:
            hp: The hyperparameters the model was built with.
            model: The model.
            *args: Positional arguments of `model.fit`.
            **kwargs: Its keyword arguments; `epochs` and `batch_size` go before the
                hyperparameters.

        Returns:
            The history of the training.
        """
        kwargs.setdefault("epochs", hp.get("epochs"))
        data = args[0] if args else kwargs.get("x")
        if hasattr(data, "shape"):
            kwargs.setdefault("batch_size", hp.get("batch_size"))
        callbacks = kwargs.get("callbacks") or []
        if isinstance(callbacks, keras.callbacks.CallbackList):
            callbacks.append(FollowTraining())
        else:
            kwargs["callbacks"] = [*keras.tree.flatten(callbacks), FollowTraining()]
        return model.fit(*args, **kwargs)
