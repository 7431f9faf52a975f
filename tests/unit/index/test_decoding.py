"""The prepared readers give what the ABI's own decoder gives, of every event of every contract."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offchain.chain import codec
from offchain.chain.answers import AnswerUnreadable
from offchain.chain.errors import LogUnreadable
from offchain.index.decoding import EventDecoder
from offchain.index.projections.all_rules import RULES
from tests.unit.index.simulated import Event, SimulatedChain, address, deployment, encode

DEPLOYMENT = deployment()
SOURCES = sorted(RULES.sources)


def values_of(part: codec.Abi) -> st.SearchStrategy[Any]:
    """Return a strategy for the values of an ABI's part."""
    kind = part["type"]
    if kind.endswith("[]"):
        return st.lists(values_of({**part, "type": kind[:-2]}), max_size=3)
    if kind == "tuple":
        fields = {one["name"]: values_of(one) for one in part["components"]}
        return st.fixed_dictionaries(fields)
    if kind == "address":
        return st.integers(0, 2**160 - 1).map(address)
    if kind == "bool":
        return st.booleans()
    if kind == "bytes":
        return st.binary(max_size=70)
    if kind.startswith("bytes"):
        size = int(kind[5:])
        return st.binary(min_size=size, max_size=size)
    bits = int(kind.lstrip("uint"))
    low, high = (0, 2**bits - 1) if kind[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return st.one_of(st.integers(low, high), st.sampled_from([low, high, 0]))


def flat(values: Any, prefix: str = "") -> dict[str, Any]:
    found = {}
    for name, value in values.items():
        if hasattr(value, "_asdict"):
            found |= flat(value._asdict(), f"{prefix}{name}.")
        else:
            found[prefix + name] = value
    return found


@pytest.mark.parametrize("source", SOURCES, ids=".".join)
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.data_too_large, HealthCheck.too_slow],
)
@given(data=st.data())
def test_values__of_any_event__are_those_of_the_abi(
    source: tuple[str, str], data: st.DataObject
) -> None:
    contract = DEPLOYMENT.contract(source[0])
    entry = contract.event(source[1])
    args = {one["name"]: data.draw(values_of(one)) for one in entry["inputs"]}
    topics, encoded = encode(contract, Event(*source, args))
    expected = codec.decode_event(
        entry, [bytes.fromhex(one[2:]) for one in topics], bytes.fromhex(encoded[2:])
    )
    assert EventDecoder(contract, entry).values(topics, encoded) == flat(expected)


@pytest.mark.parametrize("source", SOURCES, ids=".".join)
def test_event__says_no_string__so_that_no_senders_bytes_make_it_unreadable(
    source: tuple[str, str],
) -> None:
    entry = DEPLOYMENT.contract(source[0]).event(source[1])
    assert "string" not in codec.signature(entry)


def _log() -> dict[str, Any]:
    chain = SimulatedChain()
    args = {"device": address(5), "fromSeq": 1, "count": 24, "root": b"r" * 32}
    (log,) = chain.logs(chain.mine([Event("DataLedger", "BatchAnchored", args)]))
    return log


def _decoder() -> EventDecoder:
    contract = DEPLOYMENT.contract("DataLedger")
    return EventDecoder(contract, contract.event("BatchAnchored"))


def test_told__a_sound_log__says_where_and_what() -> None:
    told = _decoder().told(_log())
    assert told.source == ("DataLedger", "BatchAnchored")
    assert (told["device"], told["count"], told["root"]) == (address(5), 24, b"r" * 32)


@pytest.mark.parametrize("name", ["blockNumber", "blockHash", "logIndex", "transactionHash"])
@pytest.mark.parametrize("value", [None, "0x", "0xzz", 7, {}, "0x" + "1" * 70])
def test_told__a_member_that_is_none__is_the_nodes_fault(name: str, value: object) -> None:
    with pytest.raises(AnswerUnreadable):
        _decoder().told({**_log(), name: value})


@pytest.mark.parametrize("data", [None, 7, "0x1", "0x zz", "1234", "0x" + "g" * 64])
def test_told__data_that_is_no_hexadecimal__is_the_nodes_fault(data: object) -> None:
    with pytest.raises(AnswerUnreadable):
        _decoder().told({**_log(), "data": data})


@pytest.mark.parametrize("data", ["0x", "0x" + "00" * 63, "0x" + "00" * 65, "0x" + "ff" * 64])
def test_told__data_of_another_event__is_unreadable(data: str) -> None:
    with pytest.raises(LogUnreadable, match=r"DataLedger\.BatchAnchored"):
        _decoder().told({**_log(), "data": data})


@pytest.mark.parametrize("name", [b"\xff\x00", "Süd".encode(), b"n" * 128])
def test_told__given_a_name_that_is_no_text__is_its_bytes(name: bytes) -> None:
    """Anybody who may say a tariff chooses its product's name: it must not blind an index."""
    contract, chain = DEPLOYMENT.contract("TariffBook"), SimulatedChain()
    args = {
        "regionId": b"north".ljust(32, b"\0"),
        "product": b"p" * 32,
        "digest": b"d" * 32,
        "by": address(5),
        "validFrom": 2**40 - 1,
        "validTo": 0,
        "appendedAt": 1_700_000_000,
        "isCorrection": True,
        "productName": name,
    }
    (log,) = chain.logs(chain.mine([Event("TariffBook", "TariffAppended", args)]))
    told = EventDecoder(contract, contract.event("TariffAppended")).told(log)
    assert told.values == args


def test_told__given_a_purpose_that_is_no_text__is_its_bytes() -> None:
    """Any buyer chooses it: it must not blind the nodes, which then take nothing new on."""
    contract, chain = DEPLOYMENT.contract("DataMarket"), SimulatedChain()
    names = ("windowFrom", "windowTo", "kind", "groupSize", "threshold", "maxPriceWei")
    conditions: dict[str, Any] = dict.fromkeys((*names, "respondBy", "selectBy"), 1)
    conditions |= {"openingsLength": 5, "openingsDigest": b"o" * 32, "nonce": b"n" * 32}
    conditions |= {"regions": [b"r" * 32], "purpose": b"\xffUR\x00OSE"}
    args = {"broadcastId": b"b" * 32, "requester": address(5), "applicationWei": 1}
    event = Event("DataMarket", "Broadcast", {**args, "conditions": conditions})
    (log,) = chain.logs(chain.mine([event]))
    told = EventDecoder(contract, contract.event("Broadcast")).told(log)
    assert told["conditions.purpose"] == b"\xffUR\x00OSE"
