"""Hand-signed transactions are byte for byte what eth-account makes."""

import pytest
from eth_account import Account

from offchain.chain.signing import LegacyTransaction, TransactionSigner, read_legacy

KEY = bytes(range(1, 33))
TO = bytes.fromhex("ab" * 20)


def _plain(**changes):
    fields = {
        "nonce": 7,
        "gas_price_wei": 10**9,
        "gas": 90_000,
        "value_wei": 3,
        "data": b"\x01\x02",
    }
    return LegacyTransaction(to=TO, **{**fields, **changes})


@pytest.mark.parametrize("chain_id", [1, 1337, 31337, 20191])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"nonce": 0, "gas_price_wei": 0, "value_wei": 0, "data": b""},
        {"nonce": 128, "value_wei": 10**24, "data": bytes(300)},
        *({"nonce": number} for number in range(20, 40)),  # both parities of the signature's point
    ],
)
def test_sign__any_fields__gives_eth_accounts_bytes(chain_id, changes):
    plain = _plain(**changes)
    expected = Account.from_key(KEY).sign_transaction(
        {
            "chainId": chain_id,
            "nonce": plain.nonce,
            "gasPrice": plain.gas_price_wei,
            "gas": plain.gas,
            "to": plain.to,
            "value": plain.value_wei,
            "data": plain.data,
        }
    )
    raw, tx_hash = TransactionSigner(KEY, chain_id=chain_id).sign(plain)
    assert raw == bytes(expected.raw_transaction)
    assert tx_hash == "0x" + bytes(expected.hash).hex()


def test_read_legacy__what_was_signed__is_read_back():
    raw, _ = TransactionSigner(KEY, chain_id=5).sign(_plain())
    assert read_legacy(raw) == _plain()


@pytest.mark.parametrize("raw", [b"", b"\x02\xc0", b"\xc3\x01\x02\x03", b"\xf8", b"no transaction"])
def test_read_legacy__other_bytes__is_refused(raw):
    with pytest.raises(ValueError, match="no legacy transaction"):
        read_legacy(raw)


def test_repr__signer__shows_no_key():
    assert KEY.hex() not in repr(vars(TransactionSigner(KEY, chain_id=1)))
