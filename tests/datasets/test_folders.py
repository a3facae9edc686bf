"""Folders of images and of texts as data sets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kt_hpo.datasets import DataWarning, from_images, from_texts, load


@pytest.fixture
def album(tmp_path: Path) -> Path:
    for shade, color in (("dark", (0, 0, 51)), ("light", (255, 255, 204))):
        (tmp_path / shade / "more").mkdir(parents=True)
        for number in range(10):
            folder = tmp_path / shade / ("more" if number > 7 else "")
            Image.new("RGB", (6, 4), color).save(folder / f"{number}.png")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "dark" / "notes.txt").write_text("no image")
    return tmp_path


def test_folder(album: Path) -> None:
    splits = from_images(album)
    assert sum(map(len, splits)) == 20
    assert splits.train.class_names == ("dark", "light")
    assert splits.train.input_shape == (4, 6, 3)
    for part in splits:
        np.testing.assert_allclose(part.x[:, 0, 0, 2], np.where(part.y == 0, 0.2, 0.8))
    assert load(album).train.input_shape == (4, 6, 3)
    assert load(f"{album}/", image_size=(3, 3)).train.input_shape == (3, 3, 3)
    assert from_images(album, color_mode="grayscale").train.input_shape == (4, 6, 1)


def test_refusals(album: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no folder"):
        load(album / "nowhere")
    with pytest.raises(ValueError, match="no images in subfolders"):
        from_images(album / ".hidden")
    (album / "light" / "broken.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"broken\.png cannot be read"):
        from_images(album)


def test_images_of_several_sizes_get_a_common_one(album: Path) -> None:
    for number in range(30):
        Image.new("RGB", (600, 300), (255, 0, 0)).save(album / "dark" / f"large{number}.png")
    with pytest.warns(DataWarning, match=r"2 sizes, \(4, 6\) and \(300, 600\).*to \(64, 128\)"):
        train = from_images(album).train
    assert train.input_shape == (64, 128, 3)
    assert "Give image_size for another" in train.findings[0]
    assert train.preprocessing.inputs(np.zeros((2, 64, 128, 3), np.uint8)).dtype == np.uint8


@pytest.mark.parametrize("mode", ["RGB", "L", "1", "LA"])
def test_gray_images_have_one_channel(mode: str, tmp_path: Path) -> None:
    for shade in ("dark", "light"):
        (tmp_path / shade).mkdir()
        for number in range(10):
            image = Image.new("L", (6, 4), 255 * (shade == "light")).convert(mode)
            image.save(tmp_path / shade / f"{number}.png")
    train = from_images(tmp_path).train
    assert train.input_shape == (4, 6, 1)
    assert (train.x[:, 0, 0, 0] == train.y).all()
    assert from_images(tmp_path, color_mode="rgb").train.input_shape == (4, 6, 3)


def test_a_folder_is_found_by_its_name(album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(album.parent)
    album.rename("photos_of_mine")
    assert load("photos_of_mine").train.input_shape == (4, 6, 3)
    Path("photos_of_mine").rename("wine")
    with pytest.warns(DataWarning, match=r"For the folder, write '\./wine'"):
        assert load("wine").train.input_shape == (13,)
    assert load("./wine").train.input_shape == (4, 6, 3)


def test_a_folder_of_texts(tmp_path: Path) -> None:
    for kind, word in (("ham", "lunch"), ("spam", "prize")):
        (tmp_path / kind).mkdir()
        for number in range(20):
            text = f"Your {word}, number {number % 3}: «{'so ' * (number % 5)}»"
            (tmp_path / kind / f"{number}.txt").write_text(
                text, "cp1252" if number % 2 else "utf-8"
            )
    train = load(tmp_path).train
    assert (train.task, train.class_names) == ("classification", ("ham", "spam"))
    assert train.x.dtype == np.int32 and train.input_shape in {(9,), (10,)}
    vocabulary = ["", "[UNK]", *train.preprocessing.vocabulary]
    assert train.preprocessing.vocabulary_size == len(vocabulary) == train.x.max() + 1
    prize = vocabulary.index("prize")
    assert ((train.x == prize).any(axis=1) == (train.y == 1)).all()
    with pytest.raises(ValueError, match="no texts in subfolders"):
        from_texts(tmp_path / "ham")
