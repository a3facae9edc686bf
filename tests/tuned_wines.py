"""Searches of one short trial, that have left a model to predict with."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from pytest import MonkeyPatch

import kt_hpo
from kt_hpo.execution import Inline


def wines(rows=120, texts=True):
    """A table of numbers with gaps, booleans, dates and, if wanted, categories."""
    stream = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "alcohol %": stream.normal(13, 1, rows).round(2),
            "acid": stream.lognormal(0, 1, rows),
            "old": stream.integers(0, 2, rows).astype(bool),
            "bottled": pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(rows), "D"),
        }
    )
    if texts:
        frame["grape"] = stream.choice(["red", "white", "rosé"], rows)
    frame.loc[::9, "acid"] = np.nan
    frame["kind"] = np.where(frame["alcohol %"] + stream.normal(0, 0.3, rows) > 13, "good", "bad")
    return frame


def tuned(folder, data, hypermodel="mlp", **arguments):
    """The folder of a search that is over."""
    quick = {"max_trials": 1, "max_epochs": 1, "verbose": 0, "executor": Inline()}
    with MonkeyPatch.context() as patch:
        patch.setattr("kt_hpo.result_files.overview", lambda *args, **kwargs: Figure())
        kt_hpo.tune(hypermodel, data, directory=folder, **quick | arguments)
    return folder
