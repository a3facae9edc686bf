"""The registry: one line makes a new engine known everywhere, and these tests say what it lacks."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conformance.engines import ENGINES as CONFORMING
from stubs import STUBS, stub

import kt_hpo
from kt_hpo import execution, oracles, plots, registry, tuners

ROOT = Path(kt_hpo.__file__).parent.parent
REFERENCE = "".join(path.read_text() for path in (ROOT / "docs" / "reference").glob("*.md"))
GUIDE = ROOT / "docs/command-line.md"
BY_NAME = pytest.mark.parametrize("engine", registry.ENGINES, ids=lambda engine: engine.tuner)

ENGINE = '''
from kt_hpo.engines.random_search import RandomSearchOracle
from kt_hpo.tuner import Tuner


class ToySearchOracle(RandomSearchOracle):
    """Draws at random."""


class ToySearch(Tuner):
    """Searches at random."""

    def __init__(self, hypermodel=None, objective=None, max_trials=10, seed=None, **kwargs):
        oracle = ToySearchOracle(objective=objective, max_trials=max_trials, seed=seed)
        super().__init__(oracle, hypermodel, **kwargs)
'''
LINE = '    EngineEntry("toy_search", "ToySearch", {"toy": "for the fun of it"}),\n'
PROGRAM = """
import sys
import kt_hpo
from kt_hpo import *
from kt_hpo import cli, oracles, tuners
from kt_hpo.oracles import ToySearchOracle

assert "ToySearch" in dir(kt_hpo) and "ToySearch" in kt_hpo.__all__
assert ToySearch is kt_hpo.ToySearch is tuners.ToySearch and "ToySearch" in dir(tuners)
assert oracles.ToySearchOracle is ToySearchOracle and "ToySearchOracle" in dir(oracles)
assert kt_hpo.algorithms.ALGORITHMS["toy"] == "for the fun of it"
sys.exit(cli.main(sys.argv[1:]))
"""
SEARCH = [
    "search", "--algorithm", "toy", "--data", "models:blobs", "--model", "models:eager",
    "--max-trials", "1", "--max-epochs", "1", "--directory", "toys",
]  # fmt: skip


@pytest.fixture
def house(tmp_path):
    """A copy of the package with one file and one line more."""
    package = tmp_path / "house" / "kt_hpo"
    shutil.copytree(ROOT / "kt_hpo", package)
    (package / "engines" / "toy_search.py").write_text(ENGINE)
    known = (package / "registry.py").read_text()
    assert known.count("ENGINES = (\n") == 1
    (package / "registry.py").write_text(known.replace("ENGINES = (\n", f"ENGINES = (\n{LINE}"))
    return package.parent


def run(house, *arguments):
    path = os.pathsep.join(map(str, (house, ROOT / "tests", ROOT)))
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        cwd=house, env=environment, capture_output=True, text=True,
    )  # fmt: skip


@pytest.mark.slow
def test_one_file_and_one_line_make_an_engine_that_python_and_the_shell_know(house):
    searched = run(house, *SEARCH)
    assert searched.returncode == 0, searched.stderr
    assert (house / "toys" / "search.toml").read_text().count('"toy"') == 1
    shown = run(house, "search", "--help").stdout
    assert "  toy        for the fun of it\n" in shown


def test_every_name_is_there_and_where_the_registry_says():
    for engine in registry.ENGINES:
        for module in (kt_hpo, tuners):
            assert getattr(module, engine.tuner).__module__ == engine.module
        if engine.has_oracle:
            assert getattr(oracles, engine.oracle).__module__ == engine.module
    for name in registry.EXECUTORS.values():
        assert getattr(kt_hpo, name) is getattr(execution, name)
    for name, file in registry.PLOTS.items():
        assert getattr(plots, name).__module__ == f"kt_hpo.plots.{file}"


@pytest.mark.parametrize("package", [kt_hpo, oracles, tuners, plots], ids=lambda one: one.__name__)
def test_what_a_package_lists_is_there_and_nothing_else(package):
    assert set(package.__all__) <= set(dir(package))
    for name in dir(package):
        getattr(package, name)
    with pytest.raises(AttributeError, match=f"'{package.__name__}' has no attribute 'Serch'"):
        package.Serch  # noqa: B018


@pytest.mark.parametrize("package", STUBS)
def test_type_checkers_know_every_name(package):
    assert (ROOT / STUBS[package]).read_text() == stub(package), "run `make stubs`"


@BY_NAME
def test_every_engine_is_documented(engine):
    names = [engine.tuner, engine.oracle] if engine.has_oracle else [engine.tuner]
    for name in names:
        line = f"::: {engine.module}.{name}\n"
        assert line in REFERENCE, f"add {line!r} to docs/reference/"
    assert f"`{engine.tuner}`" in (ROOT / "docs/reference/index.md").read_text()
    if engine.has_oracle:
        for page in ("docs/engines.md", "README.md"):
            assert f"`{engine.tuner}`" in (ROOT / page).read_text()
    (options,) = re.findall(r"^\| `--algorithm` \|.*$", GUIDE.read_text(), re.MULTILINE)
    assert set(engine.algorithms) <= set(re.findall(r"\w+", options)), GUIDE


@BY_NAME
def test_every_engine_is_held_to_the_contract(engine):
    if engine.has_oracle:
        held = {one.oracle.__name__ for one in CONFORMING.values()}
        assert engine.oracle in held, "add a line to tests/conformance/engines.py"


@pytest.mark.parametrize("name", registry.PLOTS)
def test_every_plot_is_documented(name):
    line = f"::: kt_hpo.plots.{registry.PLOTS[name]}\n"
    assert line in REFERENCE + "\n", f"add {line!r} to docs/reference/plots.md"
