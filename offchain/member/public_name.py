"""Companies' public names: what may be proposed, how one is shown, which can be mistaken for which.

The chain compares names byte for byte and holds them to nothing (docs/formats.md §1). So a name is
checked before it is proposed and again before it is approved, and what is shown of one is never
the chain's bytes as they are: a terminal would obey some, and nobody would see others.
"""

from __future__ import annotations

import re
import unicodedata

from offchain.member.errors import MemberError
from offchain.member.roles import MemberRole

MAX_BYTES = 64  # what MemberRegistry takes
COMPANY_ROLES = frozenset({MemberRole.CONSORTIUM, MemberRole.PROCESSOR, MemberRole.SHARER})
# Controls, formats (bidi, zero width), halves of pairs, private and unassigned code points, and
# every space but U+0020.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
# Letters, marks and symbols that are blank all the same: what Unicode lets a program ignore
# (Default_Ignorable_Code_Point, beyond the categories above), and the empty pattern of Braille.
_BLANK = frozenset(
    map(
        chr,
        (
            *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0),
            *range(0x180B, 0x1810),
            *range(0xFE00, 0xFE10),
            *range(0xE0100, 0xE01F0),
        ),
    )
)
_MARKS = ("Mn", "Me")
_CAPITALS = str.maketrans("Ν", "N")  # Greek; small it is taken for a v
# What a hurried reader takes for a Latin letter: Cyrillic, Greek, Armenian and Latin ones that fold
# to no plain letter (of UTS 39's list those that are seen in names), digits, and letters that a
# typeface draws alike.
_LOOKS_LIKE = str.maketrans(
    "авекмнорстухіјѕһԁԛԝүґӏ" + "αβεζηικμνορτυχω" + "ոօսց" + "ıłøđħŧɡɑ" + "01i5",
    "abekmhopctyxljshdqwyrl" + "abezhlkmvoptyxw" + "noug" + "llodhtga" + "olls",
)
# An account as the skeleton has it: "0x" and more hexadecimal digits than a word has such letters.
_ACCOUNT = re.compile("ox[a-fols2346789]{16}")


def require_name(role: int, name: str) -> str:
    """Return the name if a member of `role` may have it: companies one, everybody else none.

    Raises MemberError.
    """
    if role in COMPANY_ROLES:
        return checked(name)
    if name:
        raise MemberError(
            "only a consortium, processing or data-sharing node has a public name: a household's "
            "or a device's never stands on chain"
        )
    return name


def checked(name: str) -> str:
    """Return a name that may be proposed: 1 to 64 bytes of UTF-8 in NFC, of characters that are
    seen, a letter or digit among them, single spaces between words. Raises MemberError.
    """
    why = _unfit(name)
    if why:
        raise MemberError(f"{shown(name)!r} is no public name: {why}")
    return name


def decoded(raw: bytes) -> str:
    """Return the chain's bytes as text; what is no UTF-8 as U+FFFD, which `checked` refuses."""
    return raw.decode("utf-8", "replace")


def shown(name: str) -> str:
    """Return a name as it is shown: NFC, in one line, without what nobody sees."""
    spaced = (" " if one.isspace() else one for one in name)
    seen = "".join(one for one in spaced if not _is_unseen(one))
    # Composed at last: what is left out may have kept two characters apart.
    return " ".join(unicodedata.normalize("NFC", seen).split())


def skeleton(name: str) -> str:
    """Return what is left of a name for a hurried reader: two names with one skeleton look alike.

    Case, accents, spaces and punctuation are gone, and letters that look alike are one letter.
    """
    folded = unicodedata.normalize("NFKD", shown(name)).translate(_CAPITALS).casefold()
    bare = (one for one in unicodedata.normalize("NFKD", folded) if one.isalnum())
    return "".join(bare).translate(_LOOKS_LIKE).replace("rn", "m").replace("vv", "w")


def _is_unseen(one: str) -> bool:
    return one != " " and (unicodedata.category(one) in _UNSEEN or one in _BLANK)


def _unfit(name: str) -> str:
    """Return why a name cannot be proposed, nothing if it can."""
    if not name:
        return "it is empty"
    strange = [one for one in name if _is_unseen(one)]
    if strange or "\N{REPLACEMENT CHARACTER}" in name:
        points = ", ".join(f"U+{ord(one):04X}" for one in dict.fromkeys(strange)) or "U+FFFD"
        return f"it has characters that nobody sees or that stand for others ({points})"
    if len(name.encode("utf-8")) > MAX_BYTES:
        return f"it has more than {MAX_BYTES} bytes in UTF-8"
    if unicodedata.normalize("NFC", name) != name:
        return "it is not in the composed form (NFC)"
    if name != name.strip(" ") or "  " in name:
        return "it begins or ends with a space, or has two together"
    if unicodedata.category(name[0]) in _MARKS or not skeleton(name):
        return "it has no letter and no digit, or begins with an accent"
    if _ACCOUNT.search(skeleton(name)):
        return "it looks like an account, which is what stands beside a name"
    return ""
