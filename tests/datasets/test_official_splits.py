"""Data sets of TFDS as they may be: with splits of their own, tables, images of odd sizes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kt_hpo.datasets import load


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


def test_all_of_them(official: Path) -> None:
    splits = load("toy_official", data_dir=official, normalize=False)
    assert [len(part) for part in splits] == [40, 10, 20]
    for part, name in zip(splits, ("train", "validation", "test"), strict=True):
        assert set(part.x[:, 1]) == {len(name)}
        assert part.class_names == ("even", "odd")
        assert (part.y == part.x[:, 0] % 2).all()


def test_the_rest_is_cut_from_train(official: Path) -> None:
    splits = load("toy_tested", data_dir=official, validation=0.25, normalize=False)
    assert [len(part) for part in splits] == [30, 10, 20]
    assert [set(part.x[:, 1]) for part in splits] == [{5}, {5}, {4}]
    assert np.bincount(splits.validation.y).tolist() == [5, 5]


def test_without_labels_a_test_split_is_none(official: Path) -> None:
    splits = load("toy_secret", data_dir=official, validation=0.25, test=0.25)
    assert [len(part) for part in splits] == [20, 10, 10]


def test_no_train(official: Path) -> None:
    with pytest.raises(ValueError, match=r"no train split\. Its splits: test"):
        load("toy_untrained", data_dir=official)


def test_columns_by_name(official: Path) -> None:
    splits = load("toy_table", data_dir=official, validation=0, normalize=False)
    assert splits.train.task == "regression"
    assert splits.train.input_shape == (3,)  # size, sofa0, sofa1: a yard is in the test split only
    assert (splits.test.x[:, 1:] == 0).all()
    assert (splits.train.x[:, 1:].sum(axis=1) == 1).all()


def test_images_of_several_sizes(official: Path) -> None:
    with pytest.raises(ValueError, match="several sizes"):
        load("toy_images", data_dir=official)
    train = load("toy_images", data_dir=official, image_size=(6, 7)).train
    assert train.input_shape == (6, 7, 3)
    assert (train.x == 1).all()
