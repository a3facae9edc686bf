"""The examples of docs/extending.md keep the contracts that the package's own parts keep."""

import os
import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from conformance import test_executors
from conformance.test_executors import inline  # noqa: F401

import kt_hpo

ROOT = Path(kt_hpo.__file__).parent.parent
PAGE = (ROOT / "docs" / "extending.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
LINE = '    EngineEntry("coordinate_search", "CoordinateSearch", {"coordinate": "coordinates"}),\n'
CONFORMING = """
    "coordinate": Engine(oracles.CoordinateSearchOracle, {"max_trials": 14}, learns=True),
"""


def block(name):
    """The block of the page that defines a class, without what is run with it."""
    (found,) = [code for code in BLOCKS if f"class {name}" in code]
    return found.split("\n\n\ntuner = ")[0]


def example(name):
    """A class of the page, with what stands before it."""
    known = {"__name__": "page", "kt_hpo": kt_hpo}
    exec("\n\n".join(block(each) for each in ("Parabola", name)), known)
    return known[name]


def replaced(path, old, new):
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


@pytest.mark.slow
def test_the_engine_put_into_the_package_passes_the_contract(tmp_path):
    for folder in ("kt_hpo", "tests", "docs"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    engine = block("CoordinateSearchOracle")
    (tmp_path / "kt_hpo/engines/coordinate_search.py").write_text(engine)
    replaced(tmp_path / "kt_hpo/registry.py", "ENGINES = (\n", f"ENGINES = (\n{LINE}")
    replaced(
        tmp_path / "tests/conformance/engines.py", "ENGINES = {\n", f"ENGINES = {{{CONFORMING}"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "0", "-q", "-p", "no:cacheprovider",
         "tests/conformance/test_contract.py", "tests/conformance/test_better_than_random.py",
         "-k", "coordinate"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert done.stdout.split("[100%]")[0].count(".") > 10  # So many tests have run.


@pytest.mark.slow
def test_the_executor_runs_the_trials_of_inline(inline, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setitem(test_executors.EXECUTORS, "a few", partial(example("AFew"), 100))
    test_executors.check_all("a few", inline, tmp_path)


def test_the_executor_leaves_the_other_trials_for_another_day(tmp_path):
    for done in (2, 4, 5):
        tuner = example("Parabola")(
            max_trials=5, seed=0, executor=example("AFew")(2), directory=tmp_path
        )
        tuner.search(verbose=0)
        assert len(tuner.study.trials) == done
        assert all(trial.state.is_finished() for trial in tuner.study.trials)


def test_the_pruner_goes_with_any_engine_and_stops_what_it_should(tmp_path):
    pruner = example("Impatient")()
    for engine in (kt_hpo.RandomSearch, kt_hpo.OptunaSearch, kt_hpo.EvolutionarySearch):
        search = type("Search", (engine,), {"run_trial": example("Parabola").run_trial})
        tuner = search(
            max_trials=8, seed=0, pruner=pruner, directory=tmp_path, project_name=engine.__name__
        )
        tuner.search(verbose=0)
        for trial in tuner.study.trials:
            above = trial.intermediate_values[2] > 0.5
            assert trial.state.name == ("PRUNED" if above else "COMPLETE")
        assert {trial.state.name for trial in tuner.study.trials} == {"PRUNED", "COMPLETE"}


def test_the_sampler_begins_in_the_middle_and_is_repeatable(tmp_path):
    def search(name):
        tuner = example("Parabola")(
            max_trials=4, seed=0, sampler=example("MiddleFirst")(), directory=tmp_path,
            project_name=name,
        )  # fmt: skip
        tuner.search(verbose=0)
        return [trial.params["x"] for trial in tuner.study.trials]

    values = search("one")
    assert values[0] == 0 and len(set(values)) == 4
    assert search("other") == values


@pytest.mark.parametrize("executor", [None, pytest.param(2, marks=pytest.mark.slow)])
def test_the_tracker_hears_of_every_new_best_under_any_executor(executor, tmp_path, capsys):
    tuner = example("Parabola")(
        max_trials=6, seed=0, tracker=example("Shout")(), executor=executor, directory=tmp_path
    )
    tuner.search(verbose=0)
    shouted = re.findall(r": ([\d.]+) WITH \{'x'", capsys.readouterr().out)
    assert shouted and float(shouted[-1]) == pytest.approx(tuner.study.best_value, abs=5e-4)
    assert sorted(map(float, shouted), reverse=True) == [*map(float, shouted)]
