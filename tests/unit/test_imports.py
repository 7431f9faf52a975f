"""Imports point one way: each module of the Python code may use only what lies below it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# What each part of offchain may import from offchain, besides itself.
FOUNDATION = {"types", "errors"}
MAY_IMPORT: dict[str, set[str]] = {
    "types": set(),
    "errors": {"types"},
    "crypto": FOUNDATION,
    "records": FOUNDATION | {"crypto"},
    "billing": FOUNDATION | {"crypto", "records"},
    "storage": FOUNDATION | {"crypto", "records"},
    "chain": FOUNDATION | {"crypto", "records"},
    "services": FOUNDATION | {"crypto", "records", "storage", "chain"},
    "network": FOUNDATION | {"crypto", "chain"},
    "settings": FOUNDATION,
    "cli": FOUNDATION
    | {"crypto", "records", "billing", "storage", "chain", "services", "network", "settings"},
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
        ("offchain.records.reading", "from offchain.billing import energy"),
        ("offchain.billing.energy", "from offchain.storage import port"),
        ("offchain.storage.kubo", "import offchain.chain.gateway"),
        ("offchain.chain.gateway", "from offchain.storage.cid import cid_of"),
        ("offchain.services.node", "from offchain.settings import Settings"),
        ("offchain.services.node", "def f():\n    from offchain import cli"),
        ("offchain.services.node", "import device_agent.outbox"),
        ("device_agent.seal", "from offchain.services.node import intake"),
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
        ("offchain.cli.demo", "from offchain.services.node import intake"),
        ("device_agent.seal", "from offchain.crypto.box import seal\nimport device_agent.outbox"),
        ("offchain.chain.gateway", "import web3, json"),
    ],
)
def test_fault__import_pointing_down__is_none(module: str, source: str) -> None:
    assert [
        fault(module, n) for n in imported_names(source, module=module) if fault(module, n)
    ] == []
