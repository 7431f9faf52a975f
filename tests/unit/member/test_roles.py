"""The enumerations in Python have the contracts' numbers."""

import re
from enum import IntEnum
from pathlib import Path

import pytest

from offchain.member.roles import BroadcastState, LockState, MemberRole, Reason, Status

INTERFACES = Path(__file__).resolve().parents[3] / "interfaces"


@pytest.mark.parametrize(
    ("kind", "name", "interface"),
    [
        (LockState, "LockState", "IPrepaidLock"),
        (Reason, "Reason", "IPrepaidLock"),
        (BroadcastState, "BroadcastState", "IDataMarket"),
        (MemberRole, "Role", "IMemberRegistry"),
        (Status, "Status", "INotificationBoard"),
    ],
)
def test_enumeration__given_interface__has_its_names_in_order(
    kind: type[IntEnum], name: str, interface: str
) -> None:
    source = (INTERFACES / f"{interface}.sol").read_text()
    body = re.search(rf"enum {name} \{{(.*?)\}}", source, re.S).group(1)
    names = [re.sub(r"(?<!^)(?=[A-Z])", "_", one).upper() for one in re.findall(r"\w+", body)]

    assert [(one.name, one.value) for one in kind] == [(n, i) for i, n in enumerate(names)]
