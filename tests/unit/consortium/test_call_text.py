"""A governed call as a person reads it, made and read with the checked-in ABIs."""

from typing import Any

import pytest

from offchain.chain import codec
from offchain.chain.deployment import ABI_FOLDER, DeployedContract, Deployment, load_abi
from offchain.consortium.call_text import call_arguments, call_text
from offchain.member.registration import NO_ADDRESS, NO_REGION, region_id
from offchain.member.roles import MemberRole

NAMES = sorted(path.stem for path in ABI_FOLDER.glob("*.json"))
PLACES = {name: "0x" + f"{number + 1:040x}" for number, name in enumerate(NAMES)}
CHAIN = Deployment(
    1, {name: DeployedContract(name, PLACES[name], 0, load_abi(name)) for name in NAMES}
)
ANNA = "0x" + "00" * 19 + "AA"
OWNER = "0x" + "00" * 19 + "bb"


def data_of(contract: str, function: str, *args: Any) -> bytes:
    return codec.encode_call(codec.find_function(CHAIN.abi(contract), function, len(args)), args)


def said(contract: str, function: str, *args: Any) -> str:
    return call_text(CHAIN, PLACES[contract], 0, data_of(contract, function, *args))


@pytest.mark.parametrize(
    ("role", "name", "region", "owner", "told"),
    [
        (
            *(MemberRole.PROCESSOR, "Grid North", region_id("north"), NO_ADDRESS),
            "processor, name 'Grid North', region north",
        ),
        (MemberRole.SHARER, "A'b", NO_REGION, NO_ADDRESS, 'sharer, name "A\'b"'),
        (MemberRole.DEVICE, "", region_id("n"), OWNER, f"device, region n, owner {OWNER}"),
    ],
)
def test_call_text__of_an_admission__says_who_in_which_role_and_region(
    role: MemberRole, name: str, region: bytes, owner: str, told: str
) -> None:
    profile = (role, region, owner, b"i" * 32, b"p" * 32, (1, 2, 3, 4), (5, 6))
    proofs = ((1, 2), (3, 4), 5)
    found = said("MemberRegistry", "admit", ANNA, name, profile, proofs)
    assert found.lower() == f"MemberRegistry.admit({ANNA}, {told})".lower()


def test_call_text__of_an_unfit_admission__is_readable_and_obeyed_by_no_terminal() -> None:
    escape = b"\x1b[2K\rregion south".ljust(32, b"\0")
    profile = (9, escape, NO_ADDRESS, b"i" * 32, b"p" * 32, (1, 2, 3, 4), (5, 6))
    name = "Grid\x1b[2K\u202eNorth\u200b"
    found = said("MemberRegistry", "admit", ANNA, name, profile, ((1, 2), (3, 4), 5))
    assert "name 'Grid[2KNorth'" in found
    assert "unknown role 9" in found and f"region 0x{escape.hex()}" in found
    assert found.isprintable()


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (("MemberRegistry", "stopBeginnings"), "MemberRegistry.stopBeginnings()"),
        (("Consortium", "setThreshold", 3), "Consortium.setThreshold(newThreshold 3)"),
        (
            ("RequestCatalogue", "setType", 1, (True, 60, 0, 9, 7, b"bill".ljust(32, b"\0"))),
            "RequestCatalogue.setType(typeId 1, requestType {active yes, shortestSeconds 60, "
            "disputeWindowSeconds 0, longestAnswerBytes 9, priceWei 7, name 'bill'})",
        ),
    ],
)
def test_call_text__of_a_governed_call__names_contract_function_and_arguments(
    call: tuple[Any, ...], told: str
) -> None:
    assert said(*call) == told


def test_call_text__with_a_directory__puts_names_before_accounts() -> None:
    def beside(account: str) -> str:
        return f"Grid North ({account})" if account.lower() == ANNA.lower() else account

    def named(target: str, data: bytes) -> str:
        return call_text(CHAIN, target, 7 * (not data), data, beside=beside)

    revoked = named(PLACES["MemberRegistry"], data_of("MemberRegistry", "revoke", ANNA))
    assert revoked.lower() == f"MemberRegistry.revoke(account Grid North ({ANNA}))".lower()
    assert named(ANNA, b"") == f"pay 7 wei to Grid North ({ANNA})"
    renamed = data_of("MemberRegistry", "rename", OWNER, "Grid\r South")
    told = f"MemberRegistry.rename(account {OWNER}, name 'Grid South')"
    assert named(PLACES["MemberRegistry"], renamed).lower() == told.lower()


def test_call_text__of_a_payment__says_how_much_to_whom() -> None:
    assert call_text(CHAIN, ANNA, 7, b"") == f"pay 7 wei to {ANNA}"


def test_call_text__with_money_beside_a_call__shows_it() -> None:
    data = data_of("MemberRegistry", "stopBeginnings")
    assert call_text(CHAIN, PLACES["MemberRegistry"], 9, data).endswith("() with 9 wei")


@pytest.mark.parametrize("data", [b"\x01\x02\x03\x04", b"\x01", bytes(100)])
def test_call_text__of_what_nothing_explains__says_that_it_is_unknown(data: bytes) -> None:
    assert call_text(CHAIN, ANNA, 0, data).startswith(f"unknown contract {ANNA}: call 0x")
    known = call_text(CHAIN, PLACES["Consortium"], 0, data)
    assert known.startswith("Consortium: unknown call 0x")
    assert call_arguments(CHAIN, ANNA, data) is None
    assert call_arguments(CHAIN, PLACES["Consortium"], data) is None


def test_call_text__with_arguments_cut_off__is_not_read_as_less() -> None:
    data = data_of("Consortium", "addMember", ANNA, 3)[:-1]
    assert call_text(CHAIN, PLACES["Consortium"], 0, data).startswith("Consortium: unknown call")


def test_call_arguments__of_a_call__are_whole_and_plain() -> None:
    rules = (60, 61, 2, 10_000, 5, 7, 8)
    found = call_arguments(
        CHAIN, PLACES["RequestCatalogue"], data_of("RequestCatalogue", "setRules", rules)
    )
    assert found == {
        "newRules": {
            "serveSeconds": 60,
            "decideSeconds": 61,
            "feeBps": 2,
            "bondBps": 10_000,
            "disputeBondBps": 5,
            "serveGasWei": 7,
            "disputeMinWei": 8,
        }
    }
