"""The notebooks: each runs from top to bottom, and what is committed is fit to be read."""

import ast
import functools
import importlib
import inspect
import re
from pathlib import Path

import pytest

import kt_hpo

nbformat = pytest.importorskip("nbformat")
pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

from IPython.core.inputtransformer2 import TransformerManager  # noqa: E402

from notebooks.execute import execute, joined, notebooks, read  # noqa: E402

OURS = {"kt_hpo", "hypermodels"}
ROOT = Path(kt_hpo.__file__).parents[1]
COLAB = "https://colab.research.google.com/github/kt-hpo/kt_hpo/blob/main/notebooks"
INSTALL = re.compile(
    r'import sys\nfrom pathlib import Path\n\nif "google\.colab" in sys\.modules:\n'
    r'    wheels = \[\*Path\(\)\.glob\("kt_hpo-\*\.whl"\)\]  # .*\n'
    r'    repository = "kt-hpo\[([a-z,]*datasets[a-z,]*)\] @ git\+https://[\w./-]+"\n'
    r'    source = f"\./\{wheels\[0\]\}\[\1\]" if wheels else repository\n'
    r'    %pip install -q "\{source\}"'
)
# The path of any folder from the root on; the slashes of an address or of a tag are none.
MACHINE = re.compile(
    r"/(home|root|tmp|Users|content)/|(?<![\w.</])/(?!/)[\w.-]+/|file:/|[A-Z]:\\\\"
)
# Ray Tune copies its own state while it writes it, and tells of files that went meanwhile.
RAY_TOLD = re.compile(
    r".*Saving experiment state to storage.*\nTraceback .*\n( .*\n)*FileNotFoundError: .*"
)

every_notebook = pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(notebook):
    return [output for cell in code_cells(notebook) for output in cell.outputs]


def words(output):
    """The text of an output, pictures left out."""
    data = {kind: value for kind, value in output.get("data", {}).items() if "image" not in kind}
    return "\n".join([output.get("text", ""), *map(str, data.values())])


def test_there_are_notebooks():
    assert notebooks()


@every_notebook
def test_it_is_valid_and_begins_with_title_and_badge(path):
    notebook = read(path)
    nbformat.validate(notebook)
    first = notebook.cells[0]
    assert first.cell_type == "markdown"
    assert first.source.startswith("# ")
    assert re.findall(r"https://colab[^)\s]*/blob/[^)\s]*", first.source) == [
        f"{COLAB}/{path.name}"
    ]


@every_notebook
def test_its_first_code_installs_on_colab_only(path):
    notebook = read(path)
    assert notebook.cells[1].cell_type == "code"
    assert INSTALL.fullmatch(notebook.cells[1].source)
    others = [cell.source for cell in code_cells(notebook)[1:]]
    assert not any(re.search(r"^\s*[%!]\s*pip\b", source, re.M) for source in others)


@every_notebook
def test_its_outputs_are_committed_in_order(path):
    notebook = read(path)
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))
    assert any("image/png" in output.get("data", {}) for output in outputs(notebook))


@every_notebook
def test_an_interactive_figure_has_a_picture_for_pages_that_only_show_it(path):
    for output in outputs(read(path)):
        kinds = set(output.get("data", {}))
        assert "image/png" in kinds or not any("plotly" in kind for kind in kinds)


@every_notebook
def test_nothing_in_it_is_of_a_machine_or_an_error(path):
    notebook = read(path)
    for output in outputs(notebook):
        assert output.output_type != "error"
        assert output.get("name") != "stderr", words(output)
        assert not MACHINE.search(words(output)), words(output)
    assert not any(MACHINE.search(cell.source) for cell in notebook.cells)


@every_notebook
def test_it_keeps_no_times_of_execution(path):
    assert not any(cell.metadata for cell in read(path).cells)


def test_a_line_that_came_in_pieces_is_whole_and_a_picture_keeps_its_place():
    v4 = nbformat.v4
    pieces = [v4.new_output("stream", text=text) for text in ("best 0.4", "4\n", "after\n")]
    picture = v4.new_output("display_data", data={"image/png": "iVBORw0KGgo="})
    shown = joined([*pieces[:2], picture, pieces[2]])
    assert [output.get("text") for output in shown] == ["best 0.44\n", None, "after\n"]


def chain(node):
    """The names of `a.b.c`, the first one first; nothing for anything else."""
    names = []
    while isinstance(node, ast.Attribute):
        names.insert(0, node.attr)
        node = node.value
    return [node.id, *names] if isinstance(node, ast.Name) else []


def modules(tree):
    """What a notebook imports of ours, by the name that it has there."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] in OURS:
                    whole = importlib.import_module(alias.name)
                    top = importlib.import_module(alias.name.split(".")[0])
                    yield (alias.asname, whole) if alias.asname else (top.__name__, top)
        elif isinstance(node, ast.ImportFrom) and node.module.split(".")[0] in OURS:
            for alias in node.names:
                module = importlib.import_module(node.module)
                yield alias.asname or alias.name, getattr(module, alias.name)


@every_notebook
def test_its_code_asks_for_names_and_arguments_that_there_are(path):
    python = TransformerManager().transform_cell
    tree = ast.parse("\n".join(python(cell.source) for cell in code_cells(read(path))))
    ours, called = dict(modules(tree)), 0
    for node in ast.walk(tree):
        first, *names = chain(node.func if isinstance(node, ast.Call) else node) or [None]
        if first not in ours:
            continue
        found = functools.reduce(getattr, names, ours[first])
        if isinstance(node, ast.Call):
            keywords = {word.arg: None for word in node.keywords if word.arg}
            inspect.signature(found).bind_partial(**keywords)
            called += 1
    assert called


@pytest.mark.slow
@every_notebook
def test_it_runs_from_top_to_bottom(path, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("MPLBACKEND", raising=False)  # The kernel sets its own.
    notebook = execute(read(path), tmp_path)
    for output in outputs(notebook):
        if output.get("name") == "stderr":
            assert "Traceback" not in RAY_TOLD.sub("", output.text), output.text
