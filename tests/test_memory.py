"""What a long search costs in memory."""

import textwrap

import pytest
from programs import Script

TRIALS, WARM_UP, MEGABYTES = 24, 6, 5


@pytest.mark.slow
def test_memory_stays_where_it_is(tmp_path):
    program = f"""
        from pathlib import Path
        import keras
        import psutil
        import kt_hpo
        from models import blobs

        def megabyte(hp):
            layers = [keras.layers.Dense(512) for _ in range(2)]
            model = keras.Sequential([keras.Input((4,)), *layers, keras.layers.Dense(1)])
            model.compile(keras.optimizers.SGD(hp.Float("rate", 1e-5, 1e-3)), "mse")
            return model

        class Watched(kt_hpo.RandomSearch):
            def on_trial_end(self, trial):
                super().on_trial_end(trial)
                with Path("sizes").open("a") as file:
                    print(psutil.Process().memory_info().rss, file=file)

        tuner = Watched(megabyte, "val_loss", max_trials={TRIALS}, directory="runs")
        tuner.search(*blobs(), validation_split=0.2, batch_size=200, verbose=0)
    """
    (tmp_path / "program.py").write_text(textwrap.dedent(program))
    said, _ = (running := Script(tmp_path / "program.py")).communicate()
    assert running.returncode == 0, said
    sizes = [int(line) for line in (tmp_path / "sizes").read_text().split()]
    assert len(sizes) == TRIALS
    assert (max(sizes[WARM_UP:]) - max(sizes[:WARM_UP])) / 1e6 < MEGABYTES
