"""The folders of trials in a storage that all nodes of a cluster reach."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import fsspec
from pyarrow import ArrowInvalid, fs


class RemoteStorage:
    """Keeps folders of trials, on a disk that nodes share, in S3, or wherever Ray can store.

    Args:
        uri: A folder of the search's own, as a path or a URI.

    Example:
        >>> import tempfile
        >>> there, here = Path(tempfile.mkdtemp()), Path(tempfile.mkdtemp())
        >>> (here / "trial_0000").mkdir()
        >>> _ = (here / "trial_0000" / "notes").write_text("kept")
        >>> remote_storage = RemoteStorage(f"{there}/search")
        >>> remote_storage.put(here / "trial_0000")
        >>> remote_storage.fetch(["trial_0000"], there / "copy")
        >>> (there / "copy" / "trial_0000" / "notes").read_text()
        'kept'
    """

    def __init__(self, uri: str) -> None:
        self._files, self._root = place_of(uri)

    def put(self, folder: Path) -> None:
        """Copies a folder to the remote_storage, if it is there.

        Args:
            folder: The folder of a trial.
        """
        if folder.is_dir():
            there = f"{self._root}/{folder.name}"
            self._files.create_dir(there)
            fs.copy_files(str(folder), there, destination_filesystem=self._files)

    def fetch(self, names: Collection[str], into: Path) -> None:
        """Copies folders from the remote_storage.

        Args:
            names: Their names; what is not there is left out.
            into: The project's folder.
        """
        for name in names:
            there = f"{self._root}/{name}"
            if self._files.get_file_info(there).type == fs.FileType.Directory:
                (into / name).mkdir(parents=True, exist_ok=True)
                fs.copy_files(there, str(into / name), source_filesystem=self._files)

    def keep_only(self, names: Collection[str]) -> None:
        """Deletes all other folders.

        Args:
            names: What stays.
        """
        selector = fs.FileSelector(self._root, allow_not_found=True)
        for found in self._files.get_file_info(selector):
            if found.base_name.startswith("trial_") and found.base_name not in names:
                self._files.delete_dir(found.path)


def place_of(uri: str) -> tuple[fs.FileSystem, str]:
    """Finds the file system of a place, as `ray.tune.RunConfig` takes it.

    Args:
        uri: A path, or a URI that pyarrow or fsspec know.

    Returns:
        The file system, and the path in it.

    Raises:
        ValueError: If neither knows it.

    Example:
        >>> place_of("memory://bucket/search")[1]
        '/bucket/search'
    """
    if "://" not in uri:
        return fs.LocalFileSystem(), str(Path(uri).absolute())
    try:
        return fs.FileSystem.from_uri(uri)
    except ArrowInvalid:
        known, path = fsspec.core.url_to_fs(uri)
        return fs.PyFileSystem(fs.FSSpecHandler(known)), path
