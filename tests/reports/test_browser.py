"""The page in a real browser: it loads, sorts, filters, points and fits the screen."""

import pytest
from browser import complaints, needs_chromium, opened, requests, resize
from optuna.distributions import FloatDistribution
from optuna.trial import create_trial
from reports.searches import DEGENERATE, searched, study_of
from reports.test_report import hostile_study

import kt_hpo

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture(scope="module")
def study():
    return searched()


@pytest.fixture
def page(browser, study, tmp_path):
    resize(browser, 1280)
    return show(browser, study, tmp_path)


def show(browser, study, folder):
    path = kt_hpo.report(study, folder / "page.html")
    requests(browser), complaints(browser)
    browser.get(path.as_uri())
    return browser


def column(browser, name):
    heads = browser.find_elements("css selector", "#table th")
    # A name may break at its underscores.
    titles = [th.text.replace("\n", "").rstrip(" ↑↓") for th in heads]
    cell = f"#table tbody tr td:nth-child({titles.index(name) + 1})"
    return [td.text for td in browser.find_elements("css selector", cell)]


def point_at(browser, chart, x, y, click=False):
    """Moves the pointer to a place of a chart's square, from the upper left."""
    from selenium.webdriver import ActionChains

    plot = browser.find_elements("css selector", ".plot")[chart]
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", plot)
    width, height = plot.size["width"], plot.size["height"]
    moved = ActionChains(browser).move_to_element_with_offset(
        plot, round((x / 1000 - 0.5) * width), round((y / 1000 - 0.5) * height)
    )
    (moved.click() if click else moved).perform()


def place_of(browser, trial):
    """Where a trial's dot is in the first chart."""
    return browser.execute_script(
        "const point = charts[0].points.find((one) => one.trial === arguments[0]);"
        "return [1000 * point.x, 1000 * point.y];",
        trial,
    )


@pytest.mark.slow
def test_it_loads_without_a_complaint_and_asks_for_nothing(page):
    assert requests(page) == [page.current_url]
    assert complaints(page) == []


@pytest.mark.slow
def test_the_best_come_first_and_columns_sort_both_ways(page, study):
    best = [f"{float(f'{trial.value:.5g}'):g}" for trial in [study.best_trial]]
    assert column(page, "val_accuracy")[0] == best[0]
    title = next(
        b for b in page.find_elements("css selector", "#table th button") if b.text == "rate"
    )
    for upward in (True, False):
        title.click()
        values = [float(text) for text in column(page, "rate")]
        assert values == sorted(values, reverse=not upward)
        assert title.find_element("xpath", "..").get_attribute("aria-sort") == (
            "ascending" if upward else "descending"
        )
    assert len(values) == 50
    page.find_element("id", "more").click()
    assert len(column(page, "rate")) == 60


@pytest.mark.slow
def test_the_filter_keeps_the_trials_with_all_words(page):
    page.find_element("id", "filter").send_keys("completed SGD")
    assert set(column(page, "state")) == {"completed"}
    assert set(column(page, "optimizer")) == {"sgd"}
    assert page.find_element("id", "shown").text.split(" of ")[1].isdigit()


def test_pointing_at_a_trial_shows_it_everywhere_and_a_click_keeps_it(page, study):
    number = study.best_trial.number
    point_at(page, 0, *place_of(page, number))
    tip = page.find_element("id", "tip")
    assert tip.is_displayed() and tip.text.startswith(f"Trial {number}\n")
    assert f"optimizer {study.best_trial.params['optimizer']}" in tip.text
    charts = len(page.find_elements("css selector", ".plot"))
    assert len(page.find_elements("css selector", ".mark")) == charts
    point_at(page, 0, *place_of(page, number), click=True)
    point_at(page, 0, 5, 500)
    assert not tip.is_displayed()
    assert len(page.find_elements("css selector", ".mark")) == charts
    chosen = page.find_element("css selector", "#table tr.chosen")
    assert chosen.get_attribute("data-trial") == str(number)
    page.execute_script("arguments[0].scrollIntoView({block: 'center'})", chosen)
    chosen.click()
    assert page.find_elements("css selector", ".mark") == []


def test_dots_are_round_whatever_the_shape_of_the_chart(page):
    """A figure scaled to the page's width must not stretch what is drawn in it."""
    shapes = page.execute_script(
        "return [...document.querySelectorAll('.plot svg .dots use')]"
        ".map((dot) => { const { width, height } = dot.getBoundingClientRect();"
        " return width / height; })"
    )
    assert len(shapes) > 100
    assert shapes == pytest.approx(
        [1.0] * len(shapes), abs=0.06
    )  # A star is a little wider than high.


def test_a_dot_is_where_the_script_takes_it_to_be(page):
    """What is at a trial's place is drawn in the group that names the trial."""
    page.execute_script("document.querySelector('.plot').scrollIntoView({block: 'center'})")
    found = page.execute_script(
        "const { plot, points } = charts[0];"
        "const { left, top, width, height } = plot.getBoundingClientRect();"
        "return points.map(({ trial, x, y }) => { "
        "const at = document.elementsFromPoint(left + x * width, top + y * height);"
        "return at.some((one) => (one.closest('[data-trials]')?.dataset.trials.split(' ') ?? [])"
        ".includes(String(trial))); })"
    )
    assert len(found) >= 60 and sum(found) / len(found) > 0.9


@pytest.mark.parametrize("width", [390, 768, 1920])
def test_no_screen_is_too_narrow(page, width):
    resize(page, width)
    inside = "return document.documentElement.scrollWidth <= innerWidth"
    assert page.execute_script(inside)
    right = page.execute_script(
        "return Math.max(...[...document.querySelectorAll('.plot, .plot svg, h2, .bar')]"
        ".map((one) => one.getBoundingClientRect().right))"
    )
    assert right <= width


def test_names_are_shown_as_they_are_and_never_run(browser, tmp_path):
    page = show(browser, hostile_study(), tmp_path)
    point_at(page, 0, *place_of(page, 3))
    assert "</script>" in page.find_element("id", "tip").text
    assert "onerror" in page.find_element("css selector", "#table th:nth-child(3)").text
    assert page.execute_script("return window.hacked") is None
    assert page.find_elements("css selector", "img") == []
    assert complaints(page) == []


def test_dark_and_light_differ(browser, study, tmp_path):
    page = show(browser, study, tmp_path)
    colors = []
    for scheme in ("light", "dark"):
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        body = "return getComputedStyle(document.body).backgroundColor"
        colors.append(page.execute_script(body))
    assert colors == ["rgb(251, 251, 250)", "rgb(20, 23, 26)"]


def test_a_printed_page_leaves_nothing_to_scroll(browser, tmp_path):
    """What is cut on the screen, to be scrolled to, lay over the next section on paper."""
    kinds = {f"number_of_things_{index}": FloatDistribution(0, 1) for index in range(25)}
    trials = [
        create_trial(value=1.0, params=dict.fromkeys(kinds, i / 60), distributions=kinds)
        for i in range(60)
    ]
    page = show(browser, study_of(trials), tmp_path)
    cut = (
        "return [...document.querySelectorAll('.scroll')]"
        ".filter((one) => one.scrollHeight > one.clientHeight + 1).length"
    )
    assert page.execute_script(cut) == 3  # The best of equal ones, the trials, the space.
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert page.execute_script(cut) == 0
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_searches_load_without_a_complaint(browser, name, tmp_path):
    page = show(browser, DEGENERATE[name](), tmp_path)
    assert complaints(page) == []
    assert page.find_element("tag name", "h1").text == "demo"
