"""Data sets by name, through TFDS: offline ones at once, others where they can be had."""

from __future__ import annotations

import difflib
import logging
import re
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, nullcontext, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from kt_hpo._private_apis.tensorflow_datasets import names_in_package, shows_progress
from kt_hpo.datasets import frames, network
from kt_hpo.datasets.dataset import Splits, Task
from kt_hpo.datasets.splits import split
from kt_hpo.optional import require
from kt_hpo.startup import quiet_tensorflow

OFFLINE = ("digits", "mnist5k", "breast_cancer", "wine", "diabetes")

# Asked for where TFDS has no addresses of a data set of its own: its store of data sets.
TFDS_STORE = "https://storage.googleapis.com/tfds-data"


def from_name(
    name: str,
    *,
    validation: float,
    test: float,
    seed: int,
    data_dir: str | Path | None,
    normalize: bool,
    image_size: tuple[int, int] | None,
    task: Task | None,
) -> Splits:
    """Loads a data set of TFDS; see `load` for the arguments and the errors.

    Returns:
        The splits: official ones where the data set has them, the others cut from its `train`.

    Example:
        >>> options = dict(validation=0.1, test=0.1, seed=0, data_dir=None, normalize=True)
        >>> len(from_name("wine", **options, image_size=None, task=None).train)
        142
    """
    where = None if data_dir is None else str(data_dir)
    if not may_exist(name, where):
        raise _unknown(name, names_in_package() or ())
    builder = _builder(name, where)
    target = _target(name, builder.info, image_size)
    samples, info = _prepare(name, builder, where)
    parts = {
        key: _read(samples[key], info.splits[key].num_examples, image_size)
        for key in ("train", "validation", "test")
        if key in samples and info.splits[key].num_examples
    }
    if "train" not in parts:
        raise ValueError(f"{name!r} has no train split. Its splits: {', '.join(samples)}.")
    # Some competitions keep the labels of their test split to themselves: TFDS writes -1.
    is_class = isinstance(target, require("tensorflow_datasets").features.ClassLabel)
    parts = {k: xy for k, xy in parts.items() if k == "train" or not (is_class and min(xy[1]) < 0)}
    ends = np.cumsum([len(y) for _, y in parts.values()])
    rows = dict(zip(parts, np.split(np.arange(ends[-1]), ends[:-1]), strict=True))
    del rows["train"]
    x = _joined([x for x, _ in parts.values()])
    return (frames.split_frame if hasattr(x, "columns") else split)(
        x,
        np.concatenate([y for _, y in parts.values()]),
        name=name,
        validation=validation,
        test=test,
        seed=seed,
        normalize=normalize,
        task=task,
        class_names=target.names if is_class and task != "regression" else None,
        fixed=rows,
    )


def _builder(name: str, data_dir: str | None) -> Any:
    """Finds the builder of a data set, or suggests names like it."""
    tfds = require("tensorflow_datasets")
    require("kt_hpo.datasets.builders")
    try:
        with _quiet():
            return tfds.builder(name, data_dir=data_dir)
    except ValueError as error:
        known = tfds.list_builders(with_community_datasets=False)
        plain = re.split("[/:]", name)[0]
        if plain in known:
            raise  # TFDS says which configurations and versions there are.
        raise _unknown(name, known) from error


def may_exist(name: str, data_dir: str | None = None) -> bool:
    """Tells whether there may be a data set of a name, without importing TFDS.

    Args:
        name: The name.
        data_dir: Where TFDS keeps its files; None for its own folder.

    Returns:
        False if there is certainly none.

    Example:
        >>> may_exist("mnist"), may_exist("holiday photos")
        (True, False)
    """
    # A namespace, a configuration or a version: TFDS says what there is.
    if name in OFFLINE or ":" in name or "/" in name:
        return True
    if "tensorflow_datasets" in sys.modules:
        tfds = require("tensorflow_datasets")
        names: Collection[str] | None = tfds.list_builders(with_community_datasets=False)
    else:
        names = names_in_package()
    prepared = Path(data_dir or "~/tensorflow_datasets").expanduser() / name
    return names is None or name in names or prepared.is_dir()


def _unknown(name: str, known: Collection[str]) -> ValueError:
    """Says that there is no data set of a name, and which have one like it."""
    plain = re.split("[/:]", name)[0]
    near = difflib.get_close_matches(plain.lower(), sorted({*known, *OFFLINE}), n=3, cutoff=0.75)
    guess = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
    return ValueError(
        f"There is no data set {name!r}, nor a file or folder of that name.{guess} Without a "
        f"network there are {', '.join(OFFLINE)}; https://www.tensorflow.org/datasets lists all "
        "others. For your own data, give the path of a .csv file, or of a folder with a subfolder "
        "of images or texts for each class."
    )


def _target(name: str, info: Any, image_size: tuple[int, int] | None) -> Any:
    """Gives the feature of the targets, refusing data that arrays cannot hold."""
    keys = info.supervised_keys
    if keys is None:
        features = ", ".join(list(info.features)[:10])
        problem = f"it does not say what to predict (no supervised keys; its features: {features})"
    else:
        inputs, target = (info.features[key] if isinstance(key, str) else key for key in keys[:2])
        problem = _obstacle(inputs, target, image_size)
    if problem:
        raise ValueError(
            f"{name!r} cannot be loaded this way: {problem}. For anything else, read it with "
            "tfds.load and pass its arrays to from_arrays."
        )
    return target


def _obstacle(inputs: Any, target: Any, image_size: tuple[int, int] | None) -> str:
    """Says why features do not fit into arrays; nothing if they do."""
    features = require("tensorflow_datasets").features
    is_image = isinstance(inputs, features.Image)
    if getattr(target, "shape", None) != ():
        return f"its target is {target}, not one value a sample"
    if image_size is not None and not is_image:
        return "it has no images, so leave image_size out"
    if is_image and image_size is None and None in inputs.shape:
        return "its images have several sizes, so give image_size=(height, width)"
    if is_image or isinstance(inputs, (dict, features.FeaturesDict)):
        return ""
    numeric = None not in inputs.shape and np.dtype(inputs.np_dtype).kind in "biuf"
    return "" if numeric else f"its inputs are {inputs}, not numbers of one shape"


def _prepare(name: str, builder: Any, data_dir: str | None) -> tuple[dict[str, Any], Any]:
    """Opens the splits, first making or downloading the data set where it is not there yet."""
    tfds = require("tensorflow_datasets")
    with _quiet():
        local = builder.is_prepared() or name in OFFLINE
    if not local:
        _check_reachable(name, builder)
    options = {"data_dir": data_dir, "as_supervised": True, "with_info": True}
    # A real download keeps TFDS's progress bars.
    with _quiet() if local else nullcontext():
        try:
            return tfds.load(name, **options)
        except OSError:
            # Another process was first to finish writing the same files.
            if not tfds.builder(name, data_dir=data_dir).is_prepared():
                raise
            return tfds.load(name, **options)


def _check_reachable(name: str, builder: Any) -> None:
    """Refuses in seconds what TFDS would try to download for minutes."""
    urls = [url for url in builder.url_infos or () if url.startswith("http")]
    if not urls and type(builder).__module__.startswith("tensorflow_datasets."):
        urls = [TFDS_STORE]
    reason = network.refusal(urls[0]) if urls else None
    if reason:
        raise ConnectionError(
            f"{name!r} is not in {builder.data_path.parent} yet and cannot be downloaded: "
            f"{urls[0].split('/')[2]} does not answer ({reason}). Without a network there are "
            f"{', '.join(OFFLINE)}. Behind a proxy, set HTTPS_PROXY."
        )


def _read(samples: Any, size: int, image_size: tuple[int, int] | None) -> tuple[Any, np.ndarray]:
    """Reads a split whole, images resized: `(x, y)`, where x is an array or columns by name."""
    tf = require("tensorflow")
    if image_size is not None:
        samples = samples.map(
            lambda x, y: (tf.cast(tf.round(tf.image.resize(x, image_size)), x.dtype), y),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
    with _quiet():
        return next(samples.batch(size).as_numpy_iterator())


def _joined(inputs: list[Any]) -> Any:
    """Puts the inputs of all splits into one array, or columns by name into one data frame."""
    if not isinstance(inputs[0], Mapping):
        return np.concatenate(inputs)
    import pandas as pd

    frame = pd.concat([pd.DataFrame(columns) for columns in inputs], ignore_index=True)
    text = [key for key in frame if frame[key].dtype == object]
    for key in text:
        frame[key] = frame[key].str.decode("utf-8")
    return frame


@contextmanager
def _quiet() -> Iterator[None]:
    """Silences TFDS for a while: its progress bars, prints and warnings."""
    tfds = require("tensorflow_datasets")
    bars, logger = shows_progress(tfds), logging.getLogger("absl")
    level = logger.level
    try:
        tfds.disable_progress_bar()
        logger.setLevel(logging.ERROR)
        with redirect_stdout(StringIO()), quiet_tensorflow():
            yield
    finally:
        logger.setLevel(level)
        tfds.display_progress_bar(bars)
