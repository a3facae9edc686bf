"""What Keras' models, layers and optimizers keep to themselves."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import keras

_Schedule = keras.optimizers.schedules.LearningRateSchedule

# What does not take part in a calculation of a model that is built: how it was built, how it is
# saved, and what follows from other attributes. An attribute that a newer Keras adds is missing
# here, so that models which differ in it share no program.
UNUSED = {
    "_auto_config", "_build_shapes_dict", "_call_signature", "_called", "_compile_config",
    "_compiled_trainable_state", "_inbound_nodes", "_initial_epoch", "_input_spec",
    "_keras_history", "_lock", "_loss_ids", "_nodes", "_obj_reference_counts_dict",
    "_operations_by_depth", "_outbound_nodes", "_parent_path", "_path", "_saved_model_arg_spec",
    "_saved_model_inputs_spec", "_tracked", "_tracker", "build", "loss", "quantize",
    "stop_training",
}  # fmt: skip
# A layer whose weights were loaded is told that these are false; others are not told of them.
UNLESS_TRUE = {"is_awq_calibrated", "is_gptq_calibrated"}
# What Keras has made of a model's steps, once it has been asked to.
STEP_FUNCTIONS = {"train_function", "test_function", "predict_function"}
# A new optimizer is given these, or has the state of a trial; the same is true of them.
STATE = {
    "_distribution_strategy", "_iterations", "_learning_rate", "_trainable_variables",
    "_trainable_variables_indices", "_variables", "built", "momentums",
}  # fmt: skip
# Containers in which Keras, or TensorFlow, keeps watch of one of Python's.
WRAPPERS = ("_DictWrapper", "_TupleWrapper")
# What a model has made of the losses and metrics it was compiled with.
COMPILED = ("_compile_loss", "_compile_metrics")


def learning_rate_of(optimizer: Any) -> Any:
    """Gives what an optimizer takes its learning rate from.

    Args:
        optimizer: A `keras.optimizers.Optimizer`.

    Returns:
        Its variable, or the schedule or function it was made with. Without the name of today the
        schedule is found by its class; of a function the rate of now is all that is known.

    Example:
        >>> schedule = keras.optimizers.schedules.CosineDecay(0.1, decay_steps=10)
        >>> learning_rate_of(keras.optimizers.SGD(schedule)) is schedule
        True
    """
    if hasattr(optimizer, "_learning_rate"):
        return optimizer._learning_rate
    schedules = (one for one in vars(optimizer).values() if isinstance(one, _Schedule))
    return next(schedules, None) or optimizer.learning_rate


def config_of(optimizer: Any) -> dict[str, Any]:
    """Gives the config of an optimizer, without asking its learning rate for its own if it can.

    Args:
        optimizer: A `keras.optimizers.Optimizer`.

    Returns:
        The config, in which the learning rate means nothing.

    Example:
        >>> config_of(keras.optimizers.SGD(0.1, momentum=0.9))["momentum"]
        0.9
    """
    if not hasattr(optimizer, "_learning_rate"):
        return optimizer.get_config()
    rate = optimizer._learning_rate
    optimizer._learning_rate = 1.0
    try:
        return optimizer.get_config()
    finally:
        optimizer._learning_rate = rate


def excludes_weights_from_decay(optimizer: Any) -> bool:
    """Tells whether some weights of a model do not decay.

    Args:
        optimizer: A `keras.optimizers.Optimizer`.

    Returns:
        Whether it is so, or, where Keras keeps that under other names, may be so.

    Example:
        >>> optimizer = keras.optimizers.SGD(weight_decay=0.1)
        >>> excludes_weights_from_decay(optimizer)
        False
        >>> optimizer.exclude_from_weight_decay(var_names=["bias"])
        >>> excludes_weights_from_decay(optimizer)
        True
    """
    if not _notes_exclusions():
        return bool(optimizer.weight_decay)
    names = ("_exclude_from_weight_decay", "_exclude_from_weight_decay_pattern")
    return any(getattr(optimizer, name, None) for name in names)


@functools.cache
def _notes_exclusions() -> bool:
    optimizer = keras.optimizers.SGD(weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return bool(getattr(optimizer, "_exclude_from_weight_decay_pattern", None))


def slots_of(optimizer: Any, variable: Any, *names: str) -> list[Any]:
    """Gives the variables in which an optimizer remembers past steps for another variable.

    Args:
        optimizer: A `keras.optimizers.Optimizer`, built.
        variable: A variable that it updates.
        *names: The attributes they are in.

    Returns:
        A variable for each name; nothing where they are not to be found.

    Example:
        >>> optimizer, weight = keras.optimizers.Adam(), keras.Variable([1.0])
        >>> optimizer.build([weight])
        >>> len(slots_of(optimizer, weight, "_momentums", "_velocities"))
        2
    """
    try:
        place = optimizer._get_variable_index(variable)
        return [getattr(optimizer, name)[place] for name in names]
    except (AttributeError, IndexError, KeyError, TypeError):
        return []


def layers_of(model: Any) -> list[Any]:
    """Lists the layers of a model, and those that these are made of.

    Args:
        model: The model.

    Returns:
        Each once, in an order that is the same for models built alike. Without the name of today
        they are what can be reached from the attributes of layers.

    Example:
        >>> inner = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, name="one")])
        >>> model = keras.Sequential([inner, keras.layers.Dense(1, name="two")])
        >>> [layer.name for layer in layers_of(model) if layer.name in ("one", "two")]
        ['one', 'two']
    """
    if hasattr(model, "_flatten_layers"):
        return list(model._flatten_layers(include_self=False))
    found: dict[int, Any] = {}
    for layer in model.layers:
        _add_layers(layer, found)
    return list(found.values())


def _add_layers(layer: Any, found: dict[int, Any]) -> None:
    if id(layer) not in found:
        found[id(layer)] = layer
        within = layer.layers if isinstance(layer, keras.Model) else vars(layer).values()
        for one in keras.tree.flatten(list(within)):
            if isinstance(one, keras.Layer):
                _add_layers(one, found)


def build_state(model: Any, batch: Any) -> bool:
    """Makes the variables of a model and of its metrics, as `fit` does on JAX before it trains.

    Args:
        model: A compiled `keras.Model`.
        batch: What a step gets: `x`, `(x, y)` or `(x, y, sample_weight)`.

    Returns:
        Whether any were missing, or may have been, where Keras keeps what it makes of losses and
        metrics under other names. Without the name of what makes them one batch is evaluated, which
        makes them too, in more time.

    Example:
        >>> model = keras.Sequential([keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse", metrics=["mae"])
        >>> batch = (keras.ops.ones((2, 3)), keras.ops.ones((2, 1)))
        >>> build_state(model, batch), build_state(model, batch), model.built
        (True, False, True)
    """
    if all(hasattr(model, name) for name in COMPILED):
        parts = [*layers_of(model), *(getattr(model, name) for name in COMPILED)]
        missing = not all(part.built for part in parts if part is not None)
    else:
        missing = True
    if missing and hasattr(model, "_symbolic_build"):
        model._symbolic_build(data_batch=batch)
    elif missing:
        x, y, weight = keras.utils.unpack_x_y_sample_weight(batch)
        model.test_on_batch(x, y, weight)
        model.reset_metrics()
    return missing


def seed_generators_of(layer: Any) -> list[Any]:
    """Lists the seed generators of a layer's own.

    Args:
        layer: The layer.

    Returns:
        The generators. Without the name of today they are those among its attributes.

    Example:
        >>> len(seed_generators_of(keras.layers.Dropout(0.5)))
        1
    """
    if hasattr(layer, "_seed_generators"):
        return list(layer._seed_generators)
    own = vars(layer).values()
    return [one for one in own if isinstance(one, keras.random.SeedGenerator)]


def has_added_losses(part: Any) -> bool:
    """Tells whether a layer has been given a loss by `add_loss`.

    Args:
        part: A layer, or something else that is none.

    Returns:
        Whether it is so, or, where Keras keeps that under another name, may be so.

    Example:
        >>> has_added_losses(keras.layers.Dense(1))
        False
    """
    return bool(getattr(part, "_losses", isinstance(part, keras.Layer)))


def forget_losses(model: keras.Model) -> bool:
    """Has a model forget what its layers have added by `add_loss`, as its next call would.

    Args:
        model: The model.

    Returns:
        Whether it has; not without the name of today.

    Example:
        >>> dense = keras.layers.Dense(1, activity_regularizer="l2")
        >>> model = keras.Sequential([keras.Input((1,)), dense])
        >>> forget_losses(model), has_added_losses(dense)
        (True, False)
    """
    if not hasattr(model, "_clear_losses"):
        return False
    model._clear_losses()
    return True


def given_to_compile(compiled: Any) -> dict[str, Any]:
    """Gives the losses or metrics that a user has given to `compile`.

    Args:
        compiled: What the model has made of them; see `COMPILED`.

    Returns:
        What was given, by attribute; empty where Keras keeps it under other names.

    Example:
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        >>> model.compile(loss="mse")
        >>> given_to_compile(model._compile_loss)["_user_loss"]
        'mse'
    """
    return {name: one for name, one in vars(compiled).items() if name.startswith("_user_")}


def takes_smoothing(loss: Any) -> bool:
    """Tells whether `set_smoothing` works for a loss of Keras'.

    Args:
        loss: The loss.

    Returns:
        Whether its label smoothing is where it was.

    Example:
        >>> takes_smoothing(keras.losses.BinaryCrossentropy(label_smoothing=0.1))
        True
    """
    return "label_smoothing" in getattr(loss, "_fn_kwargs", {})


def set_smoothing(loss: Any, value: Any) -> None:
    """Changes the label smoothing of a loss, which Keras keeps twice.

    Args:
        loss: A loss that `takes_smoothing`.
        value: The number.

    Example:
        >>> loss = keras.losses.BinaryCrossentropy(label_smoothing=0.1)
        >>> set_smoothing(loss, 0.2)
        >>> loss.label_smoothing
        0.2
    """
    loss.label_smoothing = loss._fn_kwargs["label_smoothing"] = value


def reshaped(output: Any, shape: tuple[int, ...]) -> Any:
    """Reshapes an output, and the logits it came of, of which Keras calculates crossentropies.

    Args:
        output: A tensor.
        shape: The new shape.

    Returns:
        The tensor. Without the name of today a loss takes the output itself.

    Example:
        >>> tuple(reshaped(keras.ops.ones((4,)), (2, 2)).shape)
        (2, 2)
    """
    made = keras.ops.reshape(output, shape)
    if hasattr(output, "_keras_logits"):
        made._keras_logits = keras.ops.reshape(output._keras_logits, shape)
    return made


def calls_of(model: Any) -> Iterator[tuple[Any, list[Any], Any]] | None:
    """Lists what a functional or sequential model calls.

    Args:
        model: The model.

    Returns:
        The layer or operation, its inputs and its first output, of each call; None for another
        model. Without the names of today it is one call of each layer.

    Raises:
        AttributeError: If, without these names, a layer is called twice.
    """
    graph = getattr(model, "_functional", model)
    if hasattr(graph, "_nodes_by_depth"):
        nodes = [node for nodes in graph._nodes_by_depth.values() for node in nodes]
        called = [node for node in nodes if not node.is_input]
        return ((node.operation, node.input_tensors, node.output_tensors[0]) for node in called)
    if not getattr(model, "inputs", None):
        return None
    layers = [one for one in model.layers if not isinstance(one, keras.layers.InputLayer)]
    outputs = (keras.tree.flatten(layer.output)[0] for layer in layers)
    inputs = (keras.tree.flatten(layer.input) for layer in layers)
    return zip(layers, inputs, outputs, strict=True)


def inputs_of(model: Any) -> Any:
    """Gives the inputs of a functional or sequential model, in the structure it takes them in.

    Args:
        model: The model.

    Returns:
        Symbolic tensors; None for another model. Without the names of today they are one, or a
        list.
    """
    found = getattr(getattr(model, "_functional", model), "_inputs_struct", None)
    if found is not None:
        return found
    inputs = getattr(model, "inputs", None)
    return inputs[0] if inputs and len(inputs) == 1 else inputs
