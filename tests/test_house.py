"""What `lint-imports` does not see: packages of others that a ready hypermodel needs."""

import ast
import sys
from pathlib import Path

import hypermodels

ALLOWED = {"hypermodels", "keras", "keras_tuner"} | sys.stdlib_module_names


def test_hypermodels_need_only_keras_and_keras_tuner():
    for path in Path(hypermodels.__file__).parent.glob("*.py"):
        nodes = ast.walk(ast.parse(path.read_text()))
        imported = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
        names = {getattr(node, "module", None) or node.names[0].name for node in imported}
        assert {name.split(".")[0] for name in names} <= ALLOWED, path
