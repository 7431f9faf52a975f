"""Consent as of a place of the chain: what was said before it counts, in its own block too."""

from pathlib import Path
from typing import Any

import pytest

from offchain.index.asked.rows import LogPlace
from offchain.index.chain_index import ChainIndex
from offchain.index.errors import IndexBehind
from offchain.member.consent import lacking_consent_as_of
from offchain.records.contexts import DATA_SHARING_PURPOSE
from offchain.types import Role, to_account
from tests.unit.index.conftest import open_index
from tests.unit.index.simulated import Event, SimulatedChain, address

DEVICE, OTHER, OWNER = (to_account(address(number)) for number in (101, 102, 1))
NOBODY = "0x" + "00" * 20
FAR = 2**40


def admitted(account: str, role: Role, *, owner: str = NOBODY) -> Event:
    args = {
        "account": account,
        "role": int(role),
        "regionId": b"north".ljust(32, b"\0"),
        "owner": owner,
        "idCommitment": b"i" * 32,
        "paillierDigest": b"p" * 32,
        "blsKey": {"xIm": 1, "xRe": 2, "yIm": 3, "yRe": 4},
        "deliveryKey": {"x": 5, "y": 7},
        "name": b"",
    }
    return Event("MemberRegistry", "MemberAdmitted", args)


def revoked(account: str) -> Event:
    args = {"account": account, "role": 1, "regionId": b"north".ljust(32, b"\0")}
    return Event("MemberRegistry", "MemberRevoked", args)


def said(expires_at: int, *, purpose: bytes = DATA_SHARING_PURPOSE, device: str = DEVICE) -> Event:
    args: dict[str, Any] = {"device": device, "purpose": purpose, "owner": OWNER}
    if expires_at == 0:
        return Event("ConsentBook", "ConsentWithdrawn", args)
    return Event("ConsentBook", "ConsentGiven", args | {"expiresAt": expires_at})


@pytest.fixture
def chain() -> SimulatedChain:
    chain = SimulatedChain()
    for _ in range(3):
        chain.mine([])
    chain.mine([admitted(OWNER, Role.USER), admitted(DEVICE, Role.DEVICE, owner=OWNER)])
    chain.mine([said(FAR)])
    return chain


@pytest.fixture
def index(chain: SimulatedChain, tmp_path: Path) -> Any:
    with open_index(tmp_path / "index.sqlite", chain) as index:
        yield index


def lacking(index: ChainIndex, place: LogPlace, *, at_s: int = 5) -> dict[str, str]:
    index.follower.catch_up()
    return lacking_consent_as_of(index, [DEVICE], place, at_s=at_s)


def test_as_of__consent_given_before__stands(chain: SimulatedChain, index: ChainIndex) -> None:
    assert lacking(index, LogPlace(chain.head, 1)) == {}
    assert "never consented" in lacking(index, LogPlace(chain.head, 0))[DEVICE]


@pytest.mark.parametrize(
    ("end", "why"),
    [
        (said(0), "consent was withdrawn in block 8"),
        (revoked(DEVICE), "the device was revoked"),
        (revoked(OWNER), "its owner was revoked"),
        (said(3), "consent had ended"),
    ],
    ids=["withdrawn", "device revoked", "owner revoked", "shortened"],
)
def test_as_of__its_end_in_one_block__counts_behind_it_and_not_before(
    chain: SimulatedChain, index: ChainIndex, end: Event, why: str
) -> None:
    other = said(FAR, purpose=b"another".ljust(32, b"\0"))
    block = chain.mine([other, end, other]).number
    assert lacking(index, LogPlace(block, 0)) == lacking(index, LogPlace(block, 1)) == {}
    assert lacking(index, LogPlace(block, 2)) == {DEVICE: why}
    assert lacking(index, LogPlace(block, 3)) == {DEVICE: why}


def test_as_of__withdrawn_and_given_again__goes_by_the_last_word(
    chain: SimulatedChain, index: ChainIndex
) -> None:
    block = chain.mine([said(0), said(FAR)]).number
    assert DEVICE in lacking(index, LogPlace(block, 1))
    assert lacking(index, LogPlace(block, 2)) == {}


@pytest.mark.parametrize(("at_s", "stands"), [(FAR - 1, True), (FAR, False), (FAR + 1, False)])
def test_as_of__expiry__counts_by_the_time_of_the_block(
    chain: SimulatedChain, index: ChainIndex, at_s: int, stands: bool
) -> None:
    chain.mine([])
    assert (lacking(index, LogPlace(chain.head, 0), at_s=at_s) == {}) is stands


def test_as_of__what_is_no_device__lacks_consent(chain: SimulatedChain, index: ChainIndex) -> None:
    chain.mine([said(FAR, device=OTHER)])
    index.follower.catch_up()
    found = lacking_consent_as_of(index, [OTHER], LogPlace(chain.head, 5), at_s=5)
    assert found == {OTHER: "it is no device of this chain"}


def test_as_of__a_block_that_the_tables_lack__is_not_answered(
    chain: SimulatedChain, index: ChainIndex
) -> None:
    with pytest.raises(IndexBehind):
        lacking(index, LogPlace(chain.head + 1, 0))
