"""The page of results is what the results say."""

import runpy
import shutil

import pytest

from benchmarks import cluster, measuring, report, vectorized

ROOT = measuring.RESULTS.parents[1]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:'benchmarks.* found in sys.modules")
def test_the_page_is_made_of_the_results(tmp_path, monkeypatch):
    copied = shutil.copytree(ROOT / "benchmarks/results", tmp_path / "results")
    monkeypatch.setenv(measuring.PLACE, str(copied))
    place = runpy.run_module("benchmarks.measuring")["RESULTS"]
    monkeypatch.setattr(measuring, "RESULTS", place)
    runpy.run_module("benchmarks.report", run_name="__main__")
    written = (tmp_path / "RESULTS.md").read_text()
    assert written == (ROOT / "benchmarks/RESULTS.md").read_text()
    assert "Not measured yet" not in written


def test_every_section_tells_which_command_makes_it():
    for name in report.SECTIONS:
        results = measuring.read(name)
        assert results is not None
        assert f"`{results['about']['command']}`" in report.origin(results["about"])
        assert "--quick" not in results["about"]["command"]


def test_ratios_are_of_the_first_k_and_of_two_workers():
    seconds = {k: measuring.spread([s]) for k, s in (("1", 4.0), ("64", 0.5))}
    assert "| 64 | **8.0** | 0.500" in vectorized.section(
        {"trials": 64, "seconds a trial": seconds}
    )
    seconds = {who: measuring.spread([s]) for who, s in (("Workers(2)", 10.0), ("Ray(2)", 12.0))}
    assert "| Ray(2) | **1.20** | 12.0" in cluster.section(
        {"rows": [{"trials": 8, "seconds": seconds}]}
    )
