"""Companies' public names: what may be proposed, how one is shown, which look alike."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.member.errors import MemberError
from offchain.member.public_name import checked, decoded, require_name, shown, skeleton
from offchain.member.roles import MemberRole


def is_fit(name: str) -> bool:
    try:
        checked(name)
    except MemberError:
        return False
    return True


@pytest.mark.parametrize(
    "name",
    [
        "A",
        "Grid company North",
        "Stadtwerke Köln GmbH & Co. KG",
        "国家电网",
        "A" * 64,
        "é" * 32,
        "3",
    ],
)
def test_checked__given_a_fit_name__returns_it(name: str) -> None:
    assert checked(name) == name == shown(name)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "empty"),
        ("A" * 65, "64 bytes"),
        ("é" * 32 + "x", "64 bytes"),
        ("Ko\u0308ln", "NFC"),
        (" North", "space"),
        ("North ", "space"),
        ("Grid  North", "space"),
        ("Grid\tNorth", "U+0009"),
        ("Grid\u00a0North", "U+00A0"),
        ("Grid\nNorth", "U+000A"),
        ("\x1b[2KNorth", "U+001B"),
        ("North\u202e", "U+202E"),
        ("No\u200brth", "U+200B"),
        ("No\u00adrth", "U+00AD"),
        ("\ufeffNorth", "U+FEFF"),
        ("North\ue000", "U+E000"),
        ("North\ud800", "U+D800"),
        ("North\ufffd", "U+FFFD"),
        ("Grid North\u3164", "U+3164"),  # Hangul fillers are letters, and blank
        ("Grid\u115f North", "U+115F"),
        ("Grid North\uffa0", "U+FFA0"),
        ("Grid\u034fNorth", "U+034F"),
        ("Grid North\ufe0f", "U+FE0F"),
        ("Grid North\U000e0100", "U+E0100"),
        ("Grid\u2800North", "U+2800"),
        ("0x" + "aB" * 20, "account"),
        ("Grid (0x1234567890abcdef1234567890abcdef12345678)", "account"),
        ("Ох" + "12" * 20, "account"),  # Cyrillic
        ("---", "no letter"),
        ("\u0301North", "accent"),
    ],
)
def test_checked__given_an_unfit_name__says_why(name: str, why: str) -> None:
    with pytest.raises(MemberError, match=why.replace("+", r"\+")) as refused:
        checked(name)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("role", MemberRole)
def test_require_name__given_a_role__wants_one_of_companies_alone(role: MemberRole) -> None:
    is_company = role.name in ("CONSORTIUM", "PROCESSOR", "SHARER")
    fits, unfit = ("Grid", "") if is_company else ("", "Anna")
    assert require_name(role, fits) == fits
    with pytest.raises(MemberError):
        require_name(role, unfit)


@given(st.text(max_size=80))
def test_shown__given_any_text__is_one_line_of_what_is_seen(name: str) -> None:
    line = shown(name)
    assert line.isprintable() and line == line.strip() and "  " not in line
    assert shown(line) == line
    if is_fit(name):
        assert name == line  # what is fit is shown as it is


def test_shown__given_what_kept_two_characters_apart__is_composed() -> None:
    assert shown("Ko\u200d\u0308ln") == "Köln" == shown(shown("Ko\u200d\u0308ln"))


@given(st.binary(max_size=70))
def test_decoded__given_any_bytes__is_fit_for_utf8_alone(raw: bytes) -> None:
    name = decoded(raw)
    if is_fit(name):
        assert name.encode() == raw and unicodedata.is_normalized("NFC", name)


@pytest.mark.parametrize(
    "other",
    [
        "GRID COMPANY NORTH",
        "Grid-Company-North",
        "Grid company North.",
        "Grid cornpany North",
        "Grid cоmpany Nоrth",  # Cyrillic о
        "Gríd còmpany Nörth",
        "Gr1d c0mpany North",
        "Ｇｒｉｄ company North",  # full width
        "GRID COMPANY ΝORTH",  # Greek Ν
        "Grıd company North",
        "Grid cømpany North",
        "ɡrid cօmpany Nortħ",
    ],
)
def test_skeleton__given_names_that_look_alike__is_one(other: str) -> None:
    assert skeleton(other) == skeleton("Grid company North")


@pytest.mark.parametrize("other", ["Grid company South", "Grid company North 2", "国家电网"])
def test_skeleton__given_other_names__differs(other: str) -> None:
    assert skeleton(other) != skeleton("Grid company North")
