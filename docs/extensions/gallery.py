"""Draws every plot, and writes a report, when the site is built: hooks of MkDocs.

What is drawn are the searches of `tests/plots/pictures.py`, once on light and once on dark paper.
"""

from __future__ import annotations

import inspect
import io
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import matplotlib
import optuna
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import kt_hpo
from kt_hpo.registry import PLOTS

matplotlib.use("Agg")
from matplotlib import pyplot as plt

PAGE, PLACE = "gallery.md", "<!-- every plot -->"
PAPERS = {"light": "default", "dark": "dark_background"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pictures and the report to the site."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    pictures = tests()
    with_report = {"gallery/report.html": report(pictures.search())}
    for uri, content in {**drawn(pictures), **with_report}.items():
        files.append(File.generated(config, uri, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, **others: Any) -> str:
    """Names every plot in the gallery, with what it shows."""
    if page.file.src_uri != PAGE:
        return markdown
    return markdown.replace(PLACE, "\n\n".join(shown(name) for name in PLOTS))


def tests() -> Any:
    """The searches that the tests draw."""
    sys.path.append(str(Path(__file__).parents[2] / "tests"))
    from plots import pictures

    return pictures


def shown(name: str) -> str:
    """A plot: its name, the first sentence about it, and its picture."""
    plot = getattr(kt_hpo.plots, name)
    summary = inspect.getdoc(plot).split("\n\n")[0].replace("\n", " ")
    pictures = "\n".join(
        f"![{name}, on {paper} paper](gallery/{name}-{paper}.svg#only-{paper}){{ loading=lazy }}"
        for paper in PAPERS
    )
    where = f"reference/plots.md#{plot.__module__}.{name}"
    return f"## {name}\n\n{summary} [Reference]({where})\n\n{pictures}"


def drawn(pictures: Any) -> dict[str, str]:
    """The pictures by their places in the site."""
    drawing = {**dict(pictures.figures()), "plot_learning_rate": range_test()}
    made = {}
    for paper, style in PAPERS.items():
        with plt.style.context(style):
            for name, draw in drawing.items():
                figure, ax = plt.subplots(figsize=(7, 4.2), layout="constrained")
                draw(getattr(kt_hpo.plots, name), ax)
                made[f"gallery/{name}-{paper}.svg"] = svg(figure)
            # It has paper of its own.
            overview = kt_hpo.plots.overview(pictures.search())
            made[f"gallery/overview-{paper}.svg"] = svg(overview, transparent=False)
    return made


def svg(figure: Any, transparent: bool = True) -> str:
    """A figure, on the page's own paper if transparent."""
    written = io.StringIO()
    figure.savefig(written, format="svg", transparent=transparent, metadata={"Date": None})
    plt.close(figure)
    return written.getvalue()


def range_test() -> Callable[[Any, Any], Any]:
    """Draws a range test of a small model."""
    train, *_ = kt_hpo.datasets.load("digits")

    def build(hp: Any) -> keras.Model:
        layers = [keras.layers.Flatten(), keras.layers.Dense(10, activation="softmax")]
        model = keras.Sequential([keras.Input(train.input_shape), *layers])
        model.compile("adam", "sparse_categorical_crossentropy")
        return model

    found = kt_hpo.find_learning_rate(build, *train.arrays)
    return lambda plot, ax: plot(found, ax)


def report(study: optuna.Study) -> str:
    """The page about a search."""
    named = optuna.create_study(study_name="example", direction=study.direction)
    named.set_metric_names(study.metric_names)
    named.add_trials(study.trials)
    with tempfile.TemporaryDirectory() as directory:
        return kt_hpo.report(named, Path(directory) / "report.html").read_text()
