"""Workers in a notebook: hypermodels defined in its cells, a real kernel."""

from pathlib import Path

import pytest

import kt_hpo

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

CELLS = [
    """
import keras, numpy as np, kt_hpo, os
import tensorflow as tf
x = np.random.default_rng(0).normal(size=(20_000, 4)).astype("float32")
y = x.sum(axis=1)
class Mine(kt_hpo.HyperModel):
    def build(self, hp):
        print("building in", os.getpid() == kernel)
        hidden = keras.layers.Dense(hp.Int("units", 1, 4))
        model = keras.Sequential([keras.Input((4,)), hidden, Last()])
        model.compile(loss="mse", run_eagerly=True)
        return model
class Last(keras.layers.Dense):
    def __init__(self):
        super().__init__(1)
kernel = os.getpid()
""",
    """
class Tuner(kt_hpo.RandomSearch):
    def run_trial(self, trial, *args, **kwargs):
        assert os.getpid() != kernel
        # AutoGraph reads the text of the cell.
        @tf.function
        def halved(x):
            while x > 1.0:
                x = x / 2.0
            return x
        assert float(halved(tf.constant(6.0))) == 0.75
        return super().run_trial(trial, *args, **kwargs)
tuner = Tuner(Mine(), "val_loss", max_trials=2, seed=0, executor=2)
tuner.search(x, y, validation_split=0.2, epochs=1, batch_size=4000)
""",
    """
print([trial.state.name for trial in tuner.study.trials], tuner.get_best_models()[0].count_params())
""",
]


@pytest.mark.slow
def test_a_hypermodel_of_a_cell_is_searched_by_workers(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(kt_hpo.__file__).parents[1]))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in CELLS])
    client = nbclient.NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    searched, shown = notebook.cells[1].outputs, notebook.cells[2].outputs
    assert "['COMPLETE', 'COMPLETE']" in "".join(output.text for output in shown)
    tables = [output.data["text/html"] for output in searched if "data" in output]
    assert "2/2" in tables[-1]
    printed = "".join(output.text for output in searched if output.output_type == "stream")
    assert printed.count("building in False") == 2, "in the workers, as the trials' own words"
