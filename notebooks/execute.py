"""Executes notebooks and writes their outputs back: `make notebooks`, or `execute.py NAME ...`."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

FOLDER = Path(__file__).parent
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
TIMEOUT = 600


def notebooks() -> list[Path]:
    """Lists the notebooks, in the order to read them."""
    return sorted(FOLDER.glob("*.ipynb"))


def read(path: Path) -> NotebookNode:
    """Reads a notebook."""
    return nbformat.read(path, as_version=4)


def execute(notebook: NotebookNode, folder: Path | str) -> NotebookNode:
    """Runs all cells of a notebook in a fresh kernel.

    Args:
        notebook: The notebook, whose outputs are replaced.
        folder: The working folder of the kernel.

    Returns:
        The same notebook.

    Raises:
        CellExecutionError: If a cell raises; its traceback is the message.
    """
    client = NotebookClient(
        notebook,
        timeout=TIMEOUT,
        kernel_name=KERNEL["name"],
        record_timing=False,
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute()
    return notebook


def joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Joins the pieces in which a text came, so that no line breaks where a piece ended."""
    whole: list[NotebookNode] = []
    for output in outputs:
        if "text" in output and whole and "text" in whole[-1]:
            whole[-1].text += output.text
        else:
            whole.append(output)
    return whole


def tidy(notebook: NotebookNode) -> NotebookNode:
    """Leaves only what a reader sees, so that executing anew changes little.

    Args:
        notebook: The notebook.

    Returns:
        The same notebook, its cells numbered from the first on, without metadata of times, widgets
        and versions, and without what libraries write to stderr about the machine.
    """
    notebook.metadata = NotebookNode(
        kernelspec=NotebookNode(KERNEL), language_info=NotebookNode(name="python")
    )
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        cell.metadata = NotebookNode()
        if cell.cell_type == "code":
            shown = [output for output in cell.outputs if output.get("name") != "stderr"]
            cell.outputs = joined(shown)
        for output in cell.get("outputs", []):
            if "metadata" in output:
                output.metadata = NotebookNode()
    return notebook


def main() -> None:
    """Executes the notebooks that the command line names, or all."""
    parser = argparse.ArgumentParser(description="Execute notebooks and write their outputs back.")
    parser.add_argument("names", nargs="*", help="names such as 01_quickstart; all if none")
    names = parser.parse_args().names
    for path in [FOLDER / f"{name}.ipynb" for name in names] or notebooks():
        print(path.stem, flush=True)
        with tempfile.TemporaryDirectory() as folder:
            notebook = tidy(execute(read(path), folder))
        nbformat.write(notebook, path)


if __name__ == "__main__":
    main()
