"""Try every costly input of `tests.fuzz.large` on every decoder: time, memory, declared errors.

.venv/bin/python -m tests.fuzz.try_large
"""

from __future__ import annotations

import sys
import time
import tracemalloc

from offchain.errors import DmsmError
from tests.fuzz import decoders
from tests.fuzz.corpus import CORPUS
from tests.fuzz.large import large_inputs
from tests.fuzz.measure import MAX_MEMORY_BYTES, PromiseBroken, hold

_REFUSED_AT_ONCE_S = 0.01


def main() -> int:
    """Try all; print what broke a promise and return the exit code."""
    decoders.cap_the_cost_of_guessing()
    broken = 0
    for name, decode in decoders.DECODERS.items():
        for label, data in large_inputs((CORPUS / name / "seed").read_bytes()):
            try:
                started = time.process_time()
                hold(decode, data)
                took = time.process_time() - started
                peak = peak_of(decode, data) if took > _REFUSED_AT_ONCE_S else 0
                if peak > MAX_MEMORY_BYTES:
                    raise PromiseBroken(f"took {peak >> 20} MiB")
            except PromiseBroken as error:
                broken += 1
                print(f"{name}, {label}: {error}", flush=True)
    print(f"{broken} promises broken by large inputs")
    return 1 if broken else 0


def peak_of(decode: decoders.Decoder, data: bytes) -> int:
    """Return the most memory that one call holds, in bytes."""
    tracemalloc.start()
    try:
        decode(data)
    except DmsmError:
        pass  # only its memory counts here
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return peak


if __name__ == "__main__":
    sys.exit(main())
