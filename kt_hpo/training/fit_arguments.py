"""The arguments of `search`, held against what `model.fit` takes, before any training."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

from kt_hpo.arguments import check_whole, check_whole_or_none, did_you_mean, is_number, is_whole
from kt_hpo.training.context import SearchContext

_OF_FIT = [name for name in inspect.signature(keras.Model.fit).parameters if name != "self"]
# Says what a fold must not part; cross-validation takes it out.
_OWN = ("groups",)


def check(search: SearchContext, fit_args: tuple[Any, ...], fit_kwargs: Mapping[str, Any]) -> None:
    """Refuses arguments of `search` that its trials could not be run with.

    Args:
        search: The search.
        fit_args: Positional arguments of `search`.
        fit_kwargs: Its keyword arguments.

    Raises:
        ValueError: If one is unknown, or its value is not allowed.
    """
    if search.runs_its_own_way:
        _check_takes(search.run_trial, "run_trial", fit_args, fit_kwargs, before=1)
        return
    if search.fits_its_own_way:
        _check_takes(search.hypermodel.fit, "HyperModel.fit", fit_args, fit_kwargs, before=2)
        return
    if len(fit_args) > len(_OF_FIT):
        raise ValueError(
            f"search() got {len(fit_args)} arguments without a name, and model.fit takes "
            f"{len(_OF_FIT)}. Give all but x and y by name, such as epochs=3."
        )
    given = dict(zip(_OF_FIT, fit_args, strict=False))
    for name in fit_kwargs:
        if name in given:
            raise ValueError(f"search() got {name} twice, by its place and by its name: give one.")
        if name not in (*_OF_FIT, *_OWN):
            hint = did_you_mean(name, [*_OF_FIT, *_OWN])
            raise ValueError(
                f"{name}= is no argument of search(), which takes those of model.fit: "
                f"{', '.join(_OF_FIT)}.{hint} What is a tuner's own belongs to its constructor."
            )
    check_values({**given, **fit_kwargs})


def check_values(given: Mapping[str, Any]) -> None:
    """Refuses values that `model.fit` cannot train with.

    Args:
        given: Arguments of `model.fit` by name.

    Raises:
        ValueError: If one is not allowed.

    Example:
        >>> check_values({"x": np.zeros((4, 2)), "y": np.zeros(4), "epochs": 3})
    """
    if given.get("x") is None:
        raise ValueError(
            "search() got no x: there is nothing to train with. Give arrays, search(x, y, ...), a "
            "tf.data.Dataset, a keras.utils.PyDataset, or a function that makes one of these."
        )
    for name in ("x", "y"):
        for leaf in keras.tree.flatten(given.get(name)):
            if hasattr(leaf, "__array__") and np.ndim(leaf) == 0:
                raise ValueError(f"{name}={leaf!r} has no samples; give arrays, a row for each.")
    _check_labels("y", given.get("y"))
    _check_validation(given.get("validation_data"), given.get("validation_split"))
    for name in ("epochs", "initial_epoch"):
        if name in given:
            check_whole(1 if name == "epochs" else 0, **{name: given[name]})
    if given.get("initial_epoch", 0) >= given.get("epochs", np.inf):
        raise ValueError(
            f"initial_epoch={given['initial_epoch']} is not below epochs={given['epochs']}, so "
            "that there would be nothing to train. epochs= is the last epoch, not how many."
        )
    for name in ("batch_size", "steps_per_epoch", "validation_steps", "validation_batch_size"):
        check_whole_or_none("to leave it to Keras", 1, **{name: given.get(name)})
    shuffle = given.get("shuffle", True)
    if not isinstance(shuffle, bool | np.bool_ | int) and str(shuffle) != "batch":
        raise ValueError(f"shuffle={shuffle!r} is not allowed; give True, False or 'batch'.")
    _check_class_weight(given.get("class_weight"))
    _check_callbacks(given.get("callbacks"))


def _check_takes(
    function: Callable[..., Any],
    name: str,
    fit_args: tuple[Any, ...],
    fit_kwargs: Mapping[str, Any],
    before: int,
) -> None:
    """Refuses arguments that a user's own function has no parameter for."""
    try:
        signature = inspect.signature(function)
        signature.bind_partial(*range(before), *fit_args, **fit_kwargs)
    except TypeError as error:
        known = list(signature.parameters)
        hints = [did_you_mean(one, known) for one in fit_kwargs if one not in known]
        raise ValueError(
            f"search() cannot be called like this: {name}{signature} says {error}.{''.join(hints)}"
        ) from None
    except ValueError:
        return  # A function without a signature, of C.


def _check_labels(name: str, labels: Any) -> None:
    for leaf in keras.tree.flatten(labels):
        if isinstance(leaf, str | bytes):
            text: Any = leaf
        elif hasattr(leaf, "__array__") and _kind(leaf) in "USOT":
            flat = np.asarray(leaf).reshape(-1)
            text = next((one for one in flat[:1000] if isinstance(one, str | bytes)), None)
        else:
            continue
        if text is not None:
            raise ValueError(
                f"{name} holds texts, such as {str(text)!r}, and models are trained on numbers. "
                "Number the classes: names, y = numpy.unique(y, return_inverse=True)."
            )


def _kind(leaf: Any) -> str:
    """The kind of an array's numbers, as NumPy names it."""
    dtype = getattr(leaf, "dtype", None)
    kind = getattr(dtype, "kind", None)
    return str(kind) if kind else np.asarray(leaf).dtype.kind


def _check_validation(data: Any, split: Any) -> None:
    if split is not None and not (is_number(split) and 0 <= split < 1):
        raise ValueError(
            f"validation_split={split!r} is not allowed; give the part of the samples to validate "
            "with, from 0 to below 1, such as 0.2."
        )
    if isinstance(data, tuple | list):
        if len(data) not in (2, 3):
            raise ValueError(
                f"validation_data has {len(data)} parts; give (x_val, y_val), or (x_val, y_val, "
                "sample_weight)."
            )
        _check_labels("the validation y", data[1])
    elif data is not None and (hasattr(data, "__array__") or isinstance(data, str | int | float)):
        raise ValueError(
            f"validation_data is a {type(data).__name__}; give a pair (x_val, y_val), a "
            "tf.data.Dataset, or a function that makes one of these."
        )


def _check_class_weight(weights: Any) -> None:
    if weights is None:
        return
    if not isinstance(weights, Mapping) or not all(
        is_whole(label) and is_number(weight) for label, weight in weights.items()
    ):
        raise ValueError(
            f"class_weight={weights!r} is not allowed; give weights by the numbers of classes, "
            "such as {0: 1.0, 1: 5.0}, or kt_hpo.Training(..., class_weight='balanced')."
        )


def _check_callbacks(callbacks: Any) -> None:
    if callbacks is None or isinstance(callbacks, keras.callbacks.CallbackList):
        return
    given = list(callbacks) if isinstance(callbacks, list | tuple) else [callbacks]
    for callback in given:
        if not isinstance(callback, keras.callbacks.Callback) and not callable(callback):
            raise ValueError(
                f"callbacks={callbacks!r} is not allowed; give a list of Keras callbacks, or of "
                "functions that make one each."
            )
    if not isinstance(callbacks, list | tuple):
        raise ValueError(
            f"callbacks={callbacks!r} is no list; write callbacks=[{type(callbacks).__name__}(...)]"
        )
