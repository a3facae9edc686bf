"""A figure of `kt_hpo.plots` as an SVG element that a page holds and its script reads.

What is drawn of trials is a group with the trials' numbers (`data-trials`), an element each.
"""

from __future__ import annotations

import io
import re
import warnings
from typing import Any
from xml.etree import ElementTree

import matplotlib
from markupsafe import Markup
from matplotlib.figure import Figure

from kt_hpo.plots import style

# Text stays text, which is searched, read aloud and written in the page's font.
_SETTINGS: dict[Any, Any] = {"svg.fonttype": "none", "svg.hashsalt": "kt_hpo"}
_NAMESPACE = re.compile(r"\{[^}]*\}")
_NUMBER = re.compile(r"-?\d+\.\d\d+")
_GROUP = re.compile(r"(dots|lines)((?:--?\d+)*)$")
_REFERENCE = re.compile(r"#([\w-]+)")
_REFERRED = ("path", "clipPath")
_SPACES = re.compile(r"\s+")
_KEPT = ("class", "clip-path", "d", "height", "style", "transform", "viewBox", "width", "x", "y")


def to_svg(figure: Figure, name: str, title: str, description: str) -> Markup:
    """Writes a figure as an SVG element.

    Args:
        figure: The figure.
        name: What no other figure of the page is called; its ids begin with it.
        title: What it shows.
        description: What there is to say besides, for those who cannot see it.

    Returns:
        The element. Whatever is written in the figure is escaped in it.

    Example:
        >>> figure = Figure()
        >>> svg = to_svg(figure, "chart1", "Scores", "Score by trial")
        >>> svg.startswith("<svg"), 'aria-label="Scores"' in svg
        (True, True)
    """
    written = io.BytesIO()
    with matplotlib.rc_context(_SETTINGS), style.styled(), warnings.catch_warnings():
        # The browser has a font for every name; only its width is measured with matplotlib's.
        warnings.filterwarnings("ignore", "Glyph")
        figure.savefig(written, format="svg", transparent=True, metadata={"Date": None})
    root = ElementTree.fromstring(written.getvalue())
    _shorten(root, name, _short_ids(root))
    for group in root.iter("g"):
        _compact(group)
    root.attrib = {"viewBox": root.attrib["viewBox"], "role": "img", "aria-label": title}
    said = ElementTree.Element("desc")
    said.text = description
    root.insert(0, said)
    return Markup(ElementTree.tostring(root, "unicode", short_empty_elements=False))


def _short_ids(root: ElementTree.Element) -> dict[str, str]:
    """A short id for each that something refers to: every dot of a figure names one."""
    ids = [one.get("id") for one in root.iter() if _NAMESPACE.sub("", one.tag) in _REFERRED]
    return {name: f"{place:x}" for place, name in enumerate(filter(None, ids))}


def _shorten(root: ElementTree.Element, name: str, ids: dict[str, str]) -> None:
    """Leaves out what a page does not need: namespaces, metadata, ids that nothing refers to."""
    for parent in root.iter():
        parent.tag = _NAMESPACE.sub("", parent.tag)
        for child in list(parent):
            if _NAMESPACE.sub("", child.tag) == "metadata" or child.find("{*}style") is not None:
                parent.remove(child)
        if parent.tag not in ("text", "tspan"):
            parent.text = None
        parent.tail = None
        parent.attrib = dict(_attributes(parent, name, ids))


def _attributes(
    element: ElementTree.Element, name: str, ids: dict[str, str]
) -> list[tuple[str, str]]:
    """The attributes that are kept, with coordinates to a tenth of a point."""
    kept = []
    for key, value in element.attrib.items():
        key = _NAMESPACE.sub("", key)
        group = _GROUP.match(value) if key == "id" else None
        if group:
            numbers = re.findall(r"(?<=-)-?\d+", group[2])
            kept += [("class", group[1]), ("data-trials", " ".join(numbers))]
        elif key == "id" and element.tag in _REFERRED:
            kept.append((key, f"{name}-{ids[value]}"))
        elif key == "href" or key == "clip-path":
            kept.append((key, _REFERENCE.sub(lambda found: f"#{name}-{ids[found[1]]}", value)))
        elif key in _KEPT:
            short = key in ("d", "x", "y") and "id" not in element.attrib
            if key == "d":
                value = _SPACES.sub(" ", value).strip()
            kept.append((key, _NUMBER.sub(_tenth, value) if short else value))
    return kept


def _tenth(number: re.Match[str]) -> str:
    return f"{float(number[0]):.1f}".removesuffix(".0")


def _compact(group: ElementTree.Element) -> None:
    """Says once, at the group of what is drawn of trials, what all of its elements share."""
    if "data-trials" not in group.attrib:
        return
    elements = [
        one for one in group.iter() if one.tag in ("use", "path") and "id" not in one.attrib
    ]
    definitions = group.findall("defs")
    clips = {one.attrib.pop("clip-path") for one in group.iter() if "clip-path" in one.attrib}
    styles = {one.get("style") for one in elements}
    if len(styles) == 1 and None not in styles:
        group.set("style", elements[0].attrib["style"])
        for one in elements:
            del one.attrib["style"]
    if clips:
        group.set("clip-path", clips.pop())
    group[:] = [*definitions, *elements]
    if len(elements) != len(group.attrib["data-trials"].split()):
        del group.attrib["data-trials"]
