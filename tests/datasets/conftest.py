"""The offline data sets, prepared once for all tests of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from kt_hpo.datasets import OFFLINE, Splits, load


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tfds")


@pytest.fixture(scope="session")
def loaded(data_dir: Path) -> dict[str, Splits]:
    return {name: load(name, data_dir=data_dir) for name in OFFLINE}
