"""What a shell writes and what a file holds are read alike."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from kt_hpo.cli import values

ANYTHING = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.lists(st.integers() | st.text(), max_size=3)
    | st.dictionaries(st.text(), st.integers(), max_size=2)
    | st.dates()
)
KINDS = {
    "text": values.text(),
    "name": values.name(["median", "asha"]),
    "target": values.name(["mlp", "cnn"], or_target=True),
    "whole": values.whole(),
    "none": values.whole(1, ["none"]),
    "bounded": values.whole(0, highest=2),
    "number": values.number(),
    "seconds": values.seconds(),
    "flag": values.flag(),
    "auto": values.flag(["auto"]),
    "texts": values.several(values.text(), "NAMES"),
    "size": values.size(),
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@given(value=ANYTHING)
def test_a_value_is_read_or_refused_in_words_and_stays_as_it_was_read(kind, value):
    try:
        read = kind.read(value)
    except ValueError as error:
        assert str(error).startswith("give ")
    else:
        assert kind.read(read) == read


@given(st.integers(1))
def test_a_whole_number_may_be_written(number):
    assert values.whole().read(str(number)) == values.whole().read(number) == number


@given(st.integers(max_value=0) | st.floats() | st.booleans())
def test_other_numbers_are_no_counts(number):
    with pytest.raises(ValueError, match="from 1 on"):
        values.whole().read(number)


@given(st.floats(0.001, 1e6), st.sampled_from("smhd"))
def test_a_time_has_a_unit(number, unit):
    factor = {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit]
    written = f"{number:.3f}"
    expected = float(written) * factor
    assert values.seconds().read(written + unit) == pytest.approx(expected)


@given(st.lists(st.text("abc_<>0123 .:", min_size=1).filter(str.strip), min_size=1))
def test_several_have_commas_in_a_shell(parts):
    kind = values.several(values.text(), "NAMES")
    stripped = [part.strip() for part in parts]
    assert kind.read(",".join(parts)) == kind.read(parts) == stripped


def test_the_nearest_name_is_suggested():
    with pytest.raises(ValueError, match="Did you mean 'median'"):
        KINDS["name"].read("medain")


@pytest.mark.parametrize("text", ["my_module:load", "a.b.c:Class.build", "keras.datasets.mnist:f"])
def test_a_target_is_a_module_and_a_name(text):
    assert values.is_target(text)


@pytest.mark.parametrize("text", ["mnist", "mnist:3.0.1", "a/b:c", "C:\\data", "a:", ":b", "a:b:c"])
def test_other_texts_are_none(text):
    assert not values.is_target(text)
