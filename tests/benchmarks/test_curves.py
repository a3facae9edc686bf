import numpy as np
import pytest

from benchmarks.curves import make, plans, table
from benchmarks.spaces import Dimension, Space

SPACE = Space(
    (
        Dimension("optimizer", ("adam", "sgd"), ordered=False),
        Dimension("batch_size", (32, 128)),
        Dimension("learning_rate", (1e-3, 1e-2, 1e-1)),
        Dimension("dropout", (0.1, 0.3)),
    )
)


def test_every_configuration_has_a_row_of_its_own():
    rows = [SPACE.row(values) for values in SPACE]
    assert rows == list(range(24)) == list(range(len(SPACE)))
    assert [SPACE.values(row) for row in rows] == list(SPACE)
    assert SPACE.levels(SPACE.values(23)) == {
        "optimizer": "sgd", "batch_size": 128, "learning_rate": 0.1, "dropout": 0.3,
    }  # fmt: skip


def test_what_a_library_chooses_from_is_what_keras_tuner_is_given():
    hp = SPACE.hyperparameters()
    assert [one.name for one in hp.space] == [one.name for one in SPACE.dimensions]
    assert SPACE.row(hp.values) == 0
    with pytest.raises(ValueError):
        SPACE.row({**hp.values, "optimizer": "lion"})


@pytest.mark.parametrize("name", plans.PLANS)
def test_pieces_follow_the_rows_of_the_table(name):
    plan = plans.PLANS[name]
    pieces = list(make.pieces(name))
    first = [values for one in pieces if one.seed == 0 for values in one.configurations]
    assert [plan.space.row(values) for values in first] == list(range(len(plan.space)))
    for one in pieces:
        assert len({tuple(values[n] for n in plan.shapes) for values in one.configurations}) == 1
    assert len({one.file for one in pieces}) == len(pieces)


def test_the_tables_are_as_large_as_they_should_be():
    sizes = {name: len(plan.space) for name, plan in plans.PLANS.items()}
    assert sizes["digits_mlp"] > 2000 and sizes["mnist5k_mlp"] > 2000
    assert sizes["mnist5k_cnn"] > 300
    assert sum(table.path_of(name).stat().st_size for name in table.there()) < 5e6


@pytest.mark.parametrize("name", table.there())
def test_a_table_holds_curves_of_every_configuration(name):
    plan, read = plans.PLANS[name], table.read(name)
    assert read.error.shape[1:] == (len(plan.space), plan.epochs) == read.loss.shape[1:]
    assert 1 <= len(read.error) <= plan.seeds
    assert read.error.min() >= 0 and read.error.max() <= 1
    assert (read.seconds > 0).all() and read.seconds.shape == (len(plan.space),)
    best = read.error.min(axis=2).mean(axis=0)
    assert best.min() < 0.1 < best.max()
    # Better ends have better beginnings, as a pruner hopes.
    assert np.corrcoef(read.error[0, :, 4], read.error[0, :, -1])[0, 1] > 0.5


def test_a_table_that_is_not_made_says_how_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr(table, "path_of", lambda name: tmp_path / f"{name}.npz")
    with pytest.raises(FileNotFoundError, match="make curves"):
        table.read("digits_mlp")


@pytest.mark.slow
def test_a_piece_is_trained_and_packed(tmp_path, monkeypatch):
    plan = plans.Plan("digits", SPACE, ("optimizer", "batch_size"), _model, epochs=2, seeds=2)
    monkeypatch.setitem(plans.PLANS, "small", plan)
    monkeypatch.setattr(make, "PIECES", tmp_path / "pieces")
    for module in (make, table):
        monkeypatch.setattr(module, "path_of", lambda name: tmp_path / f"{name}.npz")
    first, *others = (piece for piece in make.pieces("small") if piece.seed == 0)
    make.train(first)
    assert make.pack("small") == 0, "the seed is not complete"
    for piece in others:
        piece.file.write_bytes(first.file.read_bytes())
    assert make.pack("small") == 1
    read = table.read("small")
    assert read.error.shape == read.loss.shape == (1, 24, 2)
    assert np.array_equal(read.error[0, :6], read.error[0, 6:12])
    assert read.error[0, 0, 1] < 0.95


@pytest.mark.slow
def test_trainings_that_become_nan_are_lost_and_the_others_kept(tmp_path, monkeypatch):
    space = Space((Dimension("learning_rate", (1e-2, 1e30, 1e32, 1e34, 1e36)),
                   Dimension("batch_size", (128,))))  # fmt: skip

    def build(levels):
        return plans.mlp((8, 8, 1))(
            {**levels, "optimizer": "sgd", "units": 8, "dropout": 0.1, "weight_decay": 1e-3}
        )

    plan = plans.Plan("digits", space, ("batch_size",), build, epochs=2, seeds=1)
    monkeypatch.setitem(plans.PLANS, "wild", plan)
    monkeypatch.setattr(make, "PIECES", tmp_path / "pieces")
    [piece] = make.pieces("wild")
    make.train(piece)
    with np.load(piece.file) as kept:
        assert (kept["correct"][0] > 0).all() and not kept["correct"][1:].any()
        assert np.isfinite(kept["loss"]).all(axis=1).tolist() == [True] + [False] * 4


def _model(levels):
    return plans.mlp((8, 8, 1))({**levels, "units": 8, "weight_decay": 1e-3})
