"""One training step and one validation step of one trial, as `model.fit` takes them.

The steps are functions: every variable's value comes in and goes out. A backend runs them for all
trials of a group at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
from keras import ops

from kt_hpo._private_apis.keras import learning_rate_of, reshaped
from kt_hpo.training.model_parts import CannotShareError
from kt_hpo.training.vectorized import hoisted_scalars, noise
from kt_hpo.training.vectorized.hoisted_scalars import HoistedScalars

Values = list[Any]
Gradient = Callable[[Callable[[Values], tuple[Any, Values]], Values], tuple[Values, Values]]
"""Gives what a function returns beside a loss, and the gradient of the loss by its weights."""


class Batch(NamedTuple):
    """Samples: those of a step, or all there are.

    Attributes:
        x: Inputs.
        y: Targets.
        weight: Weights of the samples; None for none.
        label: The number of each sample's class, where it is weighted by its class; else None.
    """

    x: Any
    y: Any
    weight: Any = None
    label: Any = None


class Scope(keras.StatelessScope):
    """Keras' scope without its check of shapes, which takes long for many variables.

    Args:
        variables: The variables to replace while the scope is entered.
        values: Their values.
    """

    def __init__(self, variables: Sequence[Any], values: Values) -> None:
        super().__init__(collect_losses=True)
        self.set(variables, values)

    def set(self, variables: Sequence[Any], values: Values) -> None:
        """Gives variables values."""
        for variable, value in zip(variables, values, strict=True):
            self.state_mapping[id(variable)] = value

    def get(self, variables: Sequence[Any]) -> Values:
        """Reads the values that variables have in the scope."""
        return [self.get_current_value(variable) for variable in variables]


class Learner:
    """A model that is called with the weights of any model of the same architecture.

    The model itself, its weights and its optimizer stay as they are.

    Args:
        model: A built and compiled model.
        optimizer: An optimizer like the model's, built on its variables, that only calculates.
        sample: A batch, of which the metrics learn their shapes.

    Attributes:
        model: The model.
        state: The variables a step changes and the next one needs.
        metrics: The variables that sum up an epoch.
        scalars: Where the scalars are that may differ between trials.
        generators: The seed generators, set anew at each step.
        any_size: Whether it can be called with weights of other sizes too.
    """

    def __init__(
        self, model: keras.Model, optimizer: keras.optimizers.Optimizer, sample: Batch
    ) -> None:
        self.model = model
        self._optimizer = optimizer
        self._build_metrics(sample)
        self.generators = noise.generators(model)
        self.state = [*weights(model), *optimizer_state(optimizer)]
        self.metrics = list(model.metrics_variables)
        self.scalars = hoisted_scalars.places(model, optimizer)
        self.any_size = bool(hoisted_scalars.units(model))

    def _build_metrics(self, sample: Batch) -> None:
        predicted = self.model(sample.x)
        weight = sample.weight if sample.label is None else ops.ones(len(sample.label))
        self.model.compute_loss(sample.x, sample.y, predicted, weight)
        self.model.compute_metrics(sample.x, sample.y, predicted, weight)
        self.model.reset_metrics()

    def fresh_metrics(self) -> Values:
        """The values of the metrics' variables before an epoch."""
        return [ops.convert_to_tensor(variable.value) for variable in self.metrics]

    def train(
        self,
        carried: tuple[Values, Values],
        batch: Batch,
        rate: Any,
        seeds: Values,
        draw: noise.Draw,
        scalars: Values,
        gradient: Gradient,
    ) -> tuple[Values, Values]:
        """Takes a step.

        Args:
            carried: Values of `state` and of `metrics`.
            batch: What to learn from.
            rate: The learning rate of this step.
            seeds: A state of each of `generators`.
            draw: Where dropout gets its numbers.
            scalars: The trial's own, in the order of `scalars`; then, where samples are weighted by
                their classes, the weights of the classes.
            gradient: How the backend differentiates.

        Returns:
            The new values of `state` and of `metrics`.

        Raises:
            CannotShareError: If something changes that is in neither.
        """
        model, optimizer = self.model, self._optimizer
        own = self._named(scalars)
        weighted = self._weighted(batch, scalars)
        with (
            Scope([*self.state, *self.metrics], [*carried[0], *carried[1]]) as scope,
            hoisted_scalars.replaced(self.scalars, own),
            noise.drawn(model, draw),
        ):
            scope.set([generator.state for generator in self.generators], seeds)
            scope.set([optimizer.learning_rate], [rate])

            trainable = model.trainable_variables
            others = [*model.non_trainable_variables, *self.metrics]

            def loss(weights: Values) -> tuple[Any, Values]:
                scope.set(trainable, weights)
                loss = self._forward(weighted, training=True)
                _check_unchanged(trainable, weights, scope, "trains")
                return loss, scope.get(others)

            before = scope.get(trainable)
            after, gradients = gradient(loss, before)
            scope.set([*trainable, *others], [*before, *after])
            optimizer.apply(gradients, trainable)
            self._check_nothing_else_changed(scope)
        return scope.get(self.state), scope.get(self.metrics)

    def test(
        self,
        state: Values,
        metrics: Values,
        batch: Batch,
        scalars: Values,
    ) -> Values:
        """Measures a batch.

        Args:
            state: Values of `state`.
            metrics: Values of `metrics`.
            batch: What to measure.
            scalars: The trial's own, as in `train`; of them penalties are part of a loss.

        Returns:
            The new values of `metrics`.

        Raises:
            CannotShareError: If something else changes: an epoch begins where training ended.
        """
        own = self._named(scalars)
        with (
            Scope([*self.state, *self.metrics], [*state, *metrics]) as scope,
            hoisted_scalars.replaced(self.scalars, own),
        ):
            self._forward(batch, training=False)
            _check_unchanged(self.state, state, scope, "validates")
        return scope.get(self.metrics)

    def results(self, metrics: Values) -> dict[str, Any]:
        """Reads the metrics of an epoch out of their variables' values."""
        with Scope(self.metrics, metrics):
            return self.model.get_metrics_result()

    def _check_nothing_else_changed(self, scope: Scope) -> None:
        """Some objects keep variables they tell nobody of, such as Nadam its product."""
        seeds = [generator.state for generator in self.generators]
        known = [*self.state, *self.metrics, *seeds, self._optimizer.learning_rate]
        if scope.state_mapping.keys() - {id(variable) for variable in known}:
            kind = type(self._optimizer).__name__
            raise CannotShareError(f"the model or {kind} keeps a variable to itself")

    def _of_known_size(self, predicted: Any) -> Any:
        """Losses and metrics ask for the size of an output, which all models share."""
        sizes = [output.shape[1:] for output in self.model.outputs]
        outputs = zip(keras.tree.flatten(predicted), sizes, strict=True)
        known = [reshaped(output, (-1, *size)) for output, size in outputs]
        return keras.tree.pack_sequence_as(predicted, known)

    def _named(self, scalars: Values) -> dict[hoisted_scalars.Name, HoistedScalars]:
        numbers = scalars[: len(self.scalars)]
        return {
            name: HoistedScalars(value) for name, value in zip(self.scalars, numbers, strict=True)
        }

    def _weighted(self, batch: Batch, scalars: Values) -> Batch:
        """A batch with the weights that a trial gives the classes of its samples."""
        if batch.label is None:
            return batch
        return batch._replace(weight=ops.take(scalars[len(self.scalars)], batch.label, axis=0))

    def _forward(self, batch: Batch, training: bool) -> Any:
        """The loss; the metrics take it in. After `train_step` of Keras' trainers."""
        model = self.model
        predicted = model(batch.x, training=training)
        if self.any_size:
            predicted = self._of_known_size(predicted)
        loss = model.compute_loss(
            x=batch.x, y=batch.y, y_pred=predicted, sample_weight=batch.weight, training=training
        )
        samples = ops.shape(keras.tree.flatten(batch.x)[0])[0]
        # The first one of a compiled model's.
        model.metrics[0].update_state(loss, sample_weight=samples)
        model.compute_metrics(batch.x, batch.y, predicted, batch.weight)
        return loss


def _check_unchanged(variables: Sequence[Any], values: Values, scope: Scope, when: str) -> None:
    """Some layers write where only an optimizer does, or only a training, as a stateful RNN."""
    for variable, one, other in zip(variables, values, scope.get(variables), strict=True):
        if one is not other:
            raise CannotShareError(f"a layer changes {variable.path} while its model {when}")


def weights(model: keras.Model) -> list[Any]:
    """Lists the variables of a model, those of random layers' seeds left out."""
    seeds = {id(generator.state) for generator in noise.generators(model)}
    others = [one for one in model.non_trainable_variables if id(one) not in seeds]
    return [*model.trainable_variables, *others]


def optimizer_state(optimizer: keras.optimizers.Optimizer) -> list[Any]:
    """Lists the variables of an optimizer, its learning rate left out."""
    rate = learning_rate_of(optimizer)
    return [variable for variable in optimizer.variables if variable is not rate]
