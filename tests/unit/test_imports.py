"""Imports point one way: each module of the Python code may use only what lies below it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# What each room of offchain may import from offchain, besides itself; the lowest first.
# `containment` and `states` are for every loop, of the agent as of the node: they know no room.
FOUNDATION = {"types", "errors", "forking", "sqlite_file", "containment", "states"}
BYTES = FOUNDATION | {"crypto", "records", "billing"}
DOORS = BYTES | {"storage", "chain", "database", "index"}
ROLES = {"node", "household", "buyer", "consortium"}
MAY_IMPORT: dict[str, set[str]] = {
    "types": set(),
    "errors": {"types"},
    "sqlite_file": {"types", "errors"},
    "forking": set(),
    "containment": {"types", "errors", "forking", "sqlite_file"},
    "states": set(),
    "settings": FOUNDATION,
    "crypto": FOUNDATION,
    "records": FOUNDATION | {"crypto"},
    "billing": FOUNDATION | {"crypto", "records"},
    "storage": FOUNDATION | {"crypto", "records"},
    "chain": FOUNDATION | {"crypto", "records"},
    "database": FOUNDATION,
    "index": BYTES | {"chain", "database"},
    "member": DOORS,
    "audit": DOORS | {"member"},
    **{role: DOORS | {"member", "audit"} for role in ROLES},
    "web": DOORS | {"member", "audit", "settings"} | ROLES,
    "network": FOUNDATION | {"crypto", "chain"},
    "demo": DOORS | {"member", "audit", "web"} | ROLES,
    "cli": DOORS | {"member", "audit", "web", "network", "demo", "settings"} | ROLES,
}
AGENT_MAY_IMPORT = FOUNDATION | {"crypto", "records", "chain"}
NOT_AT_RUN_TIME = {"brownie", "pytest", "hypothesis", "tests", "scripts", "toolchain"}


def imported_names(source: str, *, module: str, is_package: bool = False) -> Iterator[str]:
    """Yield the absolute dotted name of everything that ``module``'s ``source`` imports."""
    package = module if is_package else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base] if base else above)
            yield from (f"{base}.{alias.name}" for alias in node.names)


def fault(module: str, imported: str) -> str | None:
    """Return what is wrong with ``module`` importing ``imported``, or None."""
    importer, target = module.split("."), imported.split(".")
    if target[0] in NOT_AT_RUN_TIME:
        return f"{module} imports {target[0]}, which is not there at run time"
    if target[0] == "device_agent" and importer[0] == "offchain":
        return f"{module} imports {imported}: offchain must not know device_agent"
    if target[0] != "offchain" or len(target) == 1:
        return None
    if importer[0] == "device_agent":
        allowed, part = AGENT_MAY_IMPORT, "device_agent"
    else:
        part = importer[1] if len(importer) > 1 else "__init__"
        allowed = MAY_IMPORT.get(part, set()) | {part}
    if target[1] not in allowed and target[1] in MAY_IMPORT:
        return f"{module} imports {imported}: {part} may use only {sorted(allowed)}"
    return None


def project_modules() -> Iterator[tuple[str, bool, Path]]:
    for path in sorted([*ROOT.glob("offchain/**/*.py"), *ROOT.glob("device_agent/**/*.py")]):
        parts = path.relative_to(ROOT).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        yield ".".join(parts[:-1] if is_package else parts), is_package, path


def test_imports__of_every_module__point_only_to_lower_layers() -> None:
    faults = [
        found
        for module, is_package, path in project_modules()
        for name in imported_names(path.read_text(), module=module, is_package=is_package)
        if (found := fault(module, name))
    ]
    assert not faults, "\n".join(faults)


def circle(imports: dict[str, set[str]]) -> list[str] | None:
    """Return modules that import each other in a circle, the first again at the end, or None."""
    done: set[str] = set()

    def walk(module: str, way: list[str]) -> list[str] | None:
        if module in way:
            return [*way[way.index(module) :], module]
        if module in done:
            return None
        for one in sorted(imports.get(module, ())):
            if found := walk(one, [*way, module]):
                return found
        done.add(module)
        return None

    return next((found for one in sorted(imports) if (found := walk(one, []))), None)


def imports_between_modules() -> dict[str, set[str]]:
    """Return, by module, the modules of the project that it imports, at its start or later."""
    modules = {module: (is_package, path) for module, is_package, path in project_modules()}
    edges: dict[str, set[str]] = {module: set() for module in modules}
    for module, (is_package, path) in modules.items():
        for name in imported_names(path.read_text(), module=module, is_package=is_package):
            target = name if name in modules else name.rpartition(".")[0]
            if target in modules and target != module:
                edges[module].add(target)
    return edges


def test_imports__between_modules__make_no_circle() -> None:
    found = circle(imports_between_modules())
    assert found is None, " -> ".join(found or [])


def test_circle__of_two_or_none__is_told() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) is None


def test_offchain__every_part__has_a_place_in_the_order() -> None:
    parts = {m.split(".")[1] for m, _, _ in project_modules() if m.startswith("offchain.")}
    assert parts - set(MAY_IMPORT) == set(), "give each part of offchain its place in MAY_IMPORT"


def test_project_modules__in_this_checkout__finds_both_packages() -> None:
    found = {module.split(".")[0] for module, _, _ in project_modules()}
    assert found == {"offchain", "device_agent"}


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("offchain.crypto.box", "from offchain.records import reading"),
        ("offchain.crypto.box", "from ..records import reading"),
        ("offchain.crypto.box", "from .. import chain"),
        ("offchain.billing.energy", "from offchain.storage import port"),
        ("offchain.storage.kubo", "import offchain.chain.gateway"),
        ("offchain.chain.gateway", "from offchain.storage.cid import cid_of"),
        ("offchain.node.intake", "from offchain.settings import Settings"),
        ("offchain.node.intake", "def f():\n    from offchain import cli"),
        ("offchain.node.intake", "import device_agent.outbox"),
        ("offchain.node.intake", "from offchain.household import requests"),
        ("offchain.household.requests", "from offchain.buyer import sharer"),
        ("offchain.audit.answers", "from offchain.consortium.court import judge"),
        ("offchain.database.door", "from offchain.chain.gateway import ChainGateway"),
        ("device_agent.seal", "from offchain.node import intake"),
        ("device_agent.seal", "from offchain.storage import port"),
        ("offchain.chain.gateway", "from brownie import accounts"),
    ],
)
def test_fault__import_pointing_up_or_aside__is_named(module: str, source: str) -> None:
    assert any(fault(module, name) for name in imported_names(source, module=module))


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("offchain.records.reading", "from offchain.crypto.merkle import root"),
        ("offchain.crypto.bls", "from . import curve\nfrom .curve import add"),
        ("offchain.cli.demo", "from offchain.node import intake"),
        ("device_agent.seal", "from offchain.crypto.box import seal\nimport device_agent.outbox"),
        ("offchain.chain.gateway", "import web3, json"),
    ],
)
def test_fault__import_pointing_down__is_none(module: str, source: str) -> None:
    assert [
        fault(module, n) for n in imported_names(source, module=module) if fault(module, n)
    ] == []
