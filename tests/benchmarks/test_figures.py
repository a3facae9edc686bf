"""README and the documentation quote what was measured."""

import re

import pytest

from benchmarks import figures

PAGES = ["README.md", *sorted(f"docs/{file.name}" for file in (figures.ROOT / "docs").glob("*.md"))]
# A decimal, or a number with a unit, unless it is a version, a size of HTML or that of an interval.
MEASURED = re.compile(
    r"(?<!Python )(?<!Ray )(?<!Apache )(?<![\w.\"])(?:\d+\.\d+(?!\.?\d)|"
    r"\d[\d,]*(?:\.\d+)?(?: ?%(?!\s+interval)| (?:times|ms|s|MB|seconds|minutes)\b))"
)
COMMAND = re.compile(r"`(?:python\s+-m\s+benchmarks\.\w+|python\s+docs/extensions/|make\s+bench`)")


@pytest.mark.parametrize("page", figures.FIGURES)
def test_figures_are_those_of_the_results(page):
    for words, found, expected in figures.quoted(page):
        assert found, f"{page} does not say any more: {words}"
        assert len(figures.pattern(words).findall(found.string)) == 1, f"not clear where: {words}"
        assert [*found.groups()] == expected, "run `python -m benchmarks.report`"


@pytest.mark.parametrize("page", PAGES)
def test_how_many_times_as_fast_is_a_figure_of_the_results(page):
    assert figures.others(page) == [], "add the figures to benchmarks/figures.py"


def sections(page):
    """The sections of a page, without blocks of code."""
    text = re.sub(r"^```.*?^```", "", (figures.ROOT / page).read_text(), flags=re.M | re.S)
    return re.split(r"^(?=#+ )", text, flags=re.M)


@pytest.mark.parametrize("page", PAGES)
def test_a_section_with_a_measured_number_names_the_command_that_makes_it(page):
    for section in sections(page):
        words = re.sub(r"`[^`]*`|\]\([^)]*\)", "", section)
        found = [number[0] for number in MEASURED.finditer(words)]
        assert not found or COMMAND.search(section), f"{section.splitlines()[0]}: {found}"


def test_a_page_with_figures_names_the_command_that_makes_them():
    for page in figures.FIGURES:
        text = (figures.ROOT / page).read_text()
        assert re.search(r"`python -m\s+benchmarks\.\w+|RESULTS\.md", text), page


def test_figures_are_written_anew(tmp_path, monkeypatch):
    page = tmp_path / "page.md"
    page.write_text("It is 1.5 times\nas fast, and 2 times as long.")
    told = [("It is {} times as fast", lambda: ["3.25"])]
    monkeypatch.setattr(figures, "ROOT", tmp_path)
    monkeypatch.setitem(figures.FIGURES, "page.md", told)
    figures.renew("page.md")
    assert page.read_text() == "It is 3.25 times\nas fast, and 2 times as long."
    assert figures.others("page.md") == ["2 times as long"]
