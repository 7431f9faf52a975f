import money
import pytest
from brownie import web3
from eth_abi import encode
from eth_utils import keccak

from bench.credit_model import EPOCH_SECONDS

LOCK_ID = b"\x07" * 32


@pytest.fixture
def lock_account(lock, impersonate):
    """The PrepaidLock's own account, from which alone credit moves."""
    return impersonate(lock)


@pytest.fixture
def epoch(now, mine_at):
    """The first second of an epoch, which is now: what follows happens within it."""
    start = (now() // EPOCH_SECONDS + 1) * EPOCH_SECONDS
    mine_at(start)
    return start


@pytest.fixture
def set_standing(credit, epoch):
    """``set_standing(account, points, gained=…, at=…)``: write one of this epoch into storage."""

    def write(account, points, *, gained=0, at=epoch):
        slot = keccak(encode(["address", "uint256"], [str(account), 0]))
        word = points | gained << 32 | at // EPOCH_SECONDS << 64
        arguments = [credit.address, "0x" + slot.hex(), f"0x{word:064x}"]
        answer = web3.provider.make_request("anvil_setStorageAt", arguments)
        assert "error" not in answer, answer
        assert (credit.creditOf(account), credit.gainedOf(account)) == (points, gained)

    return write


@pytest.fixture
def succeed(credit, lock_account, processor, meter_owner):
    """``succeed(points, payer=…, fee_wei=…)``: processor's success with a fee, its transaction."""

    def send(points=0, *, payer=meter_owner, fee_wei=None):
        fee_wei = points * money.POINT_WEI if fee_wei is None else fee_wei
        parties = (processor.address, getattr(payer, "address", payer))
        return credit.recordSuccess(*parties, fee_wei, LOCK_ID, {"from": lock_account})

    return send


@pytest.fixture
def fail(credit, lock_account, processor):
    """``fail()``: processor's failure, its transaction."""
    return lambda: credit.recordFailure(processor.address, LOCK_ID, {"from": lock_account})
