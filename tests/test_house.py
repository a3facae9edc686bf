"""The architecture: imports go down the list, never up, and there is no circle."""

import ast
import sys
from pathlib import Path

import pytest

import kt_hpo

# From the top of the house to its ground; what stands in one line does not import each other.
FLOORS = [
    {"cli", "compat"},
    {"algorithms", "reports", "result_files"},
    {"integrations"},
    {"engines"},
    {"tuner"},
    {"results", "tuner_arguments"},
    {"execution"},
    {"training"},
    {"oracle"},
    {"plots", "tracking"},
    {"pruning", "record"},
    {"constraints", "objectives", "space"},
    {"datasets", "startup"},
    {"arguments", "formatting", "garbage", "metric_directions", "optional"},
]
ROOT = Path(kt_hpo.__file__).parent


def modules():
    return sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")


def imports(path):
    """What a file imports of the package when it is imported itself, by their full names."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name


def part_of(path):
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def floor_of(part):
    return next(number for number, floor in enumerate(FLOORS) if part in floor)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_down(path):
    own = part_of(path)
    for name in imports(path):
        package, *rest = name.split(".")
        if package == "kt_hpo" and rest and rest[0] != own:
            assert floor_of(rest[0]) > floor_of(own), f"{own} imports {name}"


def test_hypermodels_need_only_keras_and_keras_tuner():
    allowed = {"hypermodels", "keras", "keras_tuner"} | sys.stdlib_module_names
    for path in (ROOT.parent / "hypermodels").glob("*.py"):
        packages = {name.split(".")[0] for name in imports(path)}
        assert packages <= allowed, path


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_files_are_short(path):
    assert len(path.read_text().splitlines()) <= 440
