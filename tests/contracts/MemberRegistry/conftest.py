import pytest
from brownie import web3

FIELD_PRIME = 0x30644E72E131A029B85045B68181585D97816A916871CA8D3C208C16D87CFD47
# b of the twist y² = x³ + b, b = 3 / (9 + i), as (real, imaginary).
_NINE_SQUARED_PLUS_ONE = pow(82, -1, FIELD_PRIME)
TWIST_B = (27 * _NINE_SQUARED_PLUS_ONE % FIELD_PRIME, -3 * _NINE_SQUARED_PLUS_ONE % FIELD_PRIME)


@pytest.fixture(scope="session")
def chain_id():
    return web3.eth.chain_id


@pytest.fixture(scope="session")
def twist_point_outside_group():
    """A point on the twist that is not of order q (EIP-197 order): the first with real x."""
    for x in range(1, 100):
        square = ((x**3 + TWIST_B[0]) % FIELD_PRIME, TWIST_B[1])
        root = _square_root(square)
        if root is not None:
            return (0, x, root[1], root[0])
    raise AssertionError("no point found")


def _square_root(value):
    """Return a square root (real, imaginary) in Fp2 = Fp[i]/(i² + 1), or None."""
    real, imaginary = value
    norm_root = _field_root((real * real + imaginary * imaginary) % FIELD_PRIME)
    if norm_root is None:
        return None
    half = pow(2, -1, FIELD_PRIME)
    for sign in (1, -1):
        first = _field_root((real + sign * norm_root) * half % FIELD_PRIME)
        if first:
            return first, imaginary * pow(2 * first, -1, FIELD_PRIME) % FIELD_PRIME
    return None


def _field_root(value):
    root = pow(value, (FIELD_PRIME + 1) // 4, FIELD_PRIME)
    return root if root * root % FIELD_PRIME == value else None
