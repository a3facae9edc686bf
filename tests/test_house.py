"""What `lint-imports` does not see: packages of others, and their private names."""

import ast
import functools
import importlib
import sys
from itertools import chain
from pathlib import Path

import keras_tuner
import pytest

import hypermodels
import kt_hpo
from kt_hpo._private_apis.keras_tuner import INHERITED

# NumPy comes with Keras.
ALLOWED = {"hypermodels", "keras", "keras_tuner", "numpy"} | sys.stdlib_module_names


@functools.cache
def parsed(path):
    return ast.parse(path.read_text())


def test_hypermodels_need_only_keras_and_keras_tuner_and_what_they_bring():
    for path in Path(hypermodels.__file__).parent.rglob("*.py"):
        nodes = ast.walk(parsed(path))
        imported = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
        names = {getattr(node, "module", None) or node.names[0].name for node in imported}
        assert {name.split(".")[0] for name in names} <= ALLOWED, path


OURS = ("kt_hpo", "hypermodels")
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
    "_info": "documented, of a builder of TensorFlow Datasets",
    "_split_generators": "likewise",
    "_generate_examples": "likewise",
}


def is_private(name):
    return name.startswith("_") and not name.startswith("__") and name != "_"


def is_of_self(node):
    match node:
        case ast.Attribute(value=ast.Name(id="self" | "cls") | ast.Call(func=ast.Name(id="super"))):
            return True
    return False


def own_names(tree):
    """The private names that code defines: functions, classes, variables, attributes of self."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.ClassDef(name=name) | ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.Attribute(attr=name, ctx=ast.Store()) if is_of_self(node):
                yield name


@functools.cache
def names_of_the_house():
    """The private names that objects of ours have."""
    defined = (name for path in FILES for name in own_names(parsed(path)))
    return {*defined, *chain(*INHERITED.values())}


def foreign_names(tree):
    """What a file uses of others' private names, with the lines."""
    known = {*own_names(tree), *ALLOWED_NAMES}
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr=name) if is_private(name) and name not in known:
                if not is_of_self(node) or name not in names_of_the_house():
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
        ("class A(Oracle):\n def f(self):\n  return self._seed_state", ["_seed_state"]),
        ("class A(Oracle):\n @classmethod\n def f(cls):\n  cls._retry()", ["_retry"]),
        ("class A(Oracle):\n def f(self):\n  return super()._retry()", ["_retry"]),
        ("class A(Oracle):\n def f(self):\n  return self._tried_so_far", []),
        ("one._replace(a=1)", []),
    ],
)
def test_private_names_of_others_are_noticed(source, expected):
    assert [name for _, name in foreign_names(ast.parse(source))] == expected


def test_private_names_of_others_are_used_in_their_place_only():
    found = [
        f"{path}:{line}: {name}" for path in FILES for line, name in foreign_names(parsed(path))
    ]
    assert not found, "\n".join(["Use a public way, or kt_hpo/_private_apis:", *found])


@functools.cache
def private_names(kind):
    """The private names of a library's class, those of its objects included."""
    file = getattr(sys.modules[kind.__module__], "__file__", None) or ""
    nodes = ast.walk(parsed(Path(file))) if file.endswith(".py") else ()
    own = [node for node in nodes if isinstance(node, ast.ClassDef) and node.name == kind.__name__]
    return {name for node in own for name in own_names(node) if is_private(name)}


def inherited_names(kind, code):
    """The private names of libraries' classes that a class of ours uses or overrides."""
    libraries = [base for base in kind.__mro__ if base.__module__.split(".")[0] not in OURS]
    used = {*own_names(code), *(node.attr for node in ast.walk(code) if is_of_self(node))}
    return used.intersection(chain(*map(private_names, libraries)))


def classes(path):
    """The classes of a file that have bases, and their code; none where a package is missing."""
    found = [node for node in parsed(path).body if isinstance(node, ast.ClassDef) and node.bases]
    folder = next(folder for folder in HOUSE if folder in path.parents)
    parts = path.relative_to(folder.parent).with_suffix("").parts
    try:
        module = importlib.import_module(".".join(parts)) if found else None
    except ImportError:
        return []
    return [(getattr(module, node.name), node) for node in found]


@pytest.mark.parametrize(
    ("base", "code", "expected"),
    [
        (keras_tuner.Oracle, "def f(self):\n  return self._seed_state", {"_seed_state"}),
        (keras_tuner.Oracle, "def _retry(self, trial):\n  return False", {"_retry"}),
        (keras_tuner.Oracle, "def f(self):\n  self._display = None", {"_display"}),
        (keras_tuner.oracles.GridSearchOracle, "_retry_queue = ()", {"_retry_queue"}),
        (keras_tuner.Oracle, "def f(self):\n  self._own = 1\n  return self._own", set()),
        (object, "def f(self):\n  return self._seed_state", set()),
    ],
)
def test_inherited_private_names_are_noticed(base, code, expected):
    made = type("A", (base,), {})
    assert inherited_names(made, ast.parse(f"class A:\n {code}")) == expected


def test_private_names_are_inherited_only_where_they_are_listed():
    found, used = [], set()
    for path in FILES:
        for kind, code in classes(path):
            names = inherited_names(kind, code)
            listed = {*ALLOWED_NAMES, *chain(*(INHERITED.get(base, ()) for base in kind.__mro__))}
            found += [f"{path}: {kind.__name__}.{name}" for name in names - listed]
            used |= {(base, name) for base in kind.__mro__ for name in names}
    assert not found, "\n".join(["Use another name, or kt_hpo/_private_apis:", *sorted(found)])
    entries = {(base, name) for base, names in INHERITED.items() for name in names}
    assert entries <= used, "Nobody uses these any more."
