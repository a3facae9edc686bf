import shutil

import pytest
from cli.commands import UNTRAINED
from matplotlib.figure import Figure

from kt_hpo import cli


@pytest.fixture
def unpainted(monkeypatch):
    """Leaves the picture of a search empty: to draw it takes longer than to search."""
    monkeypatch.setattr("kt_hpo.result_files.overview", lambda *args, **kwargs: Figure())


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A search of two trials that is over, only to be read."""
    directory = tmp_path_factory.mktemp("cli") / "finished"
    assert cli.main([*UNTRAINED, "--directory", str(directory)]) == cli.OK
    return directory


@pytest.fixture
def copied(finished, tmp_path):
    """The same, to be changed."""
    return shutil.copytree(finished, tmp_path / "copied")
