"""What `lint-imports` does not see: packages of others, and their private names."""

import ast
import sys
from pathlib import Path

import pytest

import hypermodels
import kt_hpo

# NumPy comes with Keras.
ALLOWED = {"hypermodels", "keras", "keras_tuner", "numpy"} | sys.stdlib_module_names


def test_hypermodels_need_only_keras_and_keras_tuner_and_what_they_bring():
    for path in Path(hypermodels.__file__).parent.rglob("*.py"):
        nodes = ast.walk(ast.parse(path.read_text()))
        imported = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
        names = {getattr(node, "module", None) or node.names[0].name for node in imported}
        assert {name.split(".")[0] for name in names} <= ALLOWED, path


HOUSE = [Path(package.__file__).parent for package in (kt_hpo, hypermodels)]
FILES = [
    path
    for folder in HOUSE
    for path in sorted(folder.rglob("*.py"))
    if "_private_apis" not in path.relative_to(folder).parts
]
# Private by their name only.
ALLOWED_NAMES = {
    "_replace": "documented, of named tuples",
    "_exit": "documented, of os",
    "_getframe": "documented, of sys",
    "_build_hypermodel": "the tuner's, which training/ asks through a protocol",
    "_build_and_fit_model": "likewise",
    "_searched": "of our tuner",
    "_start_recording": "of our oracle",
}


def is_private(name):
    return name.startswith("_") and not name.startswith("__") and name != "_"


def own_names(tree):
    """The private names that a file defines: functions, classes, variables, attributes of self."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.ClassDef(name=name) | ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name, ctx=ast.Store()):
                yield name


def foreign_names(source):
    """What a file uses of others' private names, with the lines."""
    tree = ast.parse(source)
    known = {*own_names(tree), *ALLOWED_NAMES}
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="self" | "cls")):
                continue
            case ast.Attribute(attr=name) if is_private(name) and name not in known:
                yield node.lineno, name
            case ast.Call(
                func=ast.Name(id="getattr" | "hasattr" | "setattr"),
                args=[_, ast.Constant(value=str() as name), *_],
            ) if is_private(name) and name not in known:
                yield node.lineno, name
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                module = getattr(node, "module", None) or ""
                for path in (f"{module}.{one.name}".strip(".") for one in names):
                    if is_foreign(path):
                        yield node.lineno, path


def is_foreign(path):
    first, *parts = path.split(".")
    if first in ("kt_hpo", "hypermodels", "__future__"):
        return False
    return "src" in parts or path.startswith("tensorflow.python") or any(map(is_private, parts))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("study._storage.get_trial(0)", ["_storage"]),
        ("getattr(optimizer, '_learning_rate', None)", ["_learning_rate"]),
        ("from keras_tuner.src.engine import conditions", ["keras_tuner.src.engine.conditions"]),
        ("from optuna.distributions import _get", ["optuna.distributions._get"]),
        ("class A:\n def f(self, other):\n  self._x = other._x", []),
        ("one._replace(a=1)", []),
    ],
)
def test_private_names_of_others_are_noticed(source, expected):
    assert [name for _, name in foreign_names(source)] == expected


def test_private_names_of_others_are_used_in_their_place_only():
    found = [
        f"{path}:{line}: {name}" for path in FILES for line, name in foreign_names(path.read_text())
    ]
    assert not found, "\n".join(["Use a public way, or kt_hpo/_private_apis:", *found])
