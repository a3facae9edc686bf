"""Flags go before the file, and the file before the defaults."""

import json
import stat
import tomllib

import hypothesis.strategies as st
import pytest
import yaml
from hypothesis import given

from kt_hpo.cli import options
from kt_hpo.cli.settings import as_flags, complete, read_file, to_toml, write_file

NEEDED = {"data": "wine", "model": "mlp", "directory": "runs/wine"}
IN_FILE = [option for option in options.OPTIONS.values() if option.in_file]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)


def value_of(option):
    """Values that an option may have."""
    kind = option.kind
    candidates = [
        TEXT, st.lists(TEXT, min_size=1), st.integers(0, 10**6), st.booleans(),
        st.floats(0.001, 1e6), st.lists(st.integers(1, 999), min_size=2, max_size=2),
    ]  # fmt: skip
    if kind.names:
        names = st.sampled_from(kind.names)
        candidates += [names, st.lists(names, min_size=1)]
    return st.one_of(candidates).map(lambda value: readable(option, value)).filter(bool)


def readable(option, value):
    try:
        return [option.read(value, "")]
    except ValueError:
        return []


@st.composite
def settings(draw):
    chosen = draw(st.lists(st.sampled_from(IN_FILE), max_size=4, unique_by=lambda o: o.name))
    return {option.name: draw(value_of(option))[0] for option in chosen}


@pytest.mark.slow
@given(known=settings())
def test_what_is_written_is_read_again(known, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "search.toml"
    write_file(path, known)
    assert read_file(path) == known
    as_yaml = path.with_suffix(".yaml")
    as_yaml.write_text(yaml.safe_dump(tomllib.loads(path.read_text("utf-8"))), "utf-8")
    assert read_file(as_yaml) == known


@given(content=st.binary(max_size=60), suffix=st.sampled_from([".toml", ".yaml"]))
def test_any_file_is_read_or_refused_with_its_name(content, suffix, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / f"any{suffix}"
    path.write_bytes(content)
    try:
        assert read_file(path).keys() <= options.OPTIONS.keys()
    except ValueError as error:
        assert str(path) in str(error)


def test_flags_go_before_the_file_and_that_before_the_defaults(tmp_path):
    path = tmp_path / "demo.yaml"
    path.write_text("data: digits\nmodel: mlp\nmax_trials: 7\nseed: 3\nwarm_start: null\n")
    found = complete({"config": str(path), "seed": "5", "directory": "runs/demo"})
    assert (found["data"], found["max_trials"], found["seed"]) == ("digits", 7, 5)
    assert (found["pruner"], found["algorithm"]) == ("auto", "auto")
    assert not {"warm_start", "max_epochs"} & found.keys()


def test_a_file_in_groups_is_for_people_too(tmp_path):
    path = tmp_path / "new" / "search.toml"
    write_file(path, complete({**NEEDED, "objective": "val_loss, latency", "time_budget": "2h"}))
    text = path.read_text()
    assert "kt-hpo resume" in text.splitlines()[0] + text.splitlines()[1]
    assert text.index("# what is searched") < text.index('data = "wine"') < text.index("# how it")
    assert tomllib.loads(text)["objective"] == ["val_loss", "latency"]
    assert "time_budget = 7200.0" in text and "verbose" not in text and "overwrite" not in text


def test_a_password_is_for_its_owner_and_not_in_the_record(tmp_path):
    known = {**NEEDED, "storage": "postgresql://me:secret@host/trials"}
    write_file(tmp_path / "search.toml", known)
    assert stat.S_IMODE((tmp_path / "search.toml").stat().st_mode) == 0o600
    assert "secret" not in json.dumps(as_flags(known))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.toml", "max_trails = 3", ["Did you mean 'max_trials'?", "a.toml"]),
        ("a.toml", "quux = 3", ["no option of a search", "max_trials"]),
        ("a.toml", "max-trials = 3", ["Did you mean 'max_trials'?"]),
        ("a.toml", "max_trials = 0", ["max_trials = 0", "from 1 on"]),
        ("a.toml", "max_trials = true", ["max_trials = True"]),
        ("a.toml", "overwrite = true", ["for the command line alone", "--overwrite"]),
        ("a.toml", "max_trials =\nseed = 1", ["a.toml is not understood", "line 1"]),
        ("a.yaml", "pruner: medain", ["Did you mean 'median'?"]),
        ("a.yaml", "a: [", ["a.yaml is not understood", "line"]),
        ("a.yaml", "- data", ["name: value"]),
        ("a.yaml", "1: data", ["1 in", "no option"]),
        ("a.json", "{}", ["neither a .toml nor a .yaml"]),
    ],
)
def test_a_wrong_file_says_what_is_wrong_where(name, content, words, tmp_path):
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError) as refused:
        read_file(tmp_path / name)
    assert all(word in str(refused.value) for word in words)


def test_what_is_needed_is_asked_for():
    with pytest.raises(ValueError, match="needs --data too"):
        complete({"directory": "runs/wine"})
    with pytest.raises(FileNotFoundError, match=r"no file nowhere\.toml"):
        complete({"config": "nowhere.toml"})


@pytest.mark.parametrize(
    ("data", "model", "directory"),
    [
        ("wine", "mlp", "runs/wine-mlp"),
        ("tables/my wine.csv", "mlp", "runs/my.wine-mlp"),
        ("big.parquet", "mlp", "runs/big-mlp"),
        ("./photos.v2/", "cnn", "runs/photos.v2-cnn"),
        ("mnist:3.0.1", "cnn", "runs/mnist.3.0.1-cnn"),
        ("mine:load", "mine:Space.build", "runs/mine.load-mine.Space.build"),
        ("/", "mlp", "runs/data-mlp"),
        ("wine.csv", "auto", "runs/wine"),
    ],
)
def test_a_search_without_a_directory_has_one_of_its_data_and_model(data, model, directory):
    assert complete({"data": data, "model": model})["directory"] == directory


def test_minutes_are_a_time_budget_and_leave_the_number_of_trials_open(tmp_path):
    found = complete({**NEEDED, "minutes": "1.5"})
    assert found["time_budget"] == 90 and not {"minutes", "max_trials"} & set(found)
    path = tmp_path / "long.toml"
    path.write_text('time_budget = "2h"\nmax_trials = 9\n')
    found = complete({**NEEDED, "config": str(path), "minutes": "1"})
    assert (found["time_budget"], found["max_trials"]) == (60, 9)
    with pytest.raises(ValueError, match="leave one of them out"):
        complete({**NEEDED, "minutes": "1", "time_budget": "60s"})
    for wrong in ("0", "nan", "1m", "-3"):
        with pytest.raises(ValueError, match=f"--minutes {wrong} is not allowed"):
            complete({**NEEDED, "minutes": wrong})


def test_flags_are_quoted_for_a_shell():
    known = {**NEEDED, "constraint": ["parameters < 10"], "csv_log": False, "deterministic": True}
    assert as_flags(known) == {
        "data": "wine",
        "model": "mlp",
        "constraint": "'parameters < 10'",
        "deterministic": "",
    }
    assert "# what is kept" in to_toml(known)
