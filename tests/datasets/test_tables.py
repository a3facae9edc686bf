"""Tables in files of every kind are read as they were written."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kt_hpo.datasets.tables import decode, read_table

SIGNS = "abcXYZ019 ,;|\t\"'.äöüß€\n-"
TEXTS = st.text(SIGNS, min_size=1, max_size=12).map(str.strip).filter(bool)
CELLS = {
    "text": st.one_of(TEXTS, st.none()),
    "whole": st.integers(-(2**53), 2**53),
    "real": st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.none()),
    "flag": st.booleans(),
}


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_what_is_written_is_read(data: st.DataObject, tmp_path: Path) -> None:
    kinds = data.draw(st.lists(st.sampled_from(list(CELLS)), min_size=2, max_size=5))
    size = data.draw(st.integers(1, 12))
    columns = {
        f"{kind} größe {place}": data.draw(st.lists(CELLS[kind], min_size=size, max_size=size))
        for place, kind in enumerate(kinds)
    }
    frame = pd.DataFrame(columns)
    path = tmp_path / "table.csv"
    frame.to_csv(
        path,
        index=False,
        sep=data.draw(st.sampled_from([",", ";", "\t", "|"])),
        encoding=data.draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"])),
        quoting=data.draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC])),
        lineterminator=data.draw(st.sampled_from(["\n", "\r\n"])),
    )
    texts = [name for name in columns if name.startswith("text")]
    read = read_table(path, texts)
    assert list(read.columns) == list(columns)
    for name, values in columns.items():
        assert [None if pd.isna(value) else value for value in read[name]] == values


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("sep=|\na|y\n1|2\n", {"a": [1], "y": [2]}),
        ("'a','b, c'\n'x','y'\n", {"a": ["x"], "b, c": ["y"]}),
        ("a, y\n 1, x\n", {"a": [1], "y": ["x"]}),
        ("a;y\n1,5;2\n", {"a": ["1,5"], "y": [2]}),
        ("a,y\nNA,None\n", {"a": ["NA"], "y": ["None"]}),
    ],
)
def test_forms(content: str, expected: dict[str, list], tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(content)
    assert read_table(tmp_path / "table.csv").to_dict("list") == expected


def test_rows_are_counted_by_their_lines(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text('a,y\n\n"x\ny",2\nz,3\n')
    assert list(read_table(tmp_path / "table.csv").index) == [4, 5]


def test_texts_that_look_like_numbers(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("zip,y\n01234,1\n")
    assert read_table(tmp_path / "table.csv", ["zip"])["zip"].tolist() == ["01234"]
    assert read_table(tmp_path / "table.csv")["zip"].tolist() == [1234]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
)
def test_encodings(encoding: str, tmp_path: Path) -> None:
    text = "größe;straße\n1;2\n"
    (tmp_path / "table.csv").write_bytes(text.encode(encoding))
    assert decode(tmp_path / "table.csv") == (text, encoding)
    frame = read_table(tmp_path / "table.csv")
    assert list(frame.columns) == ["größe", "straße"]
    assert ("findings" in frame.attrs) == (encoding not in ("utf-8", "utf-8-sig", "utf-16"))
    assert np.array_equal(frame.to_numpy(), [[1, 2]])
