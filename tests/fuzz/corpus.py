"""Where the inputs lie: a folder for each decoder, with an honest `seed` and what was found."""

from pathlib import Path

CORPUS = Path(__file__).parent / "inputs"


def corpus_of(name: str) -> list[bytes]:
    """Return the inputs kept for a decoder."""
    return [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]
