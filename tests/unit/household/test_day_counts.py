"""What the node tells before anything is paid: fetched, or said why not."""

import pytest

from offchain.household.day_counts import fetch_days
from offchain.member.errors import MemberError


def test_fetch_days__no_node_there__says_so_and_that_nothing_was_paid() -> None:
    with pytest.raises(MemberError, match="is the node running"):
        fetch_days("http://127.0.0.1:1", "0x" + "22" * 20, (0, 86_400))
