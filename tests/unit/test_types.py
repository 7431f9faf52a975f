"""Accounts as text: EIP-55, and nothing else."""

import pytest
from eth_utils import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from offchain.types import to_account

EIP_55 = [
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0xde709f2102306220921060314715629080e2fb77",
]


@pytest.mark.parametrize("account", EIP_55)
def test_to_account__given_the_standards_examples__gives_them_from_any_case(account: str) -> None:
    digits = account[2:]
    for text in (account, "0x" + digits.lower(), "0x" + digits.upper()):
        assert to_account(text) == account
    assert to_account(bytes.fromhex(digits)) == account


@given(st.binary(min_size=20, max_size=20))
def test_to_account__given_any_bytes__gives_what_eth_utils_gives(account: bytes) -> None:
    assert to_account(account) == to_checksum_address(account)


@pytest.mark.parametrize(
    "text",
    [
        *("", "0x", "0x" + "1" * 39, "0x" + "1" * 41, "1" * 42, "0X" + "1" * 40),
        *(
            "0x" + "g" * 40,
            "0x" + "12 " * 13 + "1",
            "0x" + "12" * 19 + " 1",
            "0x" + "1" * 40 + "\n",
        ),
        *(bytes(19), bytes(21)),
    ],
)
def test_to_account__given_anything_else__raises(text: str | bytes) -> None:
    with pytest.raises(ValueError, match="40 hexadecimal digits"):
        to_account(text)
