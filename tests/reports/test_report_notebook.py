"""A report and a tuner in a real notebook: what their cells show."""

import pytest

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("ipykernel")

CELLS = [
    """
import kt_hpo
class Parabola(kt_hpo.RandomSearch):
    def run_trial(self, trial):
        return trial.hyperparameters.Float("x", -1, 1) ** 2
tuner = Parabola(directory="runs", project_name="p", max_trials=3, seed=0)
tuner.search(verbose=0)
""",
    "tuner",
    "tuner.get_best_hyperparameters()[0]",
    "kt_hpo.report(tuner)",
]


@pytest.mark.slow
def test_cells_show_a_table_and_a_page(tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in CELLS])
    where = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, kernel_name="python3", timeout=300, resources=where).execute()
    tuner, values, report = (cell.outputs[-1]["data"]["text/html"] for cell in notebook.cells[1:])
    assert "3 complete" in tuner and "<table" in tuner
    assert "<td" in values and ">x</td>" in values
    assert "<iframe" in report and 'href="runs/p/report.html"' in report
