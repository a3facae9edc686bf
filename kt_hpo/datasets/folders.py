"""Folders with a subfolder for each class: of images, or of texts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import numpy as np

from kt_hpo.arguments import is_one_of, is_whole
from kt_hpo.datasets.dataset import Splits
from kt_hpo.datasets.findings import tell
from kt_hpo.datasets.preprocessing import TextPreprocessing
from kt_hpo.datasets.splits import check_fractions, split
from kt_hpo.datasets.tables import decode

IMAGE_SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
TEXT_SUFFIXES = (".txt", ".text", ".md")
# Images of several sizes get a common one whose longer side is that many pixels at most.
_LONGEST_SIDE = 128


def from_folder(
    folder: str | Path, image_size: tuple[int, int] | None = None, **options: Any
) -> Splits:
    """Splits a folder of images, or of texts where it has no images.

    Args:
        folder: The folder, a subfolder for each class in it.
        image_size: As for `from_images`.
        **options: `validation`, `test`, `seed` and `name`, as for both.

    Returns:
        The splits.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: As for `from_images` and `from_texts`.
    """
    path = _checked(folder)
    has_texts = _by_class(path, TEXT_SUFFIXES) and not _by_class(path, IMAGE_SUFFIXES)
    if has_texts and image_size is None:
        return from_texts(path, **options)
    return from_images(path, image_size, **options)


def from_images(
    folder: str | Path,
    image_size: tuple[int, int] | None = None,
    *,
    color_mode: Literal["rgb", "grayscale", "rgba"] | None = None,
    validation: float = 0.15,
    test: float = 0.15,
    seed: int = 0,
    name: str | None = None,
) -> Splits:
    """Splits a folder that has a subfolder of images for each class.

    Args:
        folder: For example `pets`, with `pets/cat/1.png` and `pets/dog/1.png` in it.
        image_size: Height and width in pixels to resize to; None keeps images of one size, and
            takes the median size of others, 128 pixels at most, which it says.
        color_mode: `"rgb"`, `"grayscale"` or `"rgba"`: 3, 1 or 4 channels; None takes grayscale
            where no image has colors.
        validation: Fraction of the images for validation; 0 for none.
        test: Fraction of the images for the test; 0 for none.
        seed: Same seed, same splits.
        name: Name of the data set; None takes the folder's.

    Returns:
        The splits, the classes in the order of the subfolders' names.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If it has no images in subfolders, or one cannot be read.

    Example:
        >>> import tempfile
        >>> from PIL import Image
        >>> folder = Path(tempfile.mkdtemp())
        >>> for pet in ("cat", "dog"):
        ...     (folder / pet).mkdir()
        ...     for number in range(10):
        ...         Image.new("RGB", (6, 6), "red").save(folder / pet / f"{number}.png")
        >>> from_images(folder, image_size=(4, 4)).train.input_shape
        (4, 4, 3)
    """
    check_fractions(validation, test)
    _check_images(image_size, color_mode)
    path = _checked(folder)
    by_class = _by_class(path, IMAGE_SUFFIXES)
    if not by_class:
        raise _nothing_in(path, "images", IMAGE_SUFFIXES)
    files = [*chain(*by_class.values())]
    findings = []
    if image_size is None:
        image_size, sentence = _common_size(files)
        findings += [sentence] if sentence else []
    images = _read_images(files, image_size, color_mode or "rgb")
    if color_mode is None and not _have_colors(images):
        images = images[..., :1]
    tell(findings)
    return split(
        images,
        _labels(by_class),
        name=name or path.resolve().name,
        validation=validation,
        test=test,
        seed=seed,
        normalize=True,
        class_names=list(by_class),
        findings=findings,
    )


def from_texts(
    folder: str | Path,
    *,
    validation: float = 0.15,
    test: float = 0.15,
    seed: int = 0,
    name: str | None = None,
) -> Splits:
    """Splits a folder that has a subfolder of texts for each class.

    Inputs are the ids of the words, `int32`, learned from the train split (see
    `kt_hpo.datasets.preprocessing.TextPreprocessing`).

    Args:
        folder: For example `mails`, with `mails/spam/1.txt` and `mails/ham/1.txt` in it.
        validation: Fraction of the texts for validation; 0 for none.
        test: Fraction of the texts for the test; 0 for none.
        seed: Same seed, same splits.
        name: Name of the data set; None takes the folder's.

    Returns:
        The splits, the classes in the order of the subfolders' names.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If it has no texts in subfolders, or one cannot be read.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> for kind in ("ham", "spam"):
        ...     (folder / kind).mkdir()
        ...     for number in range(10):
        ...         _ = (folder / kind / f"{number}.txt").write_text(f"buy {kind} now")
        >>> from_texts(folder).train.input_shape
        (3,)
    """
    check_fractions(validation, test)
    path = _checked(folder)
    by_class = _by_class(path, TEXT_SUFFIXES)
    if not by_class:
        raise _nothing_in(path, "texts", TEXT_SUFFIXES)
    texts = [decode(file)[0] for file in chain(*by_class.values())]
    return split(
        np.array(texts, dtype=object),
        _labels(by_class),
        name=name or path.resolve().name,
        validation=validation,
        test=test,
        seed=seed,
        normalize=True,
        class_names=list(by_class),
        learn=TextPreprocessing.learn,
    )


def _checked(folder: str | Path) -> Path:
    if not Path(folder).is_dir():
        raise FileNotFoundError(f"There is no folder {folder}.")
    return Path(folder)


def _by_class(folder: Path, suffixes: Sequence[str]) -> dict[str, list[Path]]:
    """The files of each class, in the order of the classes' names."""
    return {
        entry.name: files
        for entry in sorted(folder.iterdir())
        if entry.is_dir() and entry.name[0] != "." and (files := _files(entry, suffixes))
    }


def _files(folder: Path, suffixes: Sequence[str]) -> list[Path]:
    """Lists the files of a class, at any depth, in the order of their paths."""
    found = (file for file in folder.rglob("*") if file.suffix.lower() in suffixes)
    return sorted(file for file in found if file.name[0] != "." and file.is_file())


def _labels(by_class: dict[str, list[Path]]) -> np.ndarray:
    return np.repeat(np.arange(len(by_class)), [len(files) for files in by_class.values()])


def _nothing_in(folder: Path, what: str, suffixes: Sequence[str]) -> ValueError:
    return ValueError(
        f"{folder} has no {what} in subfolders: put those of each class into a folder of its "
        f"own, as {'*' + ', *'.join(suffixes)} files."
    )


def _check_images(image_size: Any, color_mode: Any) -> None:
    if color_mode is not None and not is_one_of(color_mode, ("rgb", "grayscale", "rgba")):
        raise ValueError(f"color_mode={color_mode!r} is not one of rgb, grayscale, rgba.")
    if image_size is None:
        return
    sizes = list(image_size) if isinstance(image_size, tuple | list) else []
    if len(sizes) != 2 or not all(is_whole(size) and size > 0 for size in sizes):
        raise ValueError(
            f"image_size={image_size!r} is not allowed; give height and width in pixels, such as "
            "(64, 64)."
        )


def _common_size(files: Sequence[Path]) -> tuple[tuple[int, int] | None, str]:
    """The size that images of several sizes are resized to, and a sentence that says so."""
    from PIL import Image

    sizes = []
    for file in files:
        try:
            with Image.open(file) as image:
                sizes.append(image.size[::-1])
        except Exception as error:  # Pillow raises of many kinds on damaged files.
            raise _unreadable(file, error) from error
    different = sorted(set(sizes))
    if len(different) == 1:
        return None, ""
    height, width = np.median(sizes, axis=0)
    shrunk = min(1.0, _LONGEST_SIDE / max(height, width))
    size = max(1, round(height * shrunk)), max(1, round(width * shrunk))
    return size, (
        f"The images have {len(different)} sizes, {different[0]} and {different[-1]} among them: "
        f"they are resized to {size}, height and width. Give image_size for another."
    )


def _read_images(
    files: Sequence[Path], image_size: tuple[int, int] | None, color_mode: str
) -> np.ndarray:
    """Reads images of one size, or resized to it."""
    import keras

    images = []
    for file in files:
        try:
            image = keras.utils.load_img(file, color_mode=color_mode, target_size=image_size)
        except Exception as error:  # Pillow raises of many kinds on damaged files.
            raise _unreadable(file, error) from error
        images.append(keras.utils.img_to_array(image, data_format="channels_last", dtype="uint8"))
    return np.stack(images)


def _unreadable(file: Path, error: Exception) -> ValueError:
    return ValueError(f"{file} cannot be read as an image: {error}. Replace it, or take it away.")


def _have_colors(images: np.ndarray) -> bool:
    """Whether the channels of any image differ."""
    return any((image != image[..., :1]).any() for image in images)


def read_images(path: str | Path, shape: Sequence[int]) -> tuple[np.ndarray, list[Path], int]:
    """Reads the images to predict from, as those of a search were read.

    Args:
        path: An image, or a folder of images at any depth.
        shape: Height, width and channels that the model takes; without channels, one.

    Returns:
        The pixels, `uint8` of shape `(images, *shape)`; their files; and how many had another size
        and are resized.

    Raises:
        FileNotFoundError: If there is nothing there.
        ValueError: If there is no image, or one cannot be read.
    """
    from PIL import Image

    place = Path(path)
    files = [place] if place.is_file() else _files(_checked(place), IMAGE_SUFFIXES)
    if not files:
        raise ValueError(f"{path} has no images, which are *{', *'.join(IMAGE_SUFFIXES)} files.")
    height, width, *channels = shape
    color_mode = {1: "grayscale", 3: "rgb", 4: "rgba"}[channels[0] if channels else 1]
    images = _read_images(files, (height, width), color_mode)
    resized = 0
    for file in files:
        with Image.open(file) as image:
            resized += image.size != (width, height)
    return images.reshape(len(files), *shape), files, resized


def read_texts(path: str | Path) -> tuple[list[str], list[Path]]:
    """Reads the texts to predict from: each file is one.

    Args:
        path: A file, or a folder of texts at any depth.

    Returns:
        The texts, and their files.

    Raises:
        FileNotFoundError: If there is nothing there.
        ValueError: If there is no text, or one cannot be read.
    """
    place = Path(path)
    files = [place] if place.is_file() else _files(_checked(place), TEXT_SUFFIXES)
    if not files:
        raise ValueError(f"{path} has no texts, which are *{', *'.join(TEXT_SUFFIXES)} files.")
    return [decode(file)[0] for file in files], files
