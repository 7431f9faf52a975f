"""ABI values to Python values and back: calls, results, errors, events."""

from collections import namedtuple
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from eth_hash.auto import keccak

from offchain.chain.errors import AbiMismatch
from offchain.types import to_account

Abi = dict[str, Any]  # one entry of a contract's ABI, or one part of an entry


def signature(entry: Abi) -> str:
    """Return ``name(type,…)`` of a function, event or error."""
    return f"{entry['name']}({','.join(_type(part) for part in entry['inputs'])})"


def selector(entry: Abi) -> bytes:
    """Return the 4 bytes that name a function or an error in call data."""
    return keccak(signature(entry).encode())[:4]


def topic(entry: Abi) -> bytes:
    """Return the 32 bytes that name an event in a log."""
    return keccak(signature(entry).encode())


def find_function(abi: Sequence[Abi], name: str, argument_count: int) -> Abi:
    """Return the function called `name`, or with the full signature `name`.

    Raises AbiMismatch when none or several with that many arguments exist.
    """
    functions = [entry for entry in abi if entry["type"] == "function"]
    found = [
        entry
        for entry in functions
        if signature(entry) == name
        or (entry["name"] == name and len(entry["inputs"]) == argument_count)
    ]
    if len(found) != 1:
        known = [signature(entry) for entry in functions if entry["name"] == name.split("(")[0]]
        raise AbiMismatch(
            f"{len(found)} functions fit {name!r} with {argument_count} arguments; "
            f"the ABI has {known or 'none of that name'}"
        )
    return found[0]


def decode_call(abi: Sequence[Abi], data: bytes) -> tuple[Abi, tuple[Any, ...]]:
    """Return the function that call data names, and its arguments. Raises AbiMismatch."""
    for entry in abi:
        if entry["type"] == "function" and selector(entry) == data[:4]:
            return entry, decode(entry["inputs"], data[4:], what=f"a call of {signature(entry)}")
    raise AbiMismatch(f"the ABI has no function with selector 0x{data[:4].hex()}")


def encode_call(entry: Abi, arguments: Sequence[Any]) -> bytes:
    """Return the call data; structs may be mappings by field name. Raises AbiMismatch."""
    return selector(entry) + encode(entry["inputs"], arguments, what=signature(entry))


def encode(parts: Sequence[Abi], values: Sequence[Any], *, what: str) -> bytes:
    """Return ``abi.encode`` of `values`. Raises AbiMismatch, with `what` in the message."""
    from offchain.chain import strict_abi

    types = [_type(part) for part in parts]
    try:
        plain = [_to_abi(*pair) for pair in zip(parts, values, strict=True)]
        return strict_abi.encode(types, plain)
    except strict_abi.ENCODING_FAULTS as error:
        raise AbiMismatch(f"the arguments do not fit {what}: {error}") from error


def decode(parts: Sequence[Abi], data: bytes, *, what: str) -> tuple[Any, ...]:
    """Return the Python values in `data`: addresses checksummed, arrays lists, structs named.

    Raises AbiMismatch when the bytes are not of these types.
    """
    from offchain.chain import strict_abi

    types = [_type(part) for part in parts]
    try:
        values = strict_abi.decode(types, data)
    except strict_abi.DECODING_FAULTS as error:
        raise AbiMismatch(f"bytes that are not {what}: {error}") from error
    return tuple(_from_abi(part, value) for part, value in zip(parts, values, strict=True))


def decode_result(entry: Abi, data: bytes) -> Any:
    """Return a function's result: the value, or a (named) tuple of several.

    Raises AbiMismatch, also for a broken word behind the values: no contract returns one.
    """
    outputs = entry["outputs"]
    if len(data) % 32:
        raise AbiMismatch(
            f"bytes that are not a result of {signature(entry)}: {len(data)} are no whole words"
        )
    values = decode(outputs, data, what=f"a result of {signature(entry)}")
    if len(outputs) == 1:
        return values[0]
    names = tuple(part["name"] for part in outputs)
    return _tuple_type(entry["name"], names)(*values) if any(names) else values


def decode_event(entry: Abi, topics: Sequence[bytes], data: bytes) -> dict[str, Any]:
    """Return an event's arguments by name; an indexed string, array or struct is its hash."""
    indexed = [part for part in entry["inputs"] if part["indexed"]]
    plain = [part for part in entry["inputs"] if not part["indexed"]]
    values = dict(_named(plain, decode(plain, data, what=f"the event {signature(entry)}")))
    for part, word in zip(indexed, topics[1:], strict=True):
        dynamic = part["type"] in ("string", "bytes") or part["type"].startswith("tuple")
        if dynamic or part["type"].endswith("]"):
            values[part["name"]] = word
        else:
            (values[part["name"]],) = decode([part], word, what=f"a topic of {entry['name']}")
    return {part["name"]: values[part["name"]] for part in entry["inputs"]}


def encode_topic(entry: Abi, name: str, value: Any) -> str:
    """Return the topic that filters an event by the indexed argument `name`."""
    for part in entry["inputs"]:
        if part["name"] == name and part["indexed"]:
            return "0x" + encode([part], [value], what=f"the topic {name}").hex()
    raise AbiMismatch(f"the event {entry['name']} has no indexed argument {name!r}")


def topic_filters(entry: Abi, indexed: Mapping[str, Any]) -> list[str | None]:
    """Return the topics behind the event's own that have these arguments. Raises AbiMismatch."""
    wanted = {name: encode_topic(entry, name, value) for name, value in indexed.items()}
    return [wanted.get(part["name"]) for part in entry["inputs"] if part["indexed"]]


def _named(parts: Sequence[Abi], values: Sequence[Any]) -> list[tuple[str, Any]]:
    return [(part["name"], value) for part, value in zip(parts, values, strict=True)]


def _type(part: Abi) -> str:
    """Return a part's type as signatures have it: a struct is its fields in brackets."""
    kind: str = part["type"]
    if not kind.startswith("tuple"):
        return kind
    fields = ",".join(_type(field) for field in part["components"])
    return f"({fields}){kind.removeprefix('tuple')}"


def _element(part: Abi) -> Abi:
    return {**part, "type": part["type"][: part["type"].rindex("[")]}


def _to_abi(part: Abi, value: Any) -> Any:
    if part["type"].endswith("]"):
        return [_to_abi(_element(part), item) for item in value]
    if part["type"].startswith("bytes") and isinstance(value, str) and value.startswith("0x"):
        return bytes.fromhex(value[2:])
    if part["type"] != "tuple":
        return value
    fields = part["components"]
    if isinstance(value, Mapping):
        if set(value) != {field["name"] for field in fields}:
            raise ValueError(f"fields {sorted(value)} for struct {part['name']!r}")
        value = [value[field["name"]] for field in fields]
    return tuple(_to_abi(field, item) for field, item in zip(fields, value, strict=True))


def _from_abi(part: Abi, value: Any) -> Any:
    if part["type"].endswith("]"):
        return [_from_abi(_element(part), item) for item in value]
    if part["type"] == "address":
        return to_account(value)
    if part["type"] != "tuple":
        return value
    fields = part["components"]
    kind = part.get("internalType", "struct Struct").removeprefix("struct ").split(".")[-1]
    struct = _tuple_type(kind.split("[")[0], tuple(field["name"] for field in fields))
    return struct(*(_from_abi(field, item) for field, item in zip(fields, value, strict=True)))


@cache
def _tuple_type(name: str, fields: tuple[str, ...]) -> Any:
    return namedtuple(name, fields, rename=True)
