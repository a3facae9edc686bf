import json
import os

from benchmarks import measuring


def test_everyone_is_timed_in_turns():
    order = []

    def contender(name, numbers):
        def run():
            order.append(name)
            return numbers.pop(0)

        return run

    found = measuring.in_turns(
        {"a": contender("a", [3.0, 1.0, 2.0]), "b": contender("b", [5.0, 5.0, 9.0])}, repeats=3
    )
    assert order == ["a", "b"] * 3
    assert found == {
        "a": {"median": 2.0, "least": 1.0, "most": 3.0},
        "b": {"median": 5.0, "least": 5.0, "most": 9.0},
    }


def test_each_call_has_a_process_of_its_own():
    with measuring.fresh_process("json") as process:
        assert len({os.getpid(), process(os.getpid), process(os.getpid)}) == 3


def test_results_say_what_they_were_made_with(tmp_path, monkeypatch):
    monkeypatch.setattr(measuring, "RESULTS", tmp_path / "results")
    options = measuring.arguments("x").parse_args(["--quick"])
    assert measuring.read("none") is None
    measuring.write("some", options, load=0.5, rows=[1, 2])
    found = measuring.read("some")
    assert found["rows"] == [1, 2]
    assert found["about"]["quick"] is True and found["about"]["load_before"] == 0.5
    assert found["about"]["cores"] >= 1 and "keras-tuner" in found["about"]["packages"]
    assert found["about"]["command"].startswith("python ")
    assert json.loads((tmp_path / "results" / "some.json").read_text()) == found


def test_quick_runs_time_once():
    parser = measuring.arguments("x", repeats=7)
    assert measuring.repeats_of(parser.parse_args([])) == 7
    assert measuring.repeats_of(parser.parse_args(["--quick"])) == 1
    assert measuring.repeats_of(parser.parse_args(["--quick", "--repeats", "2"])) == 2


def test_a_row_takes_the_place_of_the_earlier_one_of_its_keys(tmp_path, monkeypatch):
    monkeypatch.setattr(measuring, "RESULTS", tmp_path)
    options = measuring.arguments("x").parse_args([])

    def write(search, trials, seconds):
        row = {"search": search, "trials": trials, "seconds": seconds}
        return measuring.write_row(
            "some", options, 0.5, row, "search", "trials", order=["first", "second"]
        )

    write("second", 4, 1.0)
    write("second", 2, 2.0)
    write("first", 9, 3.0)
    rows = write("second", 4, 5.0)
    assert [row["seconds"] for row in rows] == [3.0, 2.0, 5.0]
    assert measuring.read("some")["rows"] == rows
    assert write("no longer searched", 1, 0.0) == rows
