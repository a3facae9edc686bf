"""The learning rates worth searching, from one short training.

The range test of Smith 2017, "Cyclical Learning Rates for Training Neural Networks": the learning
rate grows from step to step, and the loss shows where it begins to learn and where it diverges.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import keras_tuner
import numpy as np
from matplotlib.axes import Axes

from kt_hpo import plots
from kt_hpo._private_apis.keras import learning_rate_of
from kt_hpo.arguments import check_whole
from kt_hpo.space.hyperparameters import HyperParameters
from kt_hpo.training.hyperparameters import as_hypermodel

_DIVERGED = 4.0
_BEGUN = 0.1
_A_FALL = 0.01


@dataclass(frozen=True)
class LearningRates:
    """What a range test has found.

    Attributes:
        rates: The learning rate of each step.
        losses: The loss of each step.
        smoothed: Their exponential moving average.
        low: Where the loss has begun to fall: by a tenth of all that it falls.
        steepest: Where it falls the fastest.
        high: Where it is lowest; above this it grows, or diverges.
    """

    rates: list[float]
    losses: list[float]
    smoothed: list[float]
    low: float
    steepest: float
    high: float

    @property
    def range(self) -> tuple[float, float]:
        """The range to search: `Training(build, learning_rate=found.range)`."""
        return self.low, self.high

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draws the losses; see `kt_hpo.plots.plot_learning_rate`.

        Args:
            ax: What to draw in; None for a figure of its own.

        Returns:
            What was drawn in.
        """
        return plots.plot_learning_rate(self, ax)


def find_learning_rate(
    hypermodel: keras.Model | keras_tuner.HyperModel | Callable[..., keras.Model],
    *fit_args: Any,
    low: float = 1e-6,
    high: float = 10.0,
    steps: int = 200,
    smoothing: float = 0.9,
    hyperparameters: keras_tuner.HyperParameters | None = None,
    seed: int = 0,
    **fit_kwargs: Any,
) -> LearningRates:
    """Finds the range of learning rates to search.

    Args:
        hypermodel: A hypermodel or a function `build(hp)`; or a compiled model, whose weights are
            what they were afterwards.
        *fit_args: The data, as in `model.fit`.
        low: The learning rate of the first step.
        high: That of the last; it grows by the same factor at each step.
        steps: How many steps. The test ends early once the loss is four times its lowest.
        smoothing: Weight of the past in the moving average of the losses, from 0 to below 1.
        hyperparameters: Values to build the model with; defaults if not given.
        seed: Seed of weights and shuffling.
        **fit_kwargs: As in `model.fit`; what it validates with is not used.

    Returns:
        The learning rates and their losses, with the range to search.

    Raises:
        ValueError: If an argument is not allowed, the model follows a schedule, or its loss falls
            at no learning rate between `low` and `high`.

    Example:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> x = np.random.default_rng(0).normal(size=(256, 2))
        >>> found = find_learning_rate(model, x, x.sum(axis=1), steps=100)
        >>> found.low < found.steepest < found.high
        True
    """
    check_whole(10, steps=steps)
    if not 0 < low < high:
        raise ValueError(f"low={low!r} and high={high!r} are not allowed; give 0 < low < high.")
    if not 0 <= smoothing < 1:
        raise ValueError(f"smoothing={smoothing!r} is not allowed; give 0 or more, below 1.")
    keras.utils.set_random_seed(seed)
    if isinstance(hypermodel, keras.Model):
        model = hypermodel
    else:
        model = as_hypermodel(hypermodel).build(hyperparameters or HyperParameters())
    test = _RangeTest(np.geomspace(low, high, steps).tolist(), smoothing)
    _run(model, test, fit_args, fit_kwargs)
    return _read(test)


class _RangeTest(keras.callbacks.Callback):
    """Sets the learning rate of each step and keeps its loss."""

    def __init__(self, rates: list[float], smoothing: float) -> None:
        super().__init__()
        self.rates = rates
        self.losses: list[float] = []
        self.smoothed: list[float] = []
        self._smoothing = smoothing
        self._average = 0.0

    def on_train_batch_begin(self, batch: int, logs: dict[str, float] | None = None) -> None:
        # Keras reports the mean since metrics were reset.
        self.model.reset_metrics()
        self.model.optimizer.learning_rate = self.rates[len(self.losses)]

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        loss = float((logs or {})["loss"])
        if math.isfinite(loss):
            self.losses.append(loss)
            self._average = self._smoothing * self._average + (1 - self._smoothing) * loss
            # Without the correction the average would begin at 0; as in Adam (Kingma & Ba 2015).
            self.smoothed.append(self._average / (1 - self._smoothing ** len(self.losses)))
        diverged = not math.isfinite(loss) or self.smoothed[-1] > _DIVERGED * min(self.smoothed)
        if diverged or len(self.losses) == len(self.rates):
            self.model.stop_training = True


def _run(
    model: keras.Model, test: _RangeTest, fit_args: tuple[Any, ...], fit_kwargs: dict[str, Any]
) -> None:
    """Trains for as long as the test wants; weights, optimizer and its rate are restored."""
    if callable(learning_rate_of(model.optimizer)):
        raise ValueError(
            "The model's learning rate follows a schedule, so that it cannot be tested. Compile it "
            "with a number, or give hyperparameters= with which it has one."
        )
    ignored = ("validation_data", "validation_split", "epochs", "verbose", "callbacks")
    kwargs = {name: value for name, value in fit_kwargs.items() if name not in ignored}
    optimizer = model.optimizer
    weights = model.get_weights() if model.built else None
    state = [keras.ops.convert_to_numpy(variable) for variable in optimizer.variables]
    model.fit(*fit_args, **kwargs, epochs=len(test.rates), callbacks=[test], verbose=0)
    if weights is not None:
        model.set_weights(weights)
    for place, variable in enumerate(optimizer.variables):
        # One that is not here before the test begins at zero.
        variable.assign(state[place] if place < len(state) else np.zeros(variable.shape))


def _read(test: _RangeTest) -> LearningRates:
    count = len(test.losses)
    if count < 2:
        raise ValueError(
            f"The loss is not finite from the first steps on, at a learning rate of "
            f"{test.rates[0]:g}. Are the data scaled, and is low= small enough?"
        )
    rates, smoothed = np.array(test.rates[:count]), np.array(test.smoothed)
    lowest = int(smoothed.argmin())
    # The first steps differ by their samples alone.
    start = float(np.median(smoothed[: lowest // 4 + 1]))
    fall = start - smoothed[lowest]
    if lowest < 2 or fall < _A_FALL * abs(start):
        raise ValueError(
            f"The loss falls at no learning rate from {rates[0]:g} to {rates[-1]:g}. Widen the "
            "range (low=, high=), or take more steps=."
        )
    begun = int(np.flatnonzero(smoothed[:lowest] > start - _BEGUN * fall).max(initial=0))
    slopes = np.gradient(smoothed, np.log(rates))
    steepest = begun + int(slopes[begun:lowest].argmin())
    return LearningRates(
        rates=rates.tolist(),
        losses=list(test.losses),
        smoothed=smoothed.tolist(),
        low=float(rates[begun]),
        steepest=float(rates[steepest]),
        high=float(rates[lowest]),
    )
