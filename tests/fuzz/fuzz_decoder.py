"""Fuzz one decoder with atheris (coverage-guided), from its corpus.

    python -m tests.fuzz.fuzz_decoder NAME [libFuzzer options] CORPUS_FOLDER...

Ends with another code than 0 when an input breaks a promise of `tests.fuzz.measure`.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["offchain", "device_agent"]):
    from tests.fuzz import decoders
from tests.fuzz.measure import hold


def main() -> None:
    """Fuzz the decoder that the command line names."""
    name = sys.argv.pop(1)
    decode = decoders.DECODERS[name]
    decoders.cap_the_cost_of_guessing()
    atheris.Setup(sys.argv, lambda data: hold(decode, data) and None)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
