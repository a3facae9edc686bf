"""README and docs: their programs run, their links lead somewhere, and the site builds."""

import ast
import importlib
import os
import re
import subprocess
import sys
import zlib
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

import kt_hpo

ROOT = Path(kt_hpo.__file__).parent.parent
README = ROOT / "README.md"
PAGES = sorted((ROOT / "docs").rglob("*.md"))
TEXTS = [README, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *PAGES]
CODE = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
LOADS = re.compile(r"<(?:script|img|iframe|link)\b[^>]* (?:src|href)=\"?https?:[^>]*>")
# Pages that train in graphs and in Ray's actors: fewer show as much as many.
FEWER = {"max_trials": 2, "num_samples": 2, "num_workers": 1}
LONG = {
    "README.md", "docs/cluster.md", "docs/getting-started.md", "docs/index.md",
    "docs/objectives.md", "docs/predictions.md", "docs/ray-tune.md", "docs/recipes.md",
    "docs/sklearn.md", "docs/training.md",
}  # fmt: skip
# As slow, of many searches that are small already, and counted.
SMALL = {"docs/faq.md"}
# The packages whose public names the reference has.
PUBLIC = (
    "kt_hpo", "kt_hpo.applications", "kt_hpo.datasets", "kt_hpo.datasets.preprocessing",
    "kt_hpo.errors", "kt_hpo.execution", "kt_hpo.oracles", "kt_hpo.plots", "kt_hpo.ray",
    "kt_hpo.reports", "kt_hpo.sklearn", "kt_hpo.tracking", "kt_hpo.tuners", "kt_hpo.wandb",
    "hypermodels", "hypermodels.blocks",
)  # fmt: skip


def name_of(path):
    return str(path.relative_to(ROOT))


def with_programs():
    for path in (README, *PAGES):
        blocks = [code for language, code in CODE.findall(path.read_text()) if language == "python"]
        if blocks:
            program, marks = "".join(blocks), []
            if name_of(path) in LONG:
                program, marks = with_fewer(program), [pytest.mark.slow]
            elif name_of(path) in SMALL:
                marks = [pytest.mark.slow]
            yield pytest.param(path, program, id=name_of(path), marks=marks)


def with_fewer(program):
    for name, count in FEWER.items():
        program = re.sub(rf"\b{name}=\d+", f"{name}={count}", program)
    return program


@pytest.mark.parametrize(("path", "program"), with_programs())
def test_the_programs_of_a_page_run_one_after_the_other(path, program, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with no_ray():
        exec(compile(program, str(path), "exec"), {"__name__": "docs"})


@contextmanager
def no_ray():
    """A page begins without, and leaves none behind, however it ends."""
    import ray

    ray.shutdown()
    try:
        yield
    finally:
        ray.shutdown()


def prose(path):
    return CODE.sub("", path.read_text())


def anchor(heading):
    """The anchor of a heading, as MkDocs and GitHub make it."""
    text = re.sub(r"[^\w\s-]", "", re.sub(r"[`*]", "", heading)).strip().lower()
    return re.sub(r"\s+", "-", text)


@cache
def anchors(path):
    return {anchor(heading) for heading in re.findall(r"^#+ (.*)$", prose(path), re.MULTILINE)}


def links(path):
    targets = re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", prose(path))
    return [one for one in targets if not re.match(r"[a-z]+:", one)]


@pytest.mark.parametrize("path", TEXTS, ids=name_of)
def test_links_lead_to_a_file_and_a_heading(path):
    for link in links(path):
        file, _, place = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        assert target.is_file(), link
        assert not place or place in anchors(target), link


def navigation(entries):
    for entry in entries:
        for value in entry.values():
            yield from [value] if isinstance(value, str) else navigation(value)


def test_every_page_is_in_the_navigation():
    yaml = pytest.importorskip("yaml")
    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text())
    pages = {str(path.relative_to(ROOT / "docs")) for path in PAGES}
    # What lies beside docs/ is shown by docs/extensions/repository.py.
    assert set(navigation(config["nav"])) == pages | {
        "benchmarks.md", "changelog.md", "contributing.md"
    }  # fmt: skip


def is_text(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def said(tree):
    """The texts of a module, with `…` for what is put into them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if is_text(part) else "…" for part in node.values)
        elif is_text(node):
            yield node.value


@cache
def messages():
    files = [*(ROOT / "kt_hpo").rglob("*.py"), *(ROOT / "hypermodels").rglob("*.py")]
    return [text for file in files for text in said(ast.parse(file.read_text()))]


TROUBLES = re.findall(
    r"^\| `([^`]*)` \|", (ROOT / "docs/troubleshooting.md").read_text(), re.MULTILINE
)


@pytest.mark.parametrize("message", TROUBLES)
def test_the_messages_explained_are_those_of_the_source(message):
    parts = [part.strip() for part in message.split("…") if part.strip()]
    assert any(all(part in text for part in parts) for text in messages())


@pytest.fixture
def site(tmp_path):
    pytest.importorskip("mkdocs")
    pytest.importorskip("mkdocstrings")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return tmp_path


@pytest.mark.parametrize("name", kt_hpo.__all__)
def test_the_reference_says_where_every_public_name_is(name):
    assert f"`{name}`" in (ROOT / "docs/reference/index.md").read_text()


def public_names():
    for module in map(importlib.import_module, PUBLIC):
        for name in module.__all__:
            public = getattr(module, name)
            if isinstance(public, type) or callable(public):
                yield f"{public.__module__}.{public.__qualname__}"


@pytest.mark.slow
def test_every_public_name_is_in_the_reference_and_the_site_asks_no_other_server(site):
    known = zlib.decompress((site / "objects.inv").read_bytes().split(b"\n", 4)[4]).decode()
    documented = {line.split(" ")[0] for line in known.splitlines()}
    assert set(public_names()) <= documented
    for page in site.rglob("*.html"):
        assert not LOADS.search(page.read_text()), page
    # Of every plot a picture on each paper, and every notebook as a page.
    for name in kt_hpo.plots.__all__:
        assert {f"{name}-{paper}.svg" for paper in ("light", "dark")} <= {
            picture.name for picture in (site / "gallery").iterdir()
        }
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        assert "<h1" in (site / f"notebooks/{notebook.stem}.html").read_text()
