"""Every plot looks as it did, in light and in dark."""

import numpy as np
import pytest
from PIL import Image
from plots.pictures import FOLDER, difference, drawn, figures
from plots.studies import mixed_study

# Of 255 shades, in the part of the picture that differs most.
TOLERANCE = 6
FIGURES = dict(figures())


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_plot_looks_as_it_did(name, dark):
    expected = Image.open(FOLDER / f"{name}{'_dark' * dark}.png").convert("L")
    assert difference(drawn(name, FIGURES[name], dark), expected) < TOLERANCE


def test_another_picture_is_noticed():
    name = "plot_optimization_history"
    expected = Image.open(FOLDER / f"{name}.png").convert("L")

    def other(plot, ax):
        return plot(mixed_study(), ax)

    def without_legend(plot, ax):
        FIGURES[name](plot, ax).get_legend().remove()

    for changed in (other, without_legend):
        assert difference(drawn(name, changed), expected) > TOLERANCE


def test_pictures_are_small():
    sizes = [path.stat().st_size for path in FOLDER.glob("*.png")]
    assert len(sizes) == 2 * len(FIGURES) and np.max(sizes) < 6000
