"""The agent's configuration: one JSON or TOML file; paths in it are relative to it."""

import json
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from device_agent.errors import BadSetup
from offchain.crypto.modulus import DEFAULT_BITS, MAX_BITS, MIN_BITS
from offchain.types import ENGINE_FINALITY, final_depth


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What an agent needs to know.

    rpc_url: a chain node, or several, the device's own first. confirmations: blocks that must lie
    on what is final (0 on development chains alone). node_url: where the region's processor serves,
    or several addresses where it may. keys: folder
    with account.json, bls.json and device.json. days: only the first UTC days of the input.
    pace_s: seconds a sample, 0 for as fast as possible; then `flush_every` samples are sent at
    once. batch_seconds: the longest window of a batch, aligned to UTC; max_batch: its most
    readings. keep_days: how long readings stay in the outbox that all know. give_up_after_s: how
    long node and chain may be unreachable after the input's end. paillier_bits: the exact size of
    the Paillier keys that it seals to. What a configuration leaves out of rpc_url, deployment,
    confirmations and gas_price_wei comes from the network file (`dmsm net up` writes it) that its
    `network` names, if it names one.
    """

    rpc_url: str | tuple[str, ...]
    deployment: Path
    node_url: str | tuple[str, ...]
    keys: Path
    password_file: Path
    outbox: Path
    meter_csv: Path
    days: int | None = None
    pace_s: float = 0.0
    flush_every: int = 24
    max_batch: int = 65_536
    batch_seconds: int = 86_400
    keep_days: int = 400
    status_file: Path | None = None
    inject: Path | None = None
    give_up_after_s: float = 60.0
    gas_price_wei: int | None = None
    confirmations: int = 0
    paillier_bits: int = DEFAULT_BITS


_MAX_BYTES = 16_384  # reading TOML takes quadratic time
_PATHS = {"network", "deployment", "keys", "password_file", "outbox", "meter_csv"}
_PATHS |= {"status_file", "inject"}
_URLS = {"rpc_url", "node_url"}
_OF_A_NETWORK = ("rpc_url", "deployment", "confirmations", "gas_price_wei")
_OPTIONAL = {"days", "status_file", "inject", "gas_price_wei"}
_TYPES: dict[str, type | tuple[type, ...]] = {
    "days": int,
    "flush_every": int,
    "max_batch": int,
    "batch_seconds": int,
    "keep_days": int,
    "gas_price_wei": int,
    "confirmations": int,
    "paillier_bits": int,
    "pace_s": (int, float),
    "give_up_after_s": (int, float),
}
_MOST: dict[str, int] = {"max_batch": 65_536, "batch_seconds": 86_400, "paillier_bits": MAX_BITS}
_LEAST: dict[str, int] = {
    "days": 1,
    "flush_every": 1,
    "max_batch": 1,
    "batch_seconds": 900,
    "keep_days": 1,
    "paillier_bits": MIN_BITS,
    "pace_s": 0,
    "give_up_after_s": 0,
    "confirmations": 0,
}


def load_config(path: Path, **overrides: Any) -> Config:
    """Read a configuration; `overrides` that are not None replace what the file says.

    Raises BadSetup for a file that cannot be read, and unknown, missing or unfit settings.
    """
    values = _read(path) | {name: str(value) for name, value in overrides.items() if value}
    if isinstance(overrides.get("days"), int):
        values["days"] = overrides["days"]
    network = values.pop("network", None)
    shared = {} if network is None else _network(_value("network", network, path))
    known = {field.name for field in fields(Config)}
    required = {field.name for field in fields(Config) if field.default is field.default_factory}
    _refuse("unknown settings", values.keys() - known, path)
    _refuse("missing settings", required - values.keys() - shared.keys(), path)
    return Config(**shared | {name: _value(name, value, path) for name, value in values.items()})


def _network(path: Path) -> dict[str, Any]:
    """Return what a network's file says of an agent's settings, paths relative to that file."""
    content = _read(path)
    if "confirmations" not in content:
        content["confirmations"] = _final_depth(content, path)
    _refuse("missing settings", set(_OF_A_NETWORK) - content.keys(), path)
    return {name: _value(name, content[name], path) for name in _OF_A_NETWORK}


def _final_depth(content: dict[str, Any], path: Path) -> int:
    engine, signers = content.get("engine"), content.get("signers", 0)
    try:
        return final_depth(ENGINE_FINALITY[str(engine)], signers)
    except (KeyError, TypeError, ValueError):
        engines = ", ".join(ENGINE_FINALITY)
        raise BadSetup(
            f"{path}: must say confirmations, or its engine ({engines}) and signers"
        ) from None


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            raise BadSetup(f"{path}: has more than {_MAX_BYTES} bytes; it is no configuration")
        text = data.decode("utf-8")
        values = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except OSError as error:
        raise BadSetup(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise BadSetup(f"{path}: is no JSON or TOML: {error}") from error
    if not isinstance(values, dict):
        raise BadSetup(f"{path}: must be an object of settings")
    return values


def _refuse(what: str, names: set[str], path: Path) -> None:
    if names:
        raise BadSetup(f"{path}: {what}: {', '.join(sorted(names))}")


def _value(name: str, value: Any, path: Path) -> Any:
    if value is None and name in _OPTIONAL:
        return None
    if name in _URLS and isinstance(value, list):
        if not value or not all(isinstance(url, str) for url in value):
            raise BadSetup(f"{path}: {name}: must be an address or a list of addresses")
        return tuple(value)
    wanted: Any = _TYPES.get(name, str)
    if not isinstance(value, wanted) or isinstance(value, bool):
        raise BadSetup(f"{path}: {name}: {value!r} is not of the right type")
    if name in _LEAST and value < _LEAST[name]:
        raise BadSetup(f"{path}: {name}: must be at least {_LEAST[name]}")
    if name in _MOST and value > _MOST[name]:
        raise BadSetup(f"{path}: {name}: must be at most {_MOST[name]}")
    return _location(name, value, path) if name in _PATHS else value


def _location(name: str, value: str, path: Path) -> Path:
    try:
        return (path.parent / Path(value).expanduser()).absolute()
    except RuntimeError as error:  # ~somebody who is unknown here
        raise BadSetup(f"{path}: {name}: {error}") from error
