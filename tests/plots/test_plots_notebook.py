"""Plots in a real notebook: each is shown once, and the user's own still are."""

import pytest

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("ipykernel")

CELLS = [
    """
import optuna
from kt_hpo import plots
study = optuna.create_study()
study.add_trials(optuna.create_trial(value=float(i)) for i in range(3))
plots.plot_optimization_history(study)
""",
    "plots.overview(study)",
    "page = plots.overview(study)",
    "from matplotlib import pyplot as plt\nplt.plot([1, 2]);",
]


@pytest.mark.slow
def test_each_figure_is_shown_once(monkeypatch):
    monkeypatch.delenv("MPLBACKEND", raising=False)  # The kernel sets its own.
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in CELLS])
    nbclient.NotebookClient(notebook, kernel_name="python3", timeout=300).execute()
    pictures = [
        sum("image/png" in output.get("data", {}) for output in cell.outputs)
        for cell in notebook.cells
    ]
    assert pictures == [1, 1, 0, 1]
