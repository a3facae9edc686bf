"""`--model`: one of the ready hypermodels, or the user's own."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from kt_hpo.cli.targets import load_target

if TYPE_CHECKING:
    from kt_hpo.datasets import Dataset

_READY = {
    "mlp": "hypermodels:MLPHyperModel",
    "cnn": "hypermodels:CNNHyperModel",
    "resnet": "hypermodels:ResNetHyperModel",
    "sequence": "hypermodels:SequenceHyperModel",
    "tabular": "hypermodels:TabularHyperModel",
}


def make_hypermodel(model: str, train: Dataset, max_epochs: int) -> Any:
    """Makes the hypermodel of a search.

    Args:
        model: mlp, cnn, or `module:name` of a `HyperModel` class or object, or of a function
            `build(hp)`. A class gets what its constructor asks for by these names: `input_shape`,
            `num_classes` (None for numbers), `train_size`, `epochs`, `target_scale` (mean and
            standard deviation of the targets; None for classes), `columns` (which columns of a
            table belong together, see `kt_hpo.datasets.preprocessing.Group`), `vocabulary_size`
            (of texts; None for all else).
        train: The training data.
        max_epochs: Epochs of a training at most.

    Returns:
        What a tuner takes as `hypermodel`.

    Raises:
        ValueError: If it is nothing of that kind, or its constructor asks for something else.
    """
    import keras_tuner

    found = load_target(_READY.get(model, model), "--model")
    if isinstance(found, type) and issubclass(found, keras_tuner.HyperModel):
        learnt = train.preprocessing
        known = {
            "input_shape": train.input_shape,
            "num_classes": train.num_classes,
            "train_size": len(train),
            "epochs": max_epochs,
            "target_scale": train.target_scale,
            "columns": () if learnt is None else learnt.groups,
            "vocabulary_size": None if learnt is None else learnt.vocabulary_size,
        }
        return found(**_asked_for(found, known, model))
    is_function = callable(found) and not isinstance(found, type)
    if is_function or isinstance(found, keras_tuner.HyperModel):
        return found
    raise ValueError(
        f"--model {model} is {found!r}; name a class or an object of keras_tuner.HyperModel, or a "
        "function build(hp) that returns a compiled model."
    )


def _asked_for(made: type, known: dict[str, Any], model: str) -> dict[str, Any]:
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
            f"--model {model} needs {', '.join(unknown)}, which is not known here: only "
            f"{', '.join(known)} are. Give it a default, or name an object: "
            f"my_hypermodel = {made.__name__}(...), --model module:my_hypermodel."
        )
    return {name: value for name, value in known.items() if name in parameters}
