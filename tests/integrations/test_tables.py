"""The trials in a table."""

import hypothesis.strategies as st
import optuna
import pandas as pd
import pytest
from hypothesis import given
from optuna.trial import TrialState

import kt_hpo
from kt_hpo.integrations.imports import import_search
from kt_hpo.integrations.tables import read_table

TABLE = """\
trial,state,val_accuracy,units,rate,kind,flag,accuracy,best_epoch,parameters,seconds,error
0,completed,0.5,16,0.001,adam,True,0.6,3,120,2.5,
1,completed,0.75,64,0.5,sgd,False,0.8,1,480,3.5,
2,pruned,0.25,32,0.02,,True,0.3,1,240,1.0,
3,failed,,32,0.02,adam,True,,,,0.5,ValueError: no
4,running,,32,0.3,adam,True,,,,,
"""


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "trials.csv"
    path.write_text(TABLE)
    return path


def test_a_table_is_read_by_its_columns(table):
    objective, trials = read_table(table)
    assert (objective.name, objective.direction) == ("val_accuracy", "max")
    states = [TrialState.COMPLETE, TrialState.COMPLETE, TrialState.PRUNED]
    assert [t.state for t in trials] == [*states, TrialState.FAIL, TrialState.RUNNING]
    first = trials[0]
    assert first.params == {"units": 16, "rate": 0.001, "kind": "adam", "flag": True}
    assert first.user_attrs["metrics"] == {"val_accuracy": 0.5, "accuracy": 0.6}
    assert (first.user_attrs["best_epoch"], first.user_attrs["parameters"]) == (2, 120)
    assert first.duration.total_seconds() == pytest.approx(2.5, abs=0.01)
    assert "kind" not in trials[2].params
    assert trials[3].user_attrs["traceback"] == "ValueError: no"
    assert first.distributions["units"] == optuna.distributions.IntDistribution(16, 64)
    assert first.distributions["rate"].log


def test_a_table_becomes_a_record(table, tmp_path):
    study = import_search(table, tmp_path / "runs")
    assert study.study_name == "trials" and len(study.trials) == 4
    assert study.best_trial.number == 1
    assert kt_hpo.report(tmp_path / "runs" / "trials").exists()
    again = pd.read_csv(kt_hpo.export(tmp_path / "runs" / "trials"))
    assert list(again["val_accuracy"])[:3] == [0.5, 0.75, 0.25]


@pytest.mark.parametrize(
    ("content", "objective", "words"),
    [
        ("a,b\n1,2\n", None, "which of a, b was optimized"),
        (TABLE, "val_acuracy", "Did you mean 'val_accuracy'?"),
        (TABLE, "kind", "other things than numbers"),
        (TABLE.replace("pruned", "prunned"), None, "Did you mean 'pruned'?"),
        ("", None, "not understood"),
    ],
)
def test_a_wrong_table_says_what_is_wrong(content, objective, words, tmp_path):
    path = tmp_path / "trials.csv"
    path.write_text(content)
    given = objective and kt_hpo.Objective(objective, "max")
    with pytest.raises(ValueError) as refused:
        import_search(path, tmp_path, objective=given)
    assert words in str(refused.value)


NAMES = st.sampled_from(["units", "rate", "kind", "flag"])
VALUES = {
    "units": st.integers(-1000, 1000),
    "rate": st.floats(-1e6, 1e6),
    "kind": st.text("abcxyz", min_size=1, max_size=4).filter(
        lambda text: text not in ("nan", "na")
    ),
    "flag": st.booleans(),
}
ROWS = st.lists(
    st.lists(NAMES, unique=True).flatmap(
        lambda names: st.fixed_dictionaries({name: VALUES[name] for name in names})
    ),
    min_size=1,
    max_size=6,
)


@pytest.mark.slow
@given(rows=ROWS)
def test_a_study_that_was_exported_is_imported_as_it_was(rows, tmp_path_factory):
    kinds = {
        "units": optuna.distributions.IntDistribution(-1000, 1000),
        "rate": optuna.distributions.FloatDistribution(-1e6, 1e6),
        "kind": optuna.distributions.CategoricalDistribution(
            sorted({row["kind"] for row in rows if "kind" in row}) or ["a"]
        ),
        "flag": optuna.distributions.CategoricalDistribution([False, True]),
    }
    study = optuna.create_study()
    for number, row in enumerate(rows):
        chosen = {name: kinds[name] for name in row}
        study.add_trial(optuna.trial.create_trial(value=number, params=row, distributions=chosen))
    path = kt_hpo.export(study, tmp_path_factory.getbasetemp() / "trials.csv")
    _, trials = read_table(path, kt_hpo.Objective("objective", "min"))
    assert [trial.value for trial in trials] == list(range(len(rows)))
    assert [trial.params for trial in trials] == [pytest.approx(row) for row in rows]


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("seconds", "abc", "'abc' is no number from 0"),
        ("seconds", "1e300", "'1e\\+300' is no number from 0"),
        ("seconds", "-1", "'-1' is no number from 0"),
        ("best_epoch", "first", "'first' is no number from 1"),
        ("parameters", "many", "'many' is no number"),
        ("violation", "x", "'x' is no number"),
        ("val_accuracy", "good", "'good' is no number"),
        ("x", "inf", "not finite"),
    ],
)
def test_a_bad_number_is_named_by_its_column_and_row(column, value, message, tmp_path):
    path = tmp_path / "trials.csv"
    path.write_text(f"val_loss,{column}\n0.1,1\n0.2,{value}\n")
    with pytest.raises(ValueError, match=message) as raised:
        kt_hpo.import_search(path, tmp_path, "imported")
    assert f"column '{column}'" in str(raised.value)
    assert value == "inf" or "row 1" in str(raised.value)
