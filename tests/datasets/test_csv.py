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


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a;b;y\n1;2;0\n", r"has semicolons .*sep=';'"),
        (b"a\tb\ty\n1\t2\t0\n", "has tabs"),
        (b"y\n0\n1\n", "has one column, 'y', and nothing to predict it from"),
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"a,y\n", "a header and no rows"),
        (b"a,y\n1,0\n1,2,3\n", "line 3, has 3 values, and the header names 2 columns"),
        (b"a,y\n1\n", "line 2, has 1 values"),
        (b"a,y\n1,0,5\n2,1,5\n", "line 2, has 3 values"),
        ("a,y\n1,0\nü,1\n".encode("latin-1"), r"not in UTF-8: line 3 .*encoding='latin-1'"),
        (b'a,y\n"1,0\n', "line 2"),
    ],
)
def test_a_damaged_table_says_where_and_what_to_do(content, message, tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as raised:
        from_csv(path)
    assert "table.csv" in str(raised.value)


def test_no_file_is_said_as_such(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no file"):
        from_csv(tmp_path / "missing.csv")


def test_a_mark_of_utf_8_is_not_a_part_of_the_first_name(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(b"\xef\xbb\xbfa,y\n" + b"1,0\n2,1\n" * 20)
    assert from_csv(path, "y", normalize=False).train.input_shape == (1,)
    with pytest.raises(ValueError, match=r"has no column 'z'. Its columns: a, y\."):
        from_csv(path, "z")
