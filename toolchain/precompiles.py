"""Run halmos with SHA-256 and the pairing left open for inputs of any length.

    python -P toolchain/precompiles.py [options of halmos]

Halmos takes a precompile for a function of which it knows nothing but that equal inputs have
equal outputs. It declares SHA-256's input by the number of its bytes instead of its bits, and the
pairing's as one pair: any other input, which is every one, ends the proof with a crash. Here both
are declared by the input that they get. ``-P``, since a program beside this one has halmos' name.
"""

from __future__ import annotations

import sys
from typing import Any

OF_ANY_LENGTH = ("f_sha256", "f_ecpairing")


def declare_by_input(declare: Any) -> Any:
    """Return z3's ``Function``, but that the two take what they are given."""

    def declared(name: str, *sorts: Any) -> Any:
        if not name.startswith(OF_ANY_LENGTH):
            return declare(name, *sorts)
        # One function for each length: a name has one declaration.
        return lambda data: declare(f"{name}_of_{data.size()}", data.sort(), sorts[-1])(data)

    return declared


def main() -> int:
    """Run halmos; return its exit code."""
    import halmos.__main__
    import halmos.sevm

    halmos.sevm.Function = declare_by_input(halmos.sevm.Function)
    return halmos.__main__.main()


if __name__ == "__main__":
    sys.exit(main())
