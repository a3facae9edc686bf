"""A hypermodel as one of Ray Tune's trainables: an epoch a step."""

from __future__ import annotations

from typing import Any

from keras_tuner import HyperModel
from ray import tune

from kt_hpo.arguments import check_whole
from kt_hpo.execution.processes import settings
from kt_hpo.integrations.ray_tune.actor import HyperModelTrainable, TrainableTask
from kt_hpo.integrations.sklearn.configurations import HyperModelLike, as_hypermodel, find_space


def trainable(
    hypermodel: HyperModelLike,
    x: Any,
    y: Any = None,
    *,
    epochs: int = 1,
    seed: int = 0,
    **fit_kwargs: Any,
) -> type[HyperModelTrainable]:
    """Makes a class that Ray Tune trains a hypermodel with, one epoch a step.

    It reports all metrics of each epoch to Ray, and how many weights the model has as `parameters`.
    Its checkpoints hold the optimizer's state, so that a trial goes on as if nothing had happened
    after a pause, on another machine, or from another trial; then its own learning rate is kept.
    The arrays are put into Ray's object store once. With `TuneConfig(reuse_actors=True)` an actor
    imports TensorFlow once, not once a trial.

    Initial weights and shuffling follow from the seed, the values and the epoch, whichever actor
    trains. Callbacks are copied for each trial; after a pause they begin anew.

    Args:
        hypermodel: A `keras_tuner.HyperModel` or a build function. A `fit` of its own is called
            once an epoch, with `initial_epoch` and `epochs`.
        x: Training data, or a function that makes them in the actor: for what cannot travel, such
            as a `tf.data` pipeline.
        y: Their targets; likewise.
        epochs: How many epochs a trial has at most. A scheduler's `max_t` should be the same.
        seed: Seed of weights and shuffling.
        **fit_kwargs: Passed on to `HyperModel.fit`, hence to `model.fit`: `validation_data` (or a
            function that makes them), `batch_size`, `callbacks`, ...

    Returns:
        The class, for `tune.Tuner(...)`, also within `tune.with_resources(...)`.

    Raises:
        ValueError: If an argument is not allowed, or no values at all give a model.

    Example:
        >>> def build(hp):
        ...     units = hp.Int("units", 1, 4)
        ...     model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(units)])
        ...     model.compile("sgd", "mse")
        ...     return model
        >>> made = trainable(build, [[0.0, 1.0]], [[1.0]], epochs=3, batch_size=1)
        >>> issubclass(made, tune.Trainable)
        True
    """
    check_whole(epochs=epochs)
    check_whole(lowest=0, seed=seed)
    _check_data({"x": x, "y": y, "validation_data": fit_kwargs.get("validation_data")})
    if "initial_epoch" in fit_kwargs:
        raise ValueError(
            "initial_epoch= is not allowed here: Ray Tune asks for one epoch at a time."
        )
    made_hypermodel: HyperModel = as_hypermodel(hypermodel)
    known = find_space(made_hypermodel)
    args = (x,) if y is None else (x, y)
    fit_kwargs.setdefault("verbose", 0)
    task = TrainableTask(made_hypermodel, known, args, fit_kwargs, epochs, seed, settings.current())
    made = tune.with_parameters(HyperModelTrainable, task=task)
    made.known, made.epochs = known, epochs
    return made


def _check_data(data: dict[str, Any]) -> None:
    """Refuses what does not travel, before Ray says so in its own words."""
    for name, one in data.items():
        if type(one).__module__.startswith("tensorflow.python.data"):
            raise ValueError(
                f"{name}= is a tf.data pipeline, which cannot travel to Ray's actors. Give a "
                f"function that makes it there: {name}=make_dataset."
            )
