"""Names of request types as words."""

import pytest

from offchain.consortium.admin import ascii_word
from offchain.member.errors import MemberError


def test_ascii_word__given_text__pads_or_refuses() -> None:
    assert ascii_word("bill") == b"bill".ljust(32, b"\0")
    for text in ("", "x" * 33, "größe"):
        with pytest.raises(MemberError):
            ascii_word(text)
