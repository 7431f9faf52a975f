"""The published vectors, each with its source."""

import json
from pathlib import Path
from typing import Any

_VECTORS = Path(__file__).resolve().parents[2] / "vectors"


def load_vectors(name: str) -> Any:
    """Read one file of tests/vectors, which must name its source."""
    document = json.loads((_VECTORS / f"{name}.json").read_text())
    assert document["source"]
    return document
