"""PrepaidLock's views, its wiring, and ether that comes uninvited."""

import money
from brownie import ForcedEther, PrepaidLock
from members import NOBODY


def test_lock_id_of__given_payer_and_nonce__is_the_hash_of_the_interface(lock, meter_owner):
    nonce = money.digest_of("nonce")
    assert bytes(lock.lockIdOf(meter_owner.address, nonce)) == money.id_of(lock, meter_owner, nonce)


def test_lock_of__given_unknown_lock__is_empty(lock):
    stored = lock.lockOf(money.NOTHING)
    assert (stored["payer"], stored["payee"], stored["state"]) == (NOBODY, NOBODY, money.NONE)


def test_constructor__given_the_system__keeps_its_parts(
    lock, registry, catalogue, ledger, credit, market
):
    assert lock.registry() == registry
    assert lock.catalogue() == catalogue
    assert lock.ledger() == ledger
    assert lock.credit() == credit
    assert lock.market() == market


def test_constructor__given_a_missing_part__reverts(
    reverts_with, deployer, registry, catalogue, ledger, credit, market, outsider
):
    parts = [registry, catalogue, ledger, credit, market]
    for i in range(3):
        wrong = [*parts[:i], outsider, *parts[i + 1 :]]
        with reverts_with("Wiring_NoContract", outsider):
            PrepaidLock.deploy(*wrong, {"from": deployer})
    for i in (3, 4):
        wrong = [*parts[:i], NOBODY, *parts[i + 1 :]]
        with reverts_with("Wiring_ZeroAddress"):
            PrepaidLock.deploy(*wrong, {"from": deployer})


def test_receive__when_ether_is_sent_plainly__reverts(lock, outsider, reverts_with):
    with reverts_with(None):
        outsider.transfer(lock, 1)
    assert lock.balance() == 0


def test_balance__when_ether_is_forced_in__is_above_liabilities_and_breaks_nothing(
    lock, open_request, processor, meter_owner, outsider
):
    it = open_request()
    ForcedEther.deploy(lock, {"from": outsider, "value": 77})
    assert lock.balance() == lock.liabilitiesWei() + 77
    lock.reject(it.id, money.NOT_RECOGNISED, {"from": processor.account})
    lock.withdrawFor(meter_owner.address, {"from": outsider})
    assert (lock.balance(), lock.liabilitiesWei()) == (77, 0)


def test_code__when_deployed__fits_the_size_limit(lock, market):
    for contract in (lock, market):
        assert len(bytes.fromhex(contract.bytecode.removeprefix("0x"))) <= 24_576
