"""Every line that installs the package names the place that pyproject.toml says it is at."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from kt_hpo import optional

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
REPOSITORY = PROJECT["urls"]["Repository"]
FILES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "notebooks").glob("*.ipynb")),
]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_what_is_to_be_installed_is_in_the_repository(file):
    text = file.read_text()
    for required in re.findall(r"kt-hpo(?:\[[\w,]+\])?(?: @ git\+([^\s\"\\]+))?\\?\"", text):
        assert required == REPOSITORY, f"{file.name} names another place, or none"
    owner_and_name = REPOSITORY.removeprefix("https://github.com/")
    assert {*re.findall(r"github(?:\.com)?/([\w-]+/kt_hpo)\b", text)} <= {owner_and_name}


def test_an_extra_is_installed_from_where_the_package_is(monkeypatch):
    class Installed:
        def get_all(self, name):
            return [f"Changelog, {REPOSITORY}/changes", f"Repository, {REPOSITORY}"]

    monkeypatch.setattr(metadata, "metadata", lambda name: Installed())
    assert optional.install_line("ray") == f'pip install "kt-hpo[ray] @ git+{REPOSITORY}"'


def test_without_a_place_the_name_is_all(monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "metadata", missing)
    assert optional.install_line("ray") == 'pip install "kt-hpo[ray]"'


def test_extras_that_are_named_exist():
    known = PROJECT["optional-dependencies"]
    for file in FILES:
        for extras in re.findall(r"kt-hpo\[([\w,]+)\]", file.read_text()):
            assert set(extras.split(",")) <= known.keys(), file.name
