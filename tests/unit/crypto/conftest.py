"""Keys made once a session."""

import pytest

from offchain.crypto import paillier
from offchain.crypto.paillier import PaillierPrivateKey


@pytest.fixture(scope="session")
def private_key() -> PaillierPrivateKey:
    """A 2048-bit key: the smallest that a chain may use."""
    return paillier.generate_private_key(2048)


@pytest.fixture(scope="session")
def other_private_key() -> PaillierPrivateKey:
    return paillier.generate_private_key(2048)


@pytest.fixture(scope="session")
def full_private_key() -> PaillierPrivateKey:
    """A 3072-bit key: the default size."""
    return paillier.generate_private_key()
