"""Mistakes that are found before any training."""

from __future__ import annotations

import numbers
from collections.abc import Collection
from typing import Any

import keras
import numpy as np

from kt_hpo import objectives
from kt_hpo.constraints import missing_metric
from kt_hpo.oracle.recorded import RecordedOracle
from kt_hpo.training import cross_validation, fit_arguments, measures
from kt_hpo.training.build import check_is_model
from kt_hpo.training.callback_list import may_add_metrics
from kt_hpo.training.context import SearchContext
from kt_hpo.training.data import validates
from kt_hpo.training.options import TrainingOptions
from kt_hpo.training.results import missing_objective

_STEPS = ("fit", "train_step", "make_train_function", "compute_metrics", "get_metrics_result")


def check_search(
    search: SearchContext,
    fit_args: tuple[Any, ...],
    fit_kwargs: dict[str, Any],
    ends_what_hangs: bool = False,
) -> None:
    """Checks a search before its first trial.

    A tuner that overrides `run_trial`, and a hypermodel with a `fit` of its own, may do with space
    and data whatever they like: those are not checked.

    Args:
        search: The search.
        fit_args: Positional arguments of `search`.
        fit_kwargs: Keyword arguments of `search`.
        ends_what_hangs: Whether the executor ends a trial that takes longer than `trial_timeout`.

    Raises:
        ValueError: If the space is empty, the data are empty, hold NaN, do not fit together or do
            not fit the model, or nothing measures the objective or what a constraint is about.
    """
    fit_arguments.check(search, fit_args, fit_kwargs)
    _check_training(search, (fit_args, fit_kwargs), ends_what_hangs)
    if search.runs_its_own_way or search.fits_its_own_way:
        return
    if not search.oracle.get_space().space:
        raise ValueError(
            "The hypermodel asks for no hyperparameter, so there is nothing to search. Replace "
            "what shall be tuned in build(hp) by hp.Int(...), hp.Float(...), hp.Choice(...), or "
            "train the one model with model.fit()."
        )
    data = _named_data(fit_args, fit_kwargs)
    for name, values in data.items():
        _check_values(name, values)
    for x, y in (("x", "y"), ("the validation x", "the validation y")):
        if y in data:
            _check_lengths(x, data[x], y, data[y])
    names = measures.names_asked_for(search.oracle.objective, search.oracle.constraints)
    validated = [name for name in names if objectives.needs_validation([name])]
    _check_validation_freq(search.oracle, validated, fit_kwargs)
    may_add = may_add_metrics(search, fit_kwargs)
    if may_add:
        # A callback may measure all but what Keras itself calls by this name.
        validated = [name for name in validated if name in ("val_loss", objectives.GAP)]
    if validated and not _validates(search.training, fit_kwargs):
        raise ValueError(
            f"The search asks for {', '.join(validated)}, measured on validation data, and "
            "search() got none. Pass validation_data=(x_val, y_val) or validation_split=0.2, or "
            "give the tuner cross_validation=5."
        )
    if not search.oracle.trials and "x" in data:
        _check_model(search, data, may_add)


def _check_training(
    search: SearchContext, data: cross_validation.Data, ends_what_hangs: bool
) -> None:
    """Refuses options that nothing would come of."""
    if not search.runs_its_own_way:
        cross_validation.check_data(search.training.cross_validation, data)
        return
    without = ["deterministic", "time_budget"]
    if ends_what_hangs:
        without.append("trial_timeout")
    unused = [name for name in search.training.chosen if name not in without]
    if unused:
        raise ValueError(
            f"{', '.join(unused)}: the tuner has a run_trial of its own, and it alone says how a "
            "trial trains. Leave the options out, or override HyperModel.fit instead."
        )


def _named_data(fit_args: tuple[Any, ...], fit_kwargs: dict[str, Any]) -> dict[str, Any]:
    """The data of a search by what they are called in messages."""
    given = dict(zip(("x", "y"), fit_args, strict=False))
    given |= {name: fit_kwargs[name] for name in ("x", "y") if name in fit_kwargs}
    validation = fit_kwargs.get("validation_data")
    if isinstance(validation, tuple | list):
        names = ("the validation x", "the validation y")
        given |= dict(zip(names, validation, strict=False))
    elif validation is not None:
        given["the validation data"] = validation
    return {name: values for name, values in given.items() if values is not None}


def _validates(options: TrainingOptions, fit_kwargs: dict[str, Any]) -> bool:
    given = fit_kwargs.get("validation_data") is not None or fit_kwargs.get("validation_split")
    return bool(given) or options.cross_validation is not None


def _check_validation_freq(
    oracle: RecordedOracle, validated: list[str], fit_kwargs: dict[str, Any]
) -> None:
    """Refuses a `validation_freq` with which no epoch would measure what the search asks for."""
    given = fit_kwargs.get("validation_freq", 1)
    every = list(given) if isinstance(given, Collection) else [given]
    are_epochs = all(isinstance(one, numbers.Integral) and int(one) > 0 for one in every)
    if isinstance(given, str | bytes) or not are_epochs:
        raise ValueError(
            f"validation_freq={given!r} is not allowed; give a whole number from 1 on, or a list "
            "of the epochs that validate, counted from 1."
        )
    # An algorithm, or a hyperparameter, may say how long a trial trains.
    names = [hp.name for hp in oracle.get_space().space]
    if hasattr(oracle, "max_epochs") or "epochs" in names or not validated:
        return
    epochs = fit_kwargs.get("epochs", 1)
    if not any(
        validates(epoch, given) for epoch in range(fit_kwargs.get("initial_epoch", 0), epochs)
    ):
        raise ValueError(
            f"The search asks for {', '.join(validated)}, measured on validation data, and with "
            f"validation_freq={given!r} none of the epochs up to epochs={epochs} validates. Train "
            "for more epochs, or validate more often."
        )


def _arrays(values: Any) -> list[np.ndarray]:
    """The arrays of a data argument; none for pipelines and generators."""
    leaves = keras.tree.flatten(values)
    return [np.asarray(leaf) for leaf in leaves if hasattr(leaf, "shape") or np.isscalar(leaf)]


def _check_values(name: str, values: Any) -> None:
    cardinality = getattr(values, "cardinality", None)
    arrays = _arrays(values)
    count = min((len(array) for array in arrays if array.ndim), default=None)
    if count is None and cardinality is not None:
        count = int(cardinality())
    if count == 0:
        raise ValueError(f"{name} is empty: there is nothing to train or validate with.")
    for array in arrays:
        missing = int(np.isnan(array).sum()) if np.issubdtype(array.dtype, np.floating) else 0
        if missing:
            raise ValueError(
                f"{name} holds NaN in {missing:,} of {array.size:,} places (shape {array.shape}), "
                "which makes every loss NaN. Fill them (numpy.nan_to_num, a mean) or drop the rows."
            )


def _check_lengths(x_name: str, x: Any, y_name: str, y: Any) -> None:
    lengths = [len(array) for array in [*_arrays(x), *_arrays(y)] if array.ndim]
    if len(set(lengths)) > 1:
        raise ValueError(
            f"{x_name} and {y_name} have {lengths[0]:,} and {lengths[-1]:,} samples; "
            "they must have the same number."
        )


def _check_model(search: SearchContext, data: dict[str, Any], may_add: bool) -> None:
    """Holds labels and objective against the model that the default values give."""
    try:
        model = search._build_hypermodel(search.oracle.get_space())
    except Exception:
        # Values other than the defaults may well work: the trials will tell.
        return
    check_is_model(model)
    _check_labels(model, data)
    try:
        measured = list(_evaluate_one(model, data))
    except Exception:
        return  # Likewise.
    finally:
        keras.utils.clear_session(free_memory=False)
    if may_add or _steps_its_own_way(model):
        return  # The first epoch will tell.
    metrics = [*measured, *(f"val_{name}" for name in measured)]
    for part in objectives.parts(search.oracle.objective):
        if not (objectives.is_measured(part) or part.name in metrics):
            raise ValueError(missing_objective(part.name, metrics, "the compiled model"))
    functions = [part.name for part in measures.functions_of(search.oracle.objective)]
    known = [*metrics, *objectives.MEASURED, *functions]
    for constraint in search.oracle.constraints:
        for name in constraint.needs:
            if name not in known:
                raise ValueError(missing_metric(constraint, name, known))


def _steps_its_own_way(model: keras.Model) -> bool:
    """Whether code of the user's says which metrics the model has."""
    own = {name for name in _STEPS if getattr(type(model), name) is not getattr(keras.Model, name)}
    return any(
        not vars(kind).keys().isdisjoint(own)
        for kind in type(model).__mro__
        if kind.__module__.partition(".")[0] != "keras"
    )


def _evaluate_one(model: keras.Model, data: dict[str, Any]) -> dict[str, float]:
    """The model's metrics on one sample, or one batch of a pipeline."""
    model.run_eagerly = True  # A graph would be traced for this alone.
    if "y" not in data:
        return model.evaluate(data["x"].take(1), verbose=0, return_dict=True)
    x, y = (keras.tree.map_structure(lambda a: a[:1], data[name]) for name in ("x", "y"))
    return model.evaluate(x, y, verbose=0, return_dict=True)


def _check_labels(model: keras.Model, data: dict[str, Any]) -> None:
    labels, loss = data.get("y"), model.loss
    if not hasattr(labels, "shape") or not isinstance(getattr(model, "output_shape", None), tuple):
        return
    name = loss if isinstance(loss, str) else getattr(loss, "name", "")
    if name == "sparse_categorical_crossentropy":
        allowed = int(model.output_shape[-1]) - 1
    elif name == "binary_crossentropy":
        allowed = 1
    else:
        return
    values = np.asarray(labels)
    lowest, highest = values.min(), values.max()
    if lowest < 0 or highest > allowed:
        raise ValueError(
            f"The labels go from {lowest} to {highest}; with the loss {name} and "
            f"{model.output_shape[-1]} outputs they must lie between 0 and {allowed}. Number the "
            "classes from 0, or give the model as many outputs as there are classes."
        )
