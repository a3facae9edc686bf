"""What every hypermodel here shares: its optimizer, its batch size and its epochs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypedDict

import keras
import keras_tuner

from hypermodels import blocks
from hypermodels.ranges import (
    PRESETS,
    Names,
    Numbers,
    Range,
    WithDefault,
    check_numbers,
    check_scale,
    pick,
)
from hypermodels.schedules import FollowTraining

Arguments = Mapping[str, Numbers | Names]

# Measured by short trainings on five data sets: see docs/ready-spaces.md. Figures with a sign are
# what another value gains over the default: of CNNs and ResNets, in the mean of three sets of
# images, of sequences, of four sets, and of MLPs, of four tables (`python -m benchmarks.ranges`).
TRAINING: Arguments = {
    "epochs": Numbers(20, 20, 20, low=1),
    # 32 ended ahead of 64, and of 128 by far, wherever epochs were few; 16 takes twice the time.
    # 64: -0.028, -0.022, -0.006, and +0.002.
    "batch_size": Numbers([32, 64], [16, 32, 64, 128, 256], 32, low=1),
    # sgd has a rate of its own, and lost where it had that of the others; rmsprop never won.
    # adam: -0.005, -0.006, 0.000, and 0.000.
    "optimizer": Names(["adam", "adamw"], list(blocks.OPTIMIZERS), "adamw", blocks.OPTIMIZERS),
    # Below 3e-4 short trainings do not arrive, above 5e-3 some diverge.
    # 3e-4: -0.215, -0.187, -0.017, and -0.006. 5e-3: +0.028, +0.023, +0.008, and +0.002.
    "learning_rate": Numbers((3e-4, 5e-3), (3e-4, 3e-2), 2e-3, low=1e-12),
    "momentum": Numbers((0.5, 0.99), (0.5, 0.99), 0.9, high=1),
    # 1e-5: -0.002, -0.006, 0.000, and 0.000. 1e-2: -0.003, -0.002, 0.000, and +0.001.
    "weight_decay": Numbers((1e-5, 1e-2), (1e-6, 1e-2), 1e-4, low=1e-12),
    # A rate that falls to 0 ended level or ahead after 10 epochs.
    # none: +0.013 after 6 epochs, -0.002, +0.007, and +0.003.
    "schedule": Names(["none", "cosine"], list(blocks.SCHEDULES), "cosine", blocks.SCHEDULES),
    # 0: +0.003, 0.000, +0.003, and +0.003. 0.2: -0.003, +0.011, +0.002, and -0.002.
    "warm_up": Numbers((0.0, 0.2), (0.0, 0.2), 0.1, high=1),
}


class TrainingRanges(TypedDict, total=False):
    """The arguments that every hypermodel here takes besides its own, as ranges.

    Attributes:
        batch_size: Batch size; not used with pipelines, which are batched already.
        optimizer: Names out of adam, adamw, sgd, rmsprop.
        learning_rate: Learning rate, searched on a log scale.
        momentum: Momentum, under sgd.
        weight_decay: Weight decay, under adamw, searched on a log scale.
        schedule: Names out of none, cosine, exponential.
        warm_up: Part of a training in which the learning rate rises from 0, with a schedule.
    """

    batch_size: Range
    optimizer: Range
    learning_rate: Range
    momentum: Range
    weight_decay: Range
    schedule: Range
    warm_up: Range


class TrainedHyperModel(keras_tuner.HyperModel):
    """A hypermodel whose batch size, epochs and optimizer are hyperparameters too.

    Args:
        num_classes: Number of classes; None for regression.
        arguments: What each range is that is not given, and what it may be; with `TRAINING`.
        given: The ranges that are given; None for those that are not.
        preset: `"small"`, the ranges in which a search of a few trials finds something good, or
            `"wide"`. What is given comes first.
        train_size: Number of training samples; only of use where the data do not tell how many
            they are (generators): schedules are as long as the training otherwise.
        target_scale: Mean and standard deviation of a regression's targets: the model learns them
            on this scale and answers on their own. None where they are of the size of 1.
        name: Name of the hypermodel.
        tunable: Whether its hyperparameters are searched.

    Raises:
        ValueError: If a range or name is not allowed.
        TypeError: If there is no such argument.
    """

    # `fit` below is `model.fit`: the search may check data and objective before it trains.
    uses_model_fit = True
    # The defaults are good ones: a search may begin with them.
    tries_defaults = True

    epochs: WithDefault
    batch_size: WithDefault
    optimizer: WithDefault
    learning_rate: WithDefault
    momentum: WithDefault
    weight_decay: WithDefault
    schedule: WithDefault
    warm_up: WithDefault

    def __init__(
        self,
        num_classes: int | None,
        arguments: Arguments,
        given: Mapping[str, Range],
        *,
        preset: str,
        train_size: int,
        target_scale: tuple[float, float] | None,
        name: str | None,
        tunable: bool,
    ) -> None:
        super().__init__(name=name, tunable=tunable)
        if num_classes is not None:
            check_numbers("num_classes", num_classes, 2)
        check_numbers("train_size", train_size, 1)
        if not isinstance(preset, str) or preset not in PRESETS:
            raise ValueError(f"preset={preset!r} is not one of {', '.join(PRESETS)}.")
        check_scale(target_scale)
        if target_scale is not None and num_classes is not None:
            raise ValueError(
                f"target_scale={target_scale!r} is for regression, but num_classes={num_classes}: "
                "give one of the two."
            )
        for unknown in given.keys() - arguments.keys():
            raise TypeError(
                f"{type(self).__name__} has no argument {unknown!r}, only {', '.join(arguments)}."
            )
        for argument, allowed in arguments.items():
            setattr(self, argument, allowed.range_of(argument, given.get(argument), preset))
        self.num_classes = num_classes
        self.train_size = train_size
        self.target_scale = target_scale

    def compiled(
        self,
        hp: keras_tuner.HyperParameters,
        inputs: Any,
        x: Any,
        outputs: int = 1,
        linear: Any = None,
    ) -> keras.Model:
        """Ends a model with its output, optimizer, loss and metric.

        Args:
            hp: The hyperparameters of a build.
            inputs: The model's input.
            x: Tensor of shape `(batch, features)`.
            outputs: How many numbers a regression predicts.
            linear: As in `blocks.output`.

        Returns:
            The compiled model.
        """
        output = blocks.output(x, self.num_classes, self.target_scale, outputs, linear)
        model = keras.Model(inputs, output, name=self.name)
        optimizer = self.make_optimizer(hp)
        return blocks.compiled(model, optimizer, self.num_classes, self.target_scale)

    def make_optimizer(
        self, hp: keras_tuner.HyperParameters, factor: float = 1.0
    ) -> keras.optimizers.Optimizer:
        """Makes the optimizer of a training, whose schedule is as long as that.

        Args:
            hp: The hyperparameters of a build.
            factor: What the learning rate is multiplied by.

        Returns:
            The optimizer.
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
            factor=factor,
        )
        return blocks.optimizer(
            hp,
            kinds=self.optimizer,
            rate=rate,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
        )

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
