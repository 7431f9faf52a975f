"""What a request may name."""

import pytest

from offchain.household.request_draft import require_devices
from offchain.member.errors import MemberError


@pytest.mark.parametrize("devices", [(), ("0xa", "0xa")])
def test_require_devices__given_none_or_one_twice__raises(devices: tuple[str, ...]) -> None:
    with pytest.raises(MemberError):
        require_devices(devices)
