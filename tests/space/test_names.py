"""The names that plots and reports give to hyperparameters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kt_hpo.space.names import condition_in_words, short_names, values_in_words


@pytest.mark.parametrize(
    ("recorded", "shown"),
    [
        (["num_layers=[4]/dense_3_units", "rate"], ["dense_3_units", "rate"]),
        (["a=[1]/b=[x|y]/c"], ["c"]),
        (["units", "units [kind=mlp]"], ["units", "units (kind = mlp)"]),
        (["k=[a]/u", "k=[b|c]/u", "v"], ["u (k = a)", "u (k = b or c)", "v"]),
        (["block/units", "other/units"], ["block/units", "other/units"]),
        (["units [2]", "="], ["units [2]", "="]),
    ],
)
def test_a_condition_is_named_only_where_it_tells_two_apart(recorded, shown):
    assert list(short_names(recorded).values()) == shown


@given(st.lists(st.text(alphabet="ab=[]|/, ", max_size=12)))
def test_no_two_hyperparameters_ever_share_a_name(recorded):
    named = short_names(recorded)
    assert set(named) == set(recorded)
    assert len(set(named.values())) == len(named)


def test_whole_numbers_in_a_row_are_a_range():
    assert values_in_words([1, 2, 3, 4]) == "1 to 4"
    assert values_in_words([3, 4]) == "3 or 4"
    assert values_in_words([1, 3, 5]) == "1, 3 or 5"
    assert values_in_words(["relu"]) == "relu"
    assert condition_in_words("kind", [True]) == "kind = True"
