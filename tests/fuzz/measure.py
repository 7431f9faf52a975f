"""Hold one call of a decoder to what every decoder promises."""

from __future__ import annotations

import resource
import time

from offchain.errors import DmsmError
from tests.fuzz.decoders import Decoder

MAX_CPU_S = 1.0  # for up to 1 MiB of input
MAX_MEMORY_BYTES = 64 << 20


class PromiseBroken(AssertionError):
    """A decoder raised what it does not declare, or took too much time or memory."""


def hold(decode: Decoder, data: bytes) -> bool:
    """Call a decoder and tell whether it accepted `data`.

    Raises PromiseBroken for any exception but DmsmError, over one second of processor time, or
    over 64 MiB that the process did not hold before.
    """
    memory, started = _peak_memory(), time.process_time()
    try:
        decode(data)
        accepted = True
    except DmsmError:
        accepted = False
    except Exception as error:
        raise PromiseBroken(f"raised {type(error).__name__}, which is not declared") from error
    took, grown = time.process_time() - started, _peak_memory() - memory
    if took > MAX_CPU_S:
        raise PromiseBroken(f"took {took:.2f} s for {len(data)} bytes")
    if grown > MAX_MEMORY_BYTES:
        raise PromiseBroken(f"took {grown >> 20} MiB for {len(data)} bytes")
    return accepted


def _peak_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
