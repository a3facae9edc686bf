"""The hypermodel of a search: a ready one by name, the user's own, or what suits the data."""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING, Any, NamedTuple

from kt_hpo.registry import MODELS, algorithms
from kt_hpo.targets import load_target

if TYPE_CHECKING:
    from kt_hpo.datasets import Dataset


# Epochs of a training where an epoch has many steps, and at most.
_EPOCHS, _MOST_EPOCHS = 20, 200
# Steps of a training, and of its first part, of so many samples each.
_STEPS, _FIRST_STEPS, _BATCH = 2000, 500, 32
# Trainings of the best model of a table or a series that are averaged.
_ENSEMBLE = 5
# Folds of a table of fewer rows than that.
_FOLDS, _FEW_ROWS = 5, 700


def choose_model(train: Dataset) -> tuple[str, str]:
    """Chooses a ready model by the kind of the data.

    Args:
        train: The training data.

    Returns:
        Its name, and the reason in words that follow "because".

    Example:
        >>> from kt_hpo import datasets
        >>> choose_model(datasets.load("digits").train)
        ('cnn', 'the data are images of 8 x 8 x 1 pixels')
    """
    kind = getattr(train.preprocessing, "kind", "none")
    shape = " x ".join(map(str, train.input_shape))
    if kind == "image" or (kind == "none" and len(train.input_shape) == 3):
        return "cnn", f"the data are images of {shape} pixels"
    if kind == "text":
        return "sequence", f"the data are texts of up to {shape} words"
    if len(train.input_shape) > 1:
        return "sequence", f"the data are sequences of {shape}"
    return "tabular", f"the data are a table, {shape} columns of numbers once prepared"


class Epochs(NamedTuple):
    """How long trainings are.

    Attributes:
        most: Epochs of a full training.
        first: Epochs after which a training may pause first.
    """

    most: int
    first: int


def choose_epochs(train: Dataset, model: Any = "auto") -> Epochs:
    """Chooses how long trainings are by how many steps an epoch has.

    A training on a small table, or on few sequences, is to have some 2,000 steps of 32 samples, and
    500 of them before it is compared with others; as far as 200 epochs reach. To make its graph
    takes longer than these. Texts and forecasts have all the 2,000 before, which take the linear
    models that they begin with a second or two.

    Args:
        train: The training data.
        model: The model's name; a user's own of sequences may take long for a step.

    Returns:
        The epochs; 20, and pauses from the first on, for images, and sequences with a model of the
        user's own.

    Example:
        >>> import numpy as np
        >>> from kt_hpo.datasets import Dataset
        >>> for rows in (100, 1000, 5000):
        ...     x = np.ones((rows, 4))
        ...     print(choose_epochs(Dataset(x, x[:, 0], "rows", "regression")))
        Epochs(most=200, first=125)
        Epochs(most=63, first=16)
        Epochs(most=20, first=4)
    """
    suits, _ = choose_model(train)
    is_ready = isinstance(model, str) and model in ("auto", "sequence")
    if suits != "tabular" and not (suits == "sequence" and is_ready):
        return Epochs(_EPOCHS, 1)
    is_linear = suits == "sequence" and (_is_text(train) or _is_forecast(train))
    first = _STEPS if is_linear else _FIRST_STEPS
    steps = math.ceil(len(train) / _BATCH)
    most = min(max(math.ceil(_STEPS / steps), _EPOCHS), _MOST_EPOCHS)
    return Epochs(most, min(math.ceil(first / steps), most))


def _is_text(train: Dataset) -> bool:
    return getattr(train.preprocessing, "kind", "none") == "text"


def _is_forecast(train: Dataset) -> bool:
    return train.num_classes is None and not _is_text(train)


def choose_ensemble(model: str, train: Dataset) -> int:
    """Chooses how many trainings of the best model are averaged.

    Args:
        model: The name of the model.
        train: The training data.

    Returns:
        5 where a ready model learns a table, or forecasts a series, and else 1. The mean of five
        was ahead of one in 9 of 11 searches of six small tables, which are not those of
        `benchmarks.ready`, and on series: sunspots 0.758 of the variance explained, one alone
        0.741; gasoline 0.494 and 0.451.

    Example:
        >>> from kt_hpo import datasets
        >>> choose_ensemble("tabular", datasets.load("wine").train)
        5
    """
    suits, _ = choose_model(train)
    averages = suits == "tabular" or (suits == "sequence" and _is_forecast(train))
    return _ENSEMBLE if model in MODELS and averages else 1


def choose_folds(
    model: str, algorithm: str, train: Dataset, validation: Dataset
) -> tuple[int | None, str]:
    """Chooses on how many folds trials are compared.

    Args:
        model: The name of the model.
        algorithm: The algorithm's name.
        train: The training data.
        validation: The data to compare trials on, which are part of the folds.

    Returns:
        5 where a ready model learns a table of fewer than 700 rows, unless the algorithm pauses
        trainings, and else None, for no folds; and the reason in words that follow "because".

    Example:
        >>> from kt_hpo import datasets
        >>> train, validation, _ = datasets.load("wine")
        >>> choose_folds("tabular", "tpe", train, validation)
        (5, '151 rows are few to learn from and to compare trials on')
    """
    rows = len(train) + len(validation)
    pauses = algorithm != "auto" and algorithm in algorithms()[algorithm].prunes
    is_table = model in MODELS and choose_model(train)[0] == "tabular"
    if is_table and rows < _FEW_ROWS and not pauses:
        return _FOLDS, f"{rows} rows are few to learn from and to compare trials on"
    return None, "one part of the data is enough to compare trials on"


def make_hypermodel(model: Any, train: Dataset, max_epochs: int, said: str | None = None) -> Any:
    """Makes the hypermodel of a search.

    Args:
        model: The name of a ready one, such as mlp; `module:name`; or what such a name leads to: a
            `HyperModel` class or object, or a function `build(hp)`. A class gets what its
            constructor asks for by these names: `input_shape`, `num_classes` (None for numbers),
            `train_size`, `epochs`, `target_scale` (mean and standard deviation of the targets; None
            for classes), `columns` (which columns of a table belong together, see
            `kt_hpo.datasets.preprocessing.Group`), `vocabulary_size` and `token_weights` (of texts;
            None for all else).
        train: The training data.
        max_epochs: Epochs of a training at most.
        said: How the model was given, for the message of an error; as on the command line if not.

    Returns:
        What a tuner takes as `hypermodel`.

    Raises:
        ValueError: If it is nothing of that kind, or its constructor asks for something else.
    """
    import keras_tuner

    said = said or f"--model {model}"
    found = model
    if isinstance(model, str):
        target = f"hypermodels:{MODELS[model]}" if model in MODELS else model
        found = load_target(target, said)
    if isinstance(found, type) and issubclass(found, keras_tuner.HyperModel):
        learned = train.preprocessing
        known = {
            "input_shape": train.input_shape,
            "num_classes": train.num_classes,
            "train_size": len(train),
            "epochs": max_epochs,
            "target_scale": train.target_scale,
            "columns": () if learned is None else learned.groups,
            "vocabulary_size": None if learned is None else learned.vocabulary_size,
            "token_weights": None if learned is None else learned.token_weights,
        }
        return found(**_asked_for(found, known, said))
    is_function = callable(found) and not isinstance(found, type)
    if is_function or isinstance(found, keras_tuner.HyperModel):
        return found
    raise ValueError(
        f"{said} is {found!r}; give a class or an object of keras_tuner.HyperModel, or a "
        "function build(hp) that returns a compiled model."
    )


def _asked_for(made: type, known: dict[str, Any], said: str) -> dict[str, Any]:
    """What of the known the constructor of a class asks for."""
    parameters = inspect.signature(made).parameters
    needed = [
        name
        for name, parameter in parameters.items()
        if parameter.default is parameter.empty
        and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    ]
    unknown = [name for name in needed if name not in known]
    if unknown:
        raise ValueError(
            f"{said} needs {', '.join(unknown)}, which is not known here: only "
            f"{', '.join(known)} are. Give it a default, or give an object, "
            f"{made.__name__}(...), on the command line as module:name_of_the_object."
        )
    return {name: value for name, value in known.items() if name in parameters}
