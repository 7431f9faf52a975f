"""Refusals: found in any contract's ABI, owned by the one in their name, told with units."""

import pytest

from offchain.chain import codec
from offchain.chain.deployment import ABI_FOLDER, DeployedContract, Deployment, load_abi
from offchain.chain.errors import NodeRefused
from offchain.chain.reverts import decode_revert, is_revert, revert_of, sentence
from offchain.chain.sentences import MEANINGS


def _error(name, *inputs):
    return {
        "type": "error",
        "name": name,
        "inputs": [{"name": key, "type": kind} for kind, key in inputs],
    }


EXPIRED = _error("PrepaidLock_Expired", ("bytes32", "lockId"), ("uint256", "expiresAt"))
VALUE = _error("PrepaidLock_WrongValue", ("uint256", "givenWei"), ("uint256", "priceWei"))
CARRIER = _error("DataMarket_Inner", ("bytes", "reason"))
NAMELESS = _error("Wiring_Zero", ("uint256", ""))
REASON = _error("Error", ("string", "reason"))
PANIC = _error("Panic", ("uint256", "code"))


def _contract(name, number, *abi):
    return DeployedContract(name, "0x" + f"{number:040x}", 0, abi)


CHAIN = Deployment(
    1,
    {
        "DataMarket": _contract("DataMarket", 1, CARRIER, EXPIRED),
        "PrepaidLock": _contract("PrepaidLock", 2, EXPIRED, VALUE, NAMELESS),
    },
)


def _data(entry, *values):
    return codec.encode_call(entry, values)


def test_decode_revert__error_of_the_called_contract__has_named_arguments():
    revert = decode_revert(CHAIN, "PrepaidLock", _data(VALUE, 5, 7))
    assert (revert.name, revert.contract) == ("PrepaidLock_WrongValue", "PrepaidLock")
    assert revert.arguments == {"givenWei": 5, "priceWei": 7}
    assert (
        revert.sentence
        == str(revert)
        == (
            "PrepaidLock refused: the payment is not exactly what is due "
            "(given 5 wei, price 7 wei) [PrepaidLock_WrongValue]"
        )
    )


def test_decode_revert__bubbled_through_another_contract__is_its_owners():
    revert = decode_revert(CHAIN, "DataMarket", _data(EXPIRED, bytes(31) + b"\x07", 1_700_000_000))
    assert revert.contract == "PrepaidLock"
    assert "expires at 2023-11-14 22:13:20 UTC = 1700000000" in revert.sentence
    assert "lock id 0x" + "00" * 31 + "07" in revert.sentence


def test_decode_revert__carried_as_bytes__tells_the_inner_one():
    inner = _data(VALUE, 1, 2)
    revert = decode_revert(CHAIN, "DataMarket", _data(CARRIER, inner))
    assert revert.name == "DataMarket_Inner"
    assert revert.arguments == {"reason": inner}
    assert "PrepaidLock refused: the payment is not exactly what is due" in revert.sentence


@pytest.mark.parametrize("carried", [b"", b"abc", b"\xff" * 36])
def test_decode_revert__carried_bytes_are_no_known_error__are_shown(carried):
    revert = decode_revert(CHAIN, "DataMarket", _data(CARRIER, carried))
    assert f"reason 0x{carried.hex()}" in revert.sentence


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (_data(REASON, "no more"), "Error", "PrepaidLock refused: no more"),
        (_data(PANIC, 0x11), "Panic", "PrepaidLock failed: arithmetic overflow"),
        (_data(PANIC, 0x99), "Panic", "PrepaidLock failed: panic 0x99"),
        (_data(NAMELESS, 3), "Wiring_Zero", "argument0 3"),
        (b"", "Unknown", "PrepaidLock refused without a reason"),
        (b"\x01\x02\x03\x04", "Unknown", "PrepaidLock refused with unknown error 0x01020304"),
        (_data(VALUE, 1, 2)[:-1], "Unknown", "unknown error"),
        (_data(REASON, "x")[:20], "Unknown", "unknown error"),
    ],
)
def test_decode_revert__any_other_form__has_a_name_and_a_sentence(data, name, words):
    revert = decode_revert(CHAIN, "PrepaidLock", data)
    assert revert.name == name
    assert words in revert.sentence
    assert revert.data == data


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"windowSeconds": 60}, "window 60 s"),
        ({"energyWh": 5}, "energy 5 Wh"),
        ({"dueAt": 0}, "due at 0"),
        ({"expiresAt": 2**64 - 1}, "expires at 18446744073709551615"),
        ({"account": "0xAbc"}, "account 0xAbc"),
        ({"isActive": True}, "is active True"),
        ({"state": 4}, "state claimed"),
        ({"state": 99}, "state 99"),
        ({"decideBy": 1_700_000_000}, "decide by 2023-11-14 22:13:20 UTC"),
        ({"field": b"regionId".ljust(32, b"\0")}, "field regionId"),
    ],
)
def test_sentence__argument_with_a_unit_in_its_name__is_told_with_it(arguments, words):
    assert words in sentence("PrepaidLock", "PrepaidLock_WrongState", arguments)


@pytest.mark.parametrize("data", ["0x{}", "Reverted 0x{}", {"data": "0x{}"}])
def test_revert_of__the_form_of_each_node__is_understood(data):
    hexed = _data(VALUE, 5, 7).hex()
    filled = data.format(hexed) if isinstance(data, str) else {"data": f"0x{hexed}"}
    refusal = NodeRefused("eth_call", 3, "execution reverted", filled)
    assert is_revert(refusal)
    assert revert_of(CHAIN, "PrepaidLock", refusal).name == "PrepaidLock_WrongValue"


@pytest.mark.parametrize("message", ["out of gas", "EVM error OutOfGas", "gas required exceeds 5"])
def test_revert_of__gas_ran_out__is_named(message):
    refusal = NodeRefused("eth_call", -32000, message)
    assert is_revert(refusal)
    assert revert_of(CHAIN, "PrepaidLock", refusal).name == "OutOfGas"


@pytest.mark.parametrize("data", [None, "0xzz", 7, {"other": 1}])
def test_revert_of__data_that_is_no_hex__is_unknown(data):
    refusal = NodeRefused("eth_call", 3, "execution reverted", data)
    assert revert_of(CHAIN, "PrepaidLock", refusal).name == "Unknown"


def test_is_revert__the_nodes_own_refusal__is_not_one():
    assert not is_revert(NodeRefused("eth_call", -32000, "insufficient funds for gas * price"))


ABIS = {path.stem: load_abi(path.stem) for path in sorted(ABI_FOLDER.glob("*.json"))}
ERRORS = {
    entry["name"]: (name, entry)
    for name, abi in ABIS.items()
    for entry in abi
    if entry["type"] == "error"
}
EVERYTHING = Deployment(
    1,
    {
        name: DeployedContract(name, f"0x{n:040x}", 0, abi)
        for n, (name, abi) in enumerate(ABIS.items())
    },
)


def _zeros(entry):
    zero = {"address": "0x" + "00" * 20, "bool": False, "bytes32": bytes(32), "bytes": b""}
    return [
        _zeros({"inputs": part["components"]})
        if part["type"] == "tuple"
        else zero.get(part["type"], 0)
        for part in entry["inputs"]
    ]


def test_meanings__of_the_contracts_errors__has_each_and_no_other():
    assert len(ERRORS) > 100
    assert set(MEANINGS) == set(ERRORS)


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_sentence__of_any_error_of_the_contracts__says_what_it_means_without_hex_data(name):
    called, entry = ERRORS[name]
    revert = decode_revert(EVERYTHING, called, _data(entry, *_zeros(entry)))
    assert revert.name == name
    assert f" refused: {MEANINGS[name]}" in revert.sentence
    assert revert.sentence.endswith(f"[{name}]")
    assert "unknown error" not in revert.sentence


@pytest.mark.parametrize("called", ["Consortium", "DataMarket", "DisputeCourt"])
def test_sentence__passed_on_by_another_contract__is_that_of_its_owner(called):
    _, entry = ERRORS["MemberRegistry_StopSpent"]
    revert = decode_revert(EVERYTHING, called, _data(entry))
    assert revert.contract == "MemberRegistry"
    assert revert.sentence.startswith("MemberRegistry refused: the emergency stop was used")


def test_refusal__of_a_batch__is_told_by_the_sentence_of_its_error():
    _, entry = ERRORS["DataLedger_SeqGap"]
    data = _data(entry, "0x" + "00" * 19 + "07", 5, 3)
    told = decode_revert(EVERYTHING, "DataLedger", data).sentence
    assert "the batch does not begin where the last one ended" in told
    assert "from seq 5, expected seq 3" in told
