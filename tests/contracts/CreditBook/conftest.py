import pytest
from brownie import web3
from eth_abi import encode
from eth_utils import keccak


@pytest.fixture
def lock_account(lock, impersonate):
    """The PrepaidLock's own account, from which alone credit moves."""
    return impersonate(lock)


@pytest.fixture
def set_credit(credit):
    """``set_credit(account, value)``: write a credit straight into storage, to reach the edges."""

    def write(account, value):
        slot = "0x" + keccak(encode(["address", "uint256"], [str(account), 0])).hex()
        word = "0x" + value.to_bytes(32, "big").hex()
        answer = web3.provider.make_request("anvil_setStorageAt", [credit.address, slot, word])
        assert "error" not in answer, answer
        assert credit.creditOf(account) == value

    return write
