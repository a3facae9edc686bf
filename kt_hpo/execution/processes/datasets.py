"""Pipelines of `tf.data`, made ready by the search's process and opened by the workers.

A pipeline that shuffles or augments at random travels as its graph, so that each epoch of each
trial is another one, as in one process. All others are read once and saved.
"""

from __future__ import annotations

import pickle
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_GRAPH = "graph.pickle"
# What protobuf can hold is 2 GiB; each worker has a copy.
_MOST_BYTES = 2**30
# Python functions, variables and tables stay in the process that made them.
_BOUND = ("PyFunc", "GeneratorDataset", "Variable", "VarHandle", "LookupTable", "RngReadAndSkip")
_RANDOM = ("Shuffle", "Random", "Multinomial", "StatefulUniform", "Rng")


class SavedDatasets:
    """Pipelines in a folder.

    Args:
        folder: The folder; made when it is needed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[int, tuple[Any, str]] = {}

    def add(self, dataset: Any) -> str:
        """Saves a pipeline, once however often it is given: its graph, or its elements.

        Args:
            dataset: A `tf.data.Dataset`.

        Returns:
            The path it is saved at.

        Raises:
            ValueError: If it never ends, and its graph cannot be sent.
        """
        if id(dataset) not in self._known:
            path = self._folder / str(len(self._known))
            graph, is_random = _graph_of(dataset)
            if graph is not None and (is_random or _never_ends(dataset)):
                path.mkdir(parents=True)
                (path / _GRAPH).write_bytes(pickle.dumps((graph, dataset.element_spec)))
            else:
                self._save_elements(dataset, path, is_random)
            self._known[id(dataset)] = dataset, str(path)
        return self._known[id(dataset)][1]

    def _save_elements(self, dataset: Any, path: Path, may_be_random: bool) -> None:
        if _never_ends(dataset):
            raise ValueError(
                "A tf.data pipeline that never ends and runs Python code cannot be sent to the "
                "workers. Give search() a function that makes it, such as search(make_dataset): "
                "each worker calls it for itself."
            )
        if may_be_random:
            warnings.warn(
                "A tf.data pipeline that runs Python code, or holds variables, cannot be sent to "
                "the workers. It is read once, and every epoch of every trial gets the same "
                "elements in the same order: what it shuffles or augments at random is frozen. "
                "Give search() a function that makes it, such as search(make_dataset), and each "
                "worker makes its own.",
                stacklevel=2,
            )
        dataset.save(str(path))


def load(path: str) -> Any:
    """Loads a pipeline.

    Args:
        path: Where it was saved.

    Returns:
        A `tf.data.Dataset` of the same elements, drawn anew where they are random.
    """
    import tensorflow as tf

    if (Path(path) / _GRAPH).is_file():
        graph, spec = pickle.loads((Path(path) / _GRAPH).read_bytes())
        variant = tf.raw_ops.DatasetFromGraph(graph_def=graph)
        return tf.data.experimental.from_variant(variant, spec)
    return tf.data.Dataset.load(path).prefetch(tf.data.AUTOTUNE)


def is_dataset(value: Any) -> bool:
    """Tells whether a value is a pipeline; whoever has one has TensorFlow imported."""
    tensorflow = sys.modules.get("tensorflow")
    return tensorflow is not None and isinstance(value, tensorflow.data.Dataset)


def _never_ends(dataset: Any) -> bool:
    return int(dataset.cardinality()) == -1


def _graph_of(dataset: Any) -> tuple[bytes | None, bool]:
    """The graph of a pipeline, None if it cannot be sent, and whether it may be random."""
    import tensorflow as tf

    try:
        serialized = tf.raw_ops.DatasetToGraphV2(
            input_dataset=tf.data.experimental.to_variant(dataset),
            external_state_policy=1,  # Seeds of random numbers are drawn anew.
            strip_device_assignment=True,
        )
        graph = tf.compat.v1.GraphDef.FromString(serialized.numpy())
    except Exception:  # Whatever TensorFlow raises of variables, tables and other resources.
        return None, True
    operations = " ".join(set(_operations(graph)))
    # What Python code does nobody knows.
    is_random = any(word in operations for word in (*_RANDOM, "PyFunc", "GeneratorDataset"))
    content = serialized.numpy()
    is_bound = len(content) > _MOST_BYTES or any(word in operations for word in _BOUND)
    return None if is_bound else content, is_random


def _operations(graph: Any) -> Iterator[str]:
    for node in graph.node:
        yield node.op
    for function in graph.library.function:
        for node in function.node_def:
            yield node.op
