"""Memory that trials run out of, and that they leave behind.

TensorFlow keeps each custom gradient that was ever traced (Keras' metrics and losses have some) in
a global registry, and with it the graph it was traced in: measured, 4.5 MB a trial of a tiny model.
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras

from kt_hpo._private_apis.tensorflow import gradient_registry

# Entries of graphs that were in use when last looked at.
_still_held: set[str] = set()


def is_out_of_memory(error: BaseException) -> bool:
    """Tells whether an error means that the host or a device has no memory left.

    Args:
        error: The error.

    Returns:
        True for MemoryError and for what TensorFlow, JAX and PyTorch raise.

    Example:
        >>> is_out_of_memory(MemoryError()), is_out_of_memory(ValueError())
        (True, False)
    """
    if isinstance(error, MemoryError):
        return True
    names = {kind.__name__ for kind in type(error).__mro__}
    if names & {"ResourceExhaustedError", "OutOfMemoryError"}:
        return True
    return bool(names & {"XlaRuntimeError", "JaxRuntimeError"}) and "RESOURCE_EXHAUSTED" in str(
        error
    )


def set_aside() -> None:
    """Leaves what is there now out of all later garbage collections of this process.

    Example:
        >>> set_aside()
        >>> gc.get_freeze_count() > 0
        True
    """
    gc.collect()
    gc.freeze()


@contextmanager
def quick_collections() -> Iterator[None]:
    """Leaves what is there now out of the garbage collections meanwhile.

    Each trial ends with collections, and they look at every object that Keras and its backend have
    made since they were imported: measured, a quarter of a second each, a fifth of a small trial.

    Yields:
        Nothing, while trials run.

    Example:
        >>> with quick_collections():
        ...     gc.get_freeze_count() > 0
        True
    """
    if gc.get_freeze_count():  # Somebody has done it, and may count on it to stay.
        yield
        return
    set_aside()
    try:
        yield
    finally:
        gc.unfreeze()


@contextmanager
def released_graphs() -> Iterator[None]:
    """Lets go of the graphs traced meanwhile that nobody but TensorFlow's registry holds.

    Those of a model that somebody still holds at the end are looked at again the next time.

    Yields:
        Nothing, while a model is trained.
    """
    if keras.backend.backend() != "tensorflow":
        yield
        return
    registry = gradient_registry()
    before = set(registry) - _still_held
    try:
        yield
    finally:
        meanwhile = [name for name in registry if name not in before]
        _release(registry, meanwhile)
        _still_held.update(meanwhile)
        _still_held.intersection_update(registry)


def _release(registry: dict[str, Any], names: list[str]) -> None:
    """Drops the entries whose graphs are gone without them, and keeps all others."""
    graphs: dict[str, weakref.ref[Any]] = {}
    for name in names:
        for graph in list(_graphs(registry[name]))[:1]:
            # An entry that its own graph holds lives exactly as long as that graph does.
            setattr(graph, f"_kept_{name}", registry.pop(name))
            graphs[name] = weakref.ref(graph)
        graph = None
    if graphs:
        gc.collect()
    for name, reference in graphs.items():
        graph = reference()
        if graph is not None:
            registry[name] = getattr(graph, f"_kept_{name}")


def _graphs(entry: dict[str, Any]) -> Iterator[Any]:
    """The graphs that a registered gradient was traced in."""
    for part in _closure(entry["type"]):
        for content in _closure(part):
            for tensor in keras.tree.flatten(content):
                if hasattr(tensor, "graph"):
                    yield tensor.graph


def _closure(function: Callable[..., Any]) -> list[Any]:
    cells = getattr(function, "__closure__", None) or ()
    return [cell.cell_contents for cell in cells]
