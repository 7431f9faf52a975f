"""Nothing that is logged or printed in a whole run holds a key, an identity or a reading.

Threat 38: every service works here in one process with all loggers at DEBUG, those of the libraries
too, and what they wrote is searched for every secret of every member.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from offchain.buyer.inbox_http import create_share_app
from offchain.errors import NotEnoughSharesError
from offchain.member.keys import MemberKeys
from offchain.node.serve import serve
from offchain.records import reading
from tests.integration.buyer.test_sharing import call_for_data, publish_both, select_both
from tests.integration.node.test_requests import ask
from tests.integration.town import ADVICE, BILL, Town


def forms(secret: bytes) -> Iterator[str]:
    """Yield how bytes are written down: hex, decimal, base64, Python's repr."""
    import base64

    yield secret.hex()
    yield str(int.from_bytes(secret, "big"))
    yield base64.b64encode(secret).decode().rstrip("=")
    yield repr(secret)[2:-1]


def secrets_of(keys: MemberKeys) -> Iterator[tuple[str, str]]:
    yield "identity", keys.identity
    held = {"account": bytes(keys.account.key), "bls": keys.bls.to_bytes(), "salt": keys.salt}
    if keys.delivery is not None:
        held["delivery"] = keys.delivery.to_bytes()
    if keys.device_secret is not None:
        held["device"] = keys.device_secret.to_bytes()
    if keys.paillier is not None:
        primes = keys.paillier.to_bytes()[6:]
        held["p"], held["q"] = primes[: len(primes) // 2], primes[len(primes) // 2 :]
    for name, secret in held.items():
        yield from ((f"{name} of {keys.role.name}", form) for form in forms(secret))


def leaks(text: str, town: Town) -> set[str]:
    """Return the names of what the text gives away."""
    members = [one.keys for one in (*town.nodes, *town.houses, *town.buyers)]
    members += [house.device for house in town.houses]
    found = {name for keys in members for name, form in secrets_of(keys) if form in text}
    for house in town.houses:
        for one in house.readings:
            record = reading.encode(one)
            if any(form in text for form in (*forms(record), *forms(one.nonce))):
                found.add("a reading")
            if f"{one.import_wh}" in text.replace("0x", " "):
                found.add("a register")
    return found


@pytest.fixture
def fully_logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog


def test_logs__of_requests_and_sharing__hold_no_key_identity_or_reading(
    fresh: Town, fully_logged: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    house, (first, second, _) = fresh.houses[0], fresh.buyers
    for type_id in (BILL, ADVICE):
        lock_id = ask(house, type_id)
        house.node.worker.run_once()
        assert house.household.answers.audit(lock_id).ok
    publish_both(fresh)
    broadcast_id = call_for_data(fresh)
    fresh.nodes[0].worker.run_once()
    (lock_id,) = select_both(fresh, broadcast_id)
    fresh.nodes[0].worker.run_once()
    first.shares.own(lock_id)
    with pytest.raises(NotEnoughSharesError):
        first.shares.recover(lock_id)
    with serve(create_share_app(first.inbox)) as server:
        second.shares.hand_over(lock_id, {first.keys.address: server.url})
    group_secret = first.shares.recover(lock_id).group_secret
    opened = first.data_sets.open(lock_id, group_secret=group_secret)

    printed = capfd.readouterr()
    written = fully_logged.text + printed.out + printed.err
    assert len(fully_logged.records) > 50  # something was searched
    assert leaks(written, fresh) == set()
    for secret in (group_secret.to_bytes(), opened.private_key.to_bytes()[6:]):
        assert not any(form in written for form in forms(secret))


def test_leaks__given_careless_logs__names_them(town: Town) -> None:
    house = town.houses[0]
    one = house.readings[5]
    assert leaks(f"opened for {house.keys.identity}", town) == {"identity"}
    assert leaks(f"key {house.keys.bls.reveal()}", town) == {"bls of USER"}
    assert leaks(f"record {reading.encode(one).hex()}", town) == {"a reading"}
    assert leaks(f"register {one.import_wh} Wh", town) == {"a register"}
