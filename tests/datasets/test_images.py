"""Folders of images as data sets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kt_hpo.datasets import from_images, load


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
    Image.new("RGB", (9, 9)).save(album / "dark" / "large.png")
    with pytest.raises(ValueError, match=r"2 sizes, \(4, 6\) and \(9, 9\)"):
        from_images(album)
    (album / "light" / "broken.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"broken\.png cannot be read"):
        from_images(album)
