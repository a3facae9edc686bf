"""Shows what lies beside `docs/` as pages of the site: hooks of MkDocs.

The notebooks are shown with the outputs that are stored in them; nothing is executed. Links between
pages are written as they work in the repository, and lead to the pages here.
"""

from __future__ import annotations

import base64
import json
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# Files of the repository, and the pages that show them.
PAGES = {
    "benchmarks/RESULTS.md": "benchmarks.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    **{f"notebooks/{file.name}": f"notebooks/{file.stem}.md" for file in NOTEBOOKS},
}
SOURCES = {page: file for file, page in PAGES.items()}
LINK = re.compile(r"(\[[^\]]*\]\()([^)\s#]+)(#[^)\s]*)?\)")
BADGE = re.compile(r"\[!\[Open In Colab\]\([^)]*\)\]\(([^)]*)\)")
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Names the notebooks in the navigation."""
    for entry in config.nav or []:
        if "Notebooks" in entry:
            entry["Notebooks"] = [PAGES[f"notebooks/{file.name}"] for file in NOTEBOOKS]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages, and the pictures in them."""
    for source, page in PAGES.items():
        if not source.endswith(".ipynb"):
            files.append(File.generated(config, page, content=(ROOT / source).read_text()))
    for picture in (ROOT / "benchmarks/results").glob("*.svg"):
        uri = f"results/{picture.name}"
        files.append(File.generated(config, uri, abs_src_path=str(picture)))
    for notebook in NOTEBOOKS:
        for uri, content in page_of(notebook):
            files.append(File.generated(config, uri, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, **others: Any) -> str:
    """Leads links to where their files are in the site, or else in the repository."""
    here = page.file.src_uri
    directory = posixpath.dirname(SOURCES.get(here, f"docs/{here}"))

    def led(found: re.Match[str]) -> str:
        words, target, anchor = found[1], found[2], found[3] or ""
        path = posixpath.normpath(posixpath.join(directory, target))
        if ":" in target or not (ROOT / path).is_file():
            return found[0]
        if place := place_of(path):
            target = posixpath.relpath(place, posixpath.dirname(here) or ".")
        else:
            target = f"{config.extra['social'][0]['link']}/blob/main/{path}"
        return f"{words}{target}{anchor})"

    return LINK.sub(led, markdown)


def place_of(path: str) -> str | None:
    """Where a file of the repository is in the site, if it is there."""
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    if path.startswith("benchmarks/results/"):
        return path.removeprefix("benchmarks/")
    return PAGES.get(path)


def page_of(notebook: Path) -> Iterator[tuple[str, str | bytes]]:
    """A notebook as a page of Markdown, after the pictures in it."""
    page = PAGES[f"notebooks/{notebook.name}"]
    parts = []
    for number, cell in enumerate(json.loads(notebook.read_text())["cells"]):
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(BADGE.sub(r"[Open in Colab](\1)", source))
        elif source.strip():
            parts.append(fenced(source, "python"))
        for place, output in enumerate(cell.get("outputs", [])):
            data = output.get("data", {})
            if "image/png" in data:
                name = f"{notebook.stem}-{number}-{place}.png"
                yield f"notebooks/{name}", base64.b64decode("".join(data["image/png"]))
                parts.append(f"![What the cell above draws]({name}){{ loading=lazy }}")
            elif shown := words_of(output):
                parts.append(shown)
    yield page, "\n\n".join(parts)


def words_of(output: dict[str, Any]) -> str:
    """An output without pictures, as Markdown."""
    data = output.get("data", {})
    if page := "".join(data.get("text/html", "")):
        # One line: an empty one would end a block of HTML.
        page = re.sub(r"<(style|script)\b.*?</\1>", "", page, flags=re.DOTALL)
        return f'<div class="output">{" ".join(page.split())}</div>'
    text = ANSI.sub("", "".join(output.get("text", "") or data.get("text/plain", "")))
    return fenced(text, "text") if text.strip() else ""


def fenced(text: str, language: str) -> str:
    """A block of code."""
    return f"````{language}\n{text.rstrip()}\n````"
