"""What a long search costs in memory."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

TRIALS, WARM_UP, MEGABYTES = 60, 20, 40


@pytest.mark.slow
def test_memory_stays_where_it_is(tmp_path):
    program = textwrap.dedent(
        f"""
        import sys
        import psutil
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        import kt_hpo
        RandomSearch = kt_hpo.RandomSearch
        from models import blobs, build

        class Watched(RandomSearch):
            def on_trial_end(self, trial):
                super().on_trial_end(trial)
                print(psutil.Process().memory_info().rss)

        tuner = Watched(build, "val_loss", max_trials={TRIALS}, directory={str(tmp_path)!r})
        tuner.search(*blobs(), validation_split=0.2, batch_size=200, verbose=0)
        """
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    sizes = [int(line) for line in ended.stdout.split()]
    assert len(sizes) == TRIALS
    assert (max(sizes[WARM_UP:]) - sizes[WARM_UP - 1]) / 1e6 < MEGABYTES
