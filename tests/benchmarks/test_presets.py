"""What trials of the ready spaces reach."""

import pytest

from benchmarks import presets


@pytest.mark.slow
def test_the_defaults_come_first_then_random_values_of_the_preset():
    small, wide = (
        presets.scores("MLP", "wine", preset, epochs=1, trials=1) for preset in presets.PRESETS
    )
    assert len(small) == len(wide) == 2
    assert all(0 <= score <= 1 for score in small + wide)
    assert small[0] == wide[0], "the defaults are the same"


def test_the_section_tells_quartiles():
    row = {"space": "MLP", "data": "wine", "epochs": 20, "defaults": 1.0}
    told = presets.section({"rows": [row | {"small": [0.5, 0.6, 0.7], "wide": [0.1, 0.2, 0.3]}]})
    assert "| MLP, wine | 20 | 1.000 | 0.550, **0.600**, 0.650 | 0.150, **0.200**, 0.250 |" in told
