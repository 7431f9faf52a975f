"""Where a run's results go: looked at before anything starts, written whole."""

import os
import tempfile
from pathlib import Path

from offchain.demo.options import DemoInputError, DemoOptions


def check_outputs(options: DemoOptions) -> None:
    """Make the folders of the results and try to write there.

    Raises DemoInputError with the option's name.
    """
    if options.json_file is not None:
        _check_file(options.json_file, "--json")
    for name in ("index.html", "report.json"):
        _check_file(options.report_dir / name, "--report-dir")


def write_text(path: Path, text: str) -> None:
    """Write a file so that a reader never sees half of it; a pipe or device is written as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = text.encode("utf-8", errors="backslashreplace")
    if _is_special(path):
        path.write_bytes(data)
        return
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    os.replace(part, path)


def _check_file(path: Path, option: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise DemoInputError(f"{option} {path}: is a directory, a file is needed")
        if not _is_special(path):
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".dmsm-"):
                pass
        elif not os.access(path, os.W_OK):
            raise DemoInputError(f"{option} {path}: cannot be written")
    except OSError as error:
        raise DemoInputError(f"{option} {path}: cannot be written: {error.strerror}") from error


def _is_special(path: Path) -> bool:
    """Whether a path is a link, a pipe or a device, which a replacement would take away."""
    return path.is_symlink() or (path.exists() and not path.is_file())
