"""Models that stand on another one, which has learned something already."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from os import PathLike
from pathlib import Path
from typing import Any, Unpack

import keras
import keras_tuner

from hypermodels import blocks
from hypermodels.ranges import (
    Names,
    Numbers,
    Range,
    WithDefault,
    check_image,
    check_numbers,
    pick,
)
from hypermodels.schedules import schedule_of
from hypermodels.trained import TRAINING, Arguments, TrainedHyperModel, TrainingRanges

# Figures with a sign are what another value gains over the default after 6 epochs, in the mean of
# mnist5k, digits and letters (`python -m benchmarks.ranges`), on three convolutions that have
# learned letters; for letters, mnist5k; at a learning rate of 2e-3. Large bases are not measured.
ARGUMENTS: Arguments = {
    **TRAINING,
    # 3e-4: -0.326. 5e-3: +0.061, ahead on each of the three.
    "learning_rate": Numbers((1e-3, 1e-2), (3e-4, 3e-2), 5e-3, low=1e-12),
    # 1: +0.033. 4: -0.032.
    "frozen_epochs": Numbers((1, 4), (0, 10), 3),
    # 0: -0.090. More than the base has are all.
    "unfrozen_layers": Numbers((0, 20), (0, 100), 10),
    # 0.02: -0.055. 0.3: +0.045.
    "fine_tuning": Numbers((0.02, 0.3), (0.005, 1.0), 0.1, low=1e-12),
    # 1: 0.000, ahead on digits, behind on letters.
    "dense_layers": Numbers((0, 1), (0, 2), 0),
    "units": Numbers((64, 256), (32, 512), 128, low=1),
    "activation": Names("relu", ["relu", "gelu"], "relu", blocks.ACTIVATIONS),
    # 0: +0.003. 0.5: -0.035.
    "dropout": Numbers((0.0, 0.5), (0.0, 0.7), 0.2, high=0.99),
    # 0.05: -0.040.
    "augmentation": Numbers([0.0, 0.05], [0.0, 0.05, 0.1], 0.0, high=1),
}
# The smallest side that the networks of keras.applications take.
_SMALLEST = 32


class TransferHyperModel(TrainedHyperModel):
    """A base that was trained elsewhere, and a head that learns from what it sees in images.

    At first the base is frozen, and the head alone is trained. Then the last layers of the base
    are trained, too, at a lower rate; its batch normalizations keep their statistics throughout.

    Every range is `(low, high)`, a list of choices, or one value, which is not searched then.

    Args:
        input_shape: Height, width and channels of an image; without channels it has one. A base
            for three channels gets the one three times.
        num_classes: Number of classes; None for regression.
        base: A constructor of `keras.applications`, also with arguments of its own by
            `functools.partial`, or a model from images to features, which stays as it is. Where a
            model ends in maps of features, their mean is taken.
        weights: What a constructor begins with: `"imagenet"`, which needs a network once, the path
            of a file of weights, or None for random ones. A model has its own.
        image_size: Height and width to resize images to, or one number for both; None for their
            own size, or 32, below which no base of `keras.applications` goes.
        pixels: What black and white are in the images that the model will get.
        preprocessing: Called with images from 0 to 255, gives what the base takes; by default the
            `preprocess_input` of a constructor's module. A model gets images as they are.
        preset: `"small"`, the ranges in which a search of a few trials finds something good, or
            `"wide"`. What is given comes first.
        frozen_epochs: Epochs in which the base is frozen.
        unfrozen_layers: How many of the last layers with weights are trained after that; batch
            normalizations do not count.
        fine_tuning: What the learning rate is multiplied by then, searched on a log scale.
        dense_layers: Number of dense layers before the output.
        units: Units of a dense layer, each its own, searched on a log scale.
        activation: Names out of `hypermodels.blocks.ACTIVATIONS`.
        dropout: Dropout before the output, and after a dense layer.
        augmentation: Strength of random shifts, turns and zooms as a part of the image's size;
            0 for none.
        train_size: Number of training samples; only of use where the data do not tell how many
            they are (generators): schedules are as long as the training otherwise.
        epochs: Epochs of a training, the frozen ones included; what `search` is told comes first.
        target_scale: Mean and standard deviation of a regression's targets, which the model then
            answers in, and learns on a scale of its own.
        name: Name of the hypermodel and its models.
        tunable: Whether its hyperparameters are searched.
        **training: Ranges of batch size, optimizer and learning rate, as in
            `hypermodels.trained.TrainingRanges`.

    Raises:
        ValueError: If a range or name is not allowed, samples of this shape are no images, or the
            base, or its weights, cannot be had.
        TypeError: If there is no such argument.

    Example:
        >>> def edges(include_top, weights, input_shape):
        ...     inputs = keras.Input(input_shape)
        ...     return keras.Model(inputs, keras.layers.Conv2D(4, 3)(inputs))
        >>> hypermodel = TransferHyperModel((28, 28), 10, base=edges, weights=None)
        >>> hypermodel.build(keras_tuner.HyperParameters()).output_shape
        (None, 10)
    """

    # Two trainings one after the other are not what `model.fit` does.
    uses_model_fit = False

    frozen_epochs: WithDefault
    unfrozen_layers: WithDefault
    fine_tuning: WithDefault
    dense_layers: WithDefault
    units: WithDefault
    activation: WithDefault
    dropout: WithDefault
    augmentation: WithDefault

    def __init__(
        self,
        input_shape: tuple[int, ...],
        num_classes: int | None = None,
        *,
        base: Callable[..., keras.Model] | keras.Model = keras.applications.MobileNetV2,
        weights: str | Path | None = "imagenet",
        image_size: int | tuple[int, int] | None = None,
        pixels: tuple[float, float] = (0.0, 1.0),
        preprocessing: Callable[[Any], Any] | None = None,
        preset: str = "small",
        frozen_epochs: Range = None,
        unfrozen_layers: Range = None,
        fine_tuning: Range = None,
        dense_layers: Range = None,
        units: Range = None,
        activation: Range = None,
        dropout: Range = None,
        augmentation: Range = None,
        train_size: int = 10_000,
        epochs: Range = None,
        target_scale: tuple[float, float] | None = None,
        name: str | None = "transfer",
        tunable: bool = True,
        **training: Unpack[TrainingRanges],
    ) -> None:
        given = {
            "frozen_epochs": frozen_epochs,
            "unfrozen_layers": unfrozen_layers,
            "fine_tuning": fine_tuning,
            "dense_layers": dense_layers,
            "units": units,
            "activation": activation,
            "dropout": dropout,
            "augmentation": augmentation,
            "epochs": epochs,
            **training,
        }
        super().__init__(
            num_classes,
            ARGUMENTS,
            given,
            preset=preset,
            train_size=train_size,
            target_scale=target_scale,
            name=name,
            tunable=tunable,
        )
        check_image(input_shape)
        check_numbers("pixels", pixels, -math.inf)
        if not isinstance(pixels, tuple) or pixels[0] == pixels[1]:
            raise ValueError(f"pixels={pixels!r} is not allowed: give (black, white).")
        self.input_shape = tuple(input_shape)
        self.base = base
        self.pixels = pixels
        self.preprocessing = preprocessing
        self.image_size = self._size(image_size)
        self._channels = self._channels_of_base()
        self._weights = self._pretrained(weights).get_weights()

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        """Builds a compiled model, its base frozen unless the trial goes on after that.

        Args:
            hp: Its hyperparameters.

        Returns:
            A model from `(batch, *input_shape)` to classes or values.
        """
        inputs = keras.Input(self.input_shape)
        x = blocks.with_channels(inputs)
        x = blocks.augmented(x, pick(hp, "augmentation", self.augmentation))
        base = self._new_base(None)
        base.set_weights(self._weights)
        base.trainable = False
        # Batch normalization uses its moving statistics, also once the base is trained again.
        x = base(self._prepared(x), training=False)
        if len(x.shape) == 4:
            x = keras.layers.GlobalAveragePooling2D(name="features")(x)
        x = keras.layers.Dropout(pick(hp, "dropout", self.dropout), name="dropout")(x)
        x = blocks.dense_stack(
            hp,
            x,
            layers=self.dense_layers,
            units=self.units,
            activation=pick(hp, "activation", self.activation),
            dropout=self.dropout,
        )
        frozen = pick(hp, "frozen_epochs", self.frozen_epochs)
        pick(hp, "unfrozen_layers", self.unfrozen_layers)
        pick(hp, "fine_tuning", self.fine_tuning, sampling="log")
        model = self.compiled(hp, inputs, x)
        if hp.values.get("tuner/initial_epoch", 0) >= frozen:
            self._unfreeze(hp, model)
        return model

    def fit(
        self, hp: keras_tuner.HyperParameters, model: keras.Model, *args: Any, **kwargs: Any
    ) -> keras.callbacks.History:
        """Trains the head, then the last layers of the base, too.

        Args:
            hp: The hyperparameters the model was built with.
            model: The model.
            *args: Positional arguments of `model.fit`.
            **kwargs: Its keyword arguments; `epochs` and `batch_size` go before the
                hyperparameters. What stops the first of the two trainings stops both.

        Returns:
            The history of both.
        """
        epochs, first = kwargs.pop("epochs", hp.get("epochs")), kwargs.pop("initial_epoch", 0)
        frozen = min(hp.get("frozen_epochs"), epochs)
        before = None
        if first < frozen:
            before = self._fit_part(hp, model, epochs, range(first, frozen), args, kwargs)
            if frozen == epochs or model.stop_training:
                return before
            self._unfreeze(hp, model)
        after = self._fit_part(hp, model, epochs, range(max(first, frozen), epochs), args, kwargs)
        if before is not None:
            after.epoch = before.epoch + after.epoch
            for name, values in before.history.items():
                after.history[name] = values + after.history.get(name, [])
        return after

    def _fit_part(
        self,
        hp: keras_tuner.HyperParameters,
        model: keras.Model,
        epochs: int,
        part: range,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> keras.callbacks.History:
        """Trains some of the epochs; a schedule is spread over all of them."""
        schedule = schedule_of(model)
        if schedule is not None:
            schedule.fix(epochs)
        return super().fit(hp, model, *args, initial_epoch=part.start, epochs=part.stop, **kwargs)

    def _unfreeze(self, hp: keras_tuner.HyperParameters, model: keras.Model) -> None:
        """Lets the last layers of the base be trained, at the rate of the fine-tuning."""
        base = [layer for layer in model.layers if isinstance(layer, keras.Model)][-1]
        base.trainable = True
        layers = [layer for layer in _layers_of(base) if layer.weights]
        learning = [one for one in layers if not isinstance(one, keras.layers.BatchNormalization)]
        count = min(hp.get("unfrozen_layers"), len(learning))
        kept = {id(one) for one in learning[len(learning) - count :]}
        for layer in layers:
            layer.trainable = id(layer) in kept
        # With the loss and the metrics that the search may have replaced.
        config = model.get_compile_config()
        optimizer = self.make_optimizer(hp, hp.get("fine_tuning"))
        config["optimizer"] = keras.saving.serialize_keras_object(optimizer)
        model.compile_from_config(config)

    def _size(self, image_size: Any) -> tuple[int, int]:
        """Height and width of the images that the base gets."""
        sides = image_size if isinstance(image_size, tuple | list) else (image_size,) * 2
        if image_size is not None:
            check_image(sides)
        if isinstance(self.base, keras.Model):
            wanted = getattr(self.base, "input_shape", None)
            if not isinstance(wanted, tuple) or len(wanted) != 4:
                raise ValueError(
                    f"base={self.base.name!r} takes {wanted}; give a model with one input, of "
                    "images: (batch, height, width, channels)."
                )
            given = self.input_shape if image_size is None else sides
            height, width = (one or other for one, other in zip(wanted[1:3], given, strict=False))
            return height, width
        if not callable(self.base):
            raise ValueError(
                f"base={self.base!r} is not allowed: give a constructor such as "
                "keras.applications.MobileNetV2, or a keras.Model."
            )
        if image_size is None:
            sides = [max(side, _SMALLEST) for side in self.input_shape]
        return sides[0], sides[1]

    def _channels_of_base(self) -> int:
        """How many channels the base takes."""
        own = (*self.input_shape, 1)[2]
        if isinstance(self.base, keras.Model):
            wanted = self.base.input_shape[-1]
            if own not in (1, wanted):
                raise ValueError(
                    f"base={self.base.name!r} takes {wanted} channels, and images of shape "
                    f"{self.input_shape} have {own}. Give another base."
                )
            return wanted
        return 3 if own == 1 else own

    def _pretrained(self, weights: Any) -> keras.Model:
        """The base with its weights, or an error that says what is missing."""
        is_file = not (weights is None or (isinstance(weights, str) and weights == "imagenet"))
        if isinstance(self.base, keras.Model):
            if is_file:
                raise ValueError(
                    f"weights={weights!r}, but the base is a model, which has its own: load them, "
                    "base.load_weights(path), and leave weights= out."
                )
            return self.base
        if is_file and not (isinstance(weights, str | PathLike) and Path(weights).is_file()):
            raise ValueError(
                f"weights={str(weights)!r} is no file. Give the path of a file of weights, "
                '"imagenet", or None for random ones.'
            )
        try:
            return self._new_base(weights if weights is None else str(weights))
        except Exception as error:
            name = getattr(_constructor(self.base), "__name__", repr(self.base))
            shape = (*self.image_size, self._channels)
            raise ValueError(
                f"base={name} with weights={weights!r} for images of {shape} cannot be made: "
                f"{error}. Without a network give the path of a file of weights, or weights=None "
                "for random ones; image_size= makes images larger."
            ) from error

    def _new_base(self, weights: str | None) -> keras.Model:
        """A base of a trial's own."""
        if isinstance(self.base, keras.Model):
            return keras.models.clone_model(self.base)
        shape = (*self.image_size, self._channels)
        return self.base(include_top=False, weights=weights, input_shape=shape)

    def _prepared(self, x: Any) -> Any:
        """Images as the base takes them."""
        if x.shape[-1] != self._channels:
            x = keras.layers.Concatenate(name="channels")([x] * self._channels)
        if tuple(x.shape[1:3]) != self.image_size:
            x = keras.layers.Resizing(*self.image_size, name="resized")(x)
        preprocessing = self.preprocessing or _preprocessing_of(self.base)
        if preprocessing is None:
            return x
        low, high = self.pixels
        scale = 255.0 / (high - low)
        x = keras.layers.Rescaling(scale, -low * scale, name="pixels")(x)
        return preprocessing(x)


def _constructor(base: Any) -> Any:
    return _constructor(base.func) if isinstance(base, functools.partial) else base


def _preprocessing_of(base: Any) -> Callable[[Any], Any] | None:
    """The `preprocess_input` that belongs to a constructor of `keras.applications`."""
    constructor = _constructor(base)
    module = getattr(constructor, "__module__", "").rpartition(".")[2]
    home: Any = getattr(keras.applications, module, None)
    is_keras = getattr(home, getattr(constructor, "__name__", ""), None) is constructor
    return home.preprocess_input if is_keras else None


def _layers_of(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """The layers of a model, those of models within it in their places."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _layers_of(layer)
        else:
            yield layer
