"""Of which kind a column is, and what its values are."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kt_hpo.datasets.preprocessing.columns import infer
from kt_hpo.datasets.preprocessing.texts_as_numbers import (
    NUMBER_FORMATS,
    NumberFormat,
    days,
    number_format,
)

SENTENCES = [f"the number {number} is a number" for number in range(30)]


@pytest.mark.parametrize(
    ("values", "kind", "first"),
    [
        ([1, 2], "number", 1),
        ([1.5, None], "number", 1.5),
        (["1,234.5", "7"], "number", 1234.5),
        (["1.234,5", "7", "-"], "number", 1234.5),
        (["1 234", "N/A"], "number", 1234),
        (["1'234'567", "NA"], "number", 1234567),
        (["€ 5", "$7", "null"], "number", 5),
        (["5 %", "7%"], "number", 5),
        (["?", "1e3"], "number", np.nan),
        ([*map(str, range(50)), "unknown"], "number", 0),
        ([True, False], "boolean", 1),
        (["TRUE", "false", None], "boolean", 1),
        (["2024-01-02", "2024-01-03"], "date", 19724),
        (["2024-01-02T12:00:00Z", None], "date", 19724.5),
        (["02.01.2024", "31.12.2024"], "date", 19724),
        (["12/31/2024", "01/02/2024"], "date", 20088),
        (["31/12/2024", "01/02/2024"], "date", 20088),
        (["Jan 2, 2024", "?"], "date", 19724),
        ([datetime.date(2024, 1, 2), None], "date", 19724),
        (pd.to_datetime(["2024-01-02", None]), "date", 19724),
        (pd.to_datetime(["2024-01-02"]).tz_localize("Europe/Vienna"), "date", 19723 + 23 / 24),
        (pd.to_timedelta(["1h"]), "number", 3600),
        (pd.Categorical([3, 4]), "category", "3"),
        (["red", "blue"], "category", "red"),
        (["12a", "13b", None], "category", "12a"),
        ([1, "a"], "category", "1"),
        (SENTENCES, "text", SENTENCES[0]),
        ([None, "", "NA"], "number", np.nan),
    ],
)
def test_kinds(values: Any, kind: str, first: Any) -> None:
    column = infer(pd.Series(values), "it")
    assert column.kind == kind
    read = column.read(pd.Series(values))
    assert len(read) == len(values)
    assert read[0] == first or (read[0] != read[0] and first != first)


def test_missing_categories_are_empty_texts() -> None:
    values = pd.Series(["a", None, np.nan])
    assert infer(values, "it").read(values).tolist() == ["a", "", ""]
    codes = pd.Series([3.0, np.nan])
    assert infer(pd.Series(["3", "b"]), "it").read(codes).tolist() == ["3", ""]


def test_one_comma_is_read_as_the_file_writes_numbers() -> None:
    values = pd.Series(["1,234", "5,678"])
    assert infer(values, "it").read(values)[0] == 1234
    assert infer(values, "it", comma_first=True).read(values)[0] == 1.234


@pytest.mark.parametrize("value", [[1], {"a": 1}, np.zeros(2), b"x"])
def test_cells_of_no_kind(value: Any) -> None:
    with pytest.raises(ValueError, match="Column 'it' holds a"):
        infer(pd.Series([value, value], dtype=object), "it")
    with pytest.raises(ValueError, match="complex"):
        infer(pd.Series([1j]), "it")


def test_a_value_of_another_kind_says_where() -> None:
    column = infer(pd.Series(["1", "2"]), "size")
    with pytest.raises(ValueError, match=r"'size' holds 'x' in row 1 \(counted from 0\)"):
        column.read(pd.Series(["1", "x"]))
    days_column = infer(pd.Series(["2024-01-01"]), "day")
    with pytest.raises(ValueError, match=r"'day' holds '1\.1\.2024' in row 0.*no date"):
        days_column.read(pd.Series(["1.1.2024"]))


@given(
    numbers=st.lists(st.decimals(-(10**9), 10**9, places=2), min_size=1, max_size=20),
    form=st.sampled_from(NUMBER_FORMATS),
)
def test_numbers_in_every_format(numbers: list[Any], form: NumberFormat) -> None:
    texts = [f"{number:,.2f}" for number in numbers]
    swap = str.maketrans({",": form.thousands, ".": form.decimal})
    texts = [text.translate(swap) for text in texts]
    found, unread = number_format(texts)
    assert not unread
    assert found.parse(texts).tolist() == [float(number) for number in numbers]


@given(st.datetimes(datetime.datetime(1700, 1, 1), datetime.datetime(2200, 1, 1)))
def test_days(moment: datetime.datetime) -> None:
    expected = (moment - datetime.datetime(1970, 1, 1)) / datetime.timedelta(days=1)
    assert days([moment.isoformat()], "ISO8601")[0] == pytest.approx(expected, abs=1e-9)
