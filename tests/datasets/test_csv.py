"""Tables in files as data sets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kt_hpo.datasets import from_csv, load


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


def test_last_column(pets: Path) -> None:
    train = from_csv(pets, normalize=False).train
    assert train.class_names == ("cat", "dog")
    assert train.name == "pets"
    assert train.input_shape == (5,)  # size, young, age, home_sofa, home_yard
    assert (train.x[:, 3] == (train.y == 0)).all()


def test_target(pets: Path) -> None:
    assert from_csv(pets, "size").train.task == "regression"
    assert from_csv(pets, "age", validation=0.3, test=0.3).train.num_classes == 9
    assert from_csv(pets, "age", task="regression").train.num_classes is None


@pytest.mark.parametrize("kind", [str, Path])
def test_load(pets: Path, kind: type) -> None:
    assert (load(kind(pets), seed=3).train.x == from_csv(pets, seed=3).train.x).all()
    assert load(kind(pets), target="size").train.task == "regression"


def test_refusals(pets: Path) -> None:
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
    with pytest.raises(ValueError, match=r"3 missing.*'size': 2 \(the first in row 3\), 'home'"):
        from_csv(pets, "pet")
