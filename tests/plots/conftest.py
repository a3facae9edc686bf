import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure


@pytest.fixture
def ax():
    return Figure().subplots()


@pytest.fixture(autouse=True)
def no_figures_are_left():
    yield
    plt.close("all")
