"""What members are warned of before they agree to a public name."""

from typing import Any

import pytest

from offchain.chain import codec
from offchain.chain.deployment import ABI_FOLDER, DeployedContract, Deployment, load_abi
from offchain.consortium.naming import naming_of, warnings_of
from offchain.member.registration import NO_ADDRESS, NO_REGION
from offchain.member.roles import MemberRole
from offchain.types import to_account

NAMES = sorted(path.stem for path in ABI_FOLDER.glob("*.json"))
PLACES = {name: "0x" + f"{number + 1:040x}" for number, name in enumerate(NAMES)}
CHAIN = Deployment(
    1, {name: DeployedContract(name, PLACES[name], 0, load_abi(name)) for name in NAMES}
)
NORTH = to_account("0x" + "00" * 19 + "aa")
RIVAL = to_account("0x" + "00" * 19 + "bb")
HELD = [(NORTH, "Grid company North"), (NORTH, "North Grid")]


def data_of(contract: str, function: str, *args: Any) -> bytes:
    return codec.encode_call(codec.find_function(CHAIN.abi(contract), function, len(args)), args)


def naming(function: str, *args: Any) -> tuple[str, int, str] | None:
    data = data_of("MemberRegistry", function, *args)
    return naming_of(CHAIN, PLACES["MemberRegistry"], data)


def test_naming_of__an_admission_or_a_new_name__tells_whose_and_which() -> None:
    profile = (MemberRole.PROCESSOR, NO_REGION, NO_ADDRESS, b"i" * 32, b"p" * 32, (1,) * 4, (5, 6))
    admitted = naming("admit", RIVAL, "Rival", profile, ((1, 2), (3, 4), 5))
    assert admitted == (RIVAL, MemberRole.PROCESSOR, "Rival")
    renamed = naming("rename", RIVAL, "Rival")
    assert renamed is not None and (renamed[0], renamed[2]) == (RIVAL, "Rival")


def test_naming_of__anything_else__is_none() -> None:
    renamed = data_of("MemberRegistry", "rename", RIVAL, "Rival")
    assert naming("revoke", RIVAL) is None
    assert naming_of(CHAIN, PLACES["DataLedger"], renamed) is None
    assert naming_of(CHAIN, RIVAL, renamed) is None
    assert naming_of(CHAIN, PLACES["MemberRegistry"], b"") is None
    assert naming_of(CHAIN, PLACES["MemberRegistry"], renamed[:-40]) is None
    not_utf8 = renamed.replace(b"Rival", b"\xff\xfe\xfd\xfc\xfb")
    assert naming_of(CHAIN, PLACES["MemberRegistry"], not_utf8) is None


@pytest.mark.parametrize("name", ["Rival", "Grid company South"])
def test_warnings_of__a_name_that_is_like_no_other__are_none(name: str) -> None:
    assert warnings_of(RIVAL, MemberRole.SHARER, name, HELD) == ()


@pytest.mark.parametrize("name", ["grid company north", "GridCompany North!", "Grid cоmpany North"])
def test_warnings_of__a_look_alike__name_the_other_and_its_account(name: str) -> None:
    (warning,) = warnings_of(RIVAL, MemberRole.SHARER, name, HELD)
    assert "looks like 'Grid company North'" in warning and NORTH in warning


def test_warnings_of__an_equal_name__says_so_of_a_former_one_too() -> None:
    (warning,) = warnings_of(RIVAL, MemberRole.SHARER, "North Grid", HELD)
    assert "is 'North Grid'" in warning and NORTH in warning


def test_warnings_of__ones_own_names__are_none() -> None:
    assert warnings_of(NORTH, MemberRole.PROCESSOR, "NORTH GRID", HELD) == ()


@pytest.mark.parametrize(
    ("role", "name", "said"),
    [
        (MemberRole.PROCESSOR, "Grid\u202eNorth", "U+202E"),
        (MemberRole.SHARER, "", "empty"),
        (MemberRole.USER, "Anna", "never stands on chain"),
    ],
)
def test_warnings_of__a_name_that_does_not_fit__say_why(
    role: MemberRole, name: str, said: str
) -> None:
    (warning,) = warnings_of(RIVAL, role, name, HELD)
    assert said in warning and warning.isprintable()


def test_warnings_of__a_household_without_a_name__are_none() -> None:
    held = [*HELD, (RIVAL, "---")]
    assert warnings_of(NORTH, MemberRole.USER, "", held) == ()
