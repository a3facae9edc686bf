"""CITATION.cff says what pyproject.toml says."""

import tomllib
from pathlib import Path

import yaml

import kt_hpo

ROOT = Path(__file__).parents[1]


def test_version_and_license_are_those_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert (cited["version"], cited["license"]) == (kt_hpo.__version__, project["license"])


def test_templates_of_issues_are_forms():
    for file in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml"):
        form = yaml.safe_load(file.read_text())
        assert {"name", "description", "body"} <= form.keys()
        assert all(part["attributes"]["label"] for part in form["body"])
