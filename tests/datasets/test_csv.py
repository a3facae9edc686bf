"""Tables in files as data sets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kt_hpo.datasets import DataWarning, from_csv, from_frame, load

pytestmark = pytest.mark.filterwarnings("ignore::kt_hpo.datasets.DataWarning")


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
    assert train.target == "pet"
    assert any("'home' alone tells 'pet'" in sentence for sentence in train.findings)


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
        (b"1,2\n3,4\n", "has no header: its first line, 1, holds numbers only"),
        (b"a,a,y\n1,2,0\n", "line 1, names two columns 'a'"),
        (b"\x89PNG\0\0\0\1", "is no text"),
        (b"a,y\n,0\n,1\n", "has no column to learn from: 'a' is empty"),
        (b"a,y\n1,\n2,\n", "has no value in column 'y'"),
        (b"a;y\n1;2024-01-01\n2;2024-01-02\n", "has dates in column 'y'"),
        (b"y\n0\n1\n", "has one column, 'y', and nothing to predict it from"),
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"a,y\n", "a header and no rows"),
        (b"a,y\n1,0\n1,2,3\n", "line 3, has 3 values, and the header names 2 columns"),
        (b"a,y\n1\n", "line 2, has 1 values"),
        (b"a,y\n1,0,5\n2,1,5\n", "line 2, has 3 values"),
        ("a,y\nü,0\n".encode() + b"\xfc,1\n", "is in UTF-8, but line 3 has a letter of another"),
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


MESSY = """\
\ufeffKunde;Betrag;Land;gekauft am;Rabatt;leer;Preis
{rows}
"""


def messy_rows(count: int) -> str:
    stream = np.random.default_rng(0)
    rows = []
    for row in range(count):
        amount = "?" if row % 9 == 0 else f"{stream.integers(1000, 9999) * 1.5:,.2f}"
        german = amount.replace(",", " ").replace(".", ",").replace(" ", ".")
        land = "" if row % 7 == 0 else ["Österreich", "Italien"][row % 2]
        price = "" if row == 5 else f"{stream.normal():.3f}".replace(".", ",")
        rows.append(
            f"K{row:04};{german};{land};{row % 28 + 1:02}.0{row % 9 + 1}.2024;nein;;{price}"
        )
    return "\n".join(rows)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_table_as_found_in_the_wild(encoding, tmp_path):
    path = tmp_path / "sales.csv"
    path.write_text(MESSY.format(rows=messy_rows(120)).removeprefix("\ufeff"), encoding=encoding)
    with pytest.warns(DataWarning) as warned:
        train, validation, test = from_csv(path)
    assert len(train) + len(validation) + len(test) == 119
    assert train.task == "regression"
    kinds = [(group.name, group.kind) for group in train.preprocessing.groups]
    assert kinds == [
        ("Betrag", "number"), ("gekauft am", "date"), ("Betrag", "missing"),
        ("gekauft am", "date"), ("Land", "category"),
    ]  # fmt: skip
    assert all(np.isfinite(part.x).all() for part in (train, validation, test))
    assert train.findings == tuple(str(one.message) for one in warned)
    said = "\n".join(train.findings)
    for words in (
        "1 of 120 rows have no 'Preis'",
        "Column 'Kunde' is another word in every row",
        "Column 'Rabatt' is 'nein' everywhere: it is left out",
        "Column 'leer' is empty",
    ):
        assert words in said


def test_a_value_of_another_kind_names_its_line_and_column(tmp_path):
    path = tmp_path / "sizes.csv"
    rows = "\n".join(f"{row},{row % 2}" for row in range(40))
    path.write_text(f"size,y\n{rows}\n")
    learned = from_csv(path).train.preprocessing
    path.write_text('size,y\n1,0\n\n"tall",1\n')
    from kt_hpo.datasets.tables import read_table

    with pytest.raises(
        ValueError, match=r"Column 'size' holds 'tall' in line 4, which is no number"
    ):
        learned.transform(read_table(path))
    path.write_text("sise,y\n1,0\n")
    with pytest.raises(ValueError, match=r"no column 'size'. Did you mean 'sise'\?"):
        learned.transform(read_table(path))


def test_whole_numbers_of_many_values_are_quantities(tmp_path):
    path = tmp_path / "prices.csv"
    pd.DataFrame({"size": np.arange(200) % 17, "price": np.arange(200) * 3}).to_csv(
        path, index=False
    )
    train = from_csv(path).train
    assert train.task == "regression"
    assert "'price' holds 200 different whole numbers" in train.findings[0]
    mean, std = train.target_scale
    assert (mean, std) == pytest.approx((train.y.mean(), train.y.std()))


def test_imbalanced_classes_are_said(tmp_path):
    path = tmp_path / "fraud.csv"
    frame = pd.DataFrame({"amount": np.sin(np.arange(200)), "fraud": np.arange(200) % 20 == 0})
    frame.to_csv(path, index=False)
    train = from_csv(path).train
    assert train.class_names == ("False", "True")
    assert any("imbalanced: 'False' has 95 % of the rows" in said for said in train.findings)


def test_parquet_and_other_files(pets, tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    frame = pd.read_csv(pets)
    frame.to_parquet(tmp_path / "pets.parquet")
    assert (load(tmp_path / "pets.parquet").train.x == load(pets).train.x).all()
    arrow = pyarrow.Table.from_pandas(frame)
    assert (from_frame(arrow).train.x == load(pets).train.x).all()
    (tmp_path / "bad.parquet").write_bytes(b"no table")
    with pytest.raises(ValueError, match="cannot be read as a Parquet file"):
        load(tmp_path / "bad.parquet")
    (tmp_path / "pets.xlsx").write_bytes(b"PK")
    with pytest.raises(ValueError, match=r"is no \.csv, .*Save a table as one of these"):
        load(tmp_path / "pets.xlsx")
