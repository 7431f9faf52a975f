"""The documents name what exists: files, tests, functions, errors, links."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SPECIFICATION, SECURITY = ROOT / "docs/specification.md", ROOT / "SECURITY.md"
NAMING = [SPECIFICATION, SECURITY]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
FOLDERS = "contracts|device_agent|docs|interfaces|network|offchain|requirements|scripts|tests"
REFERENCE = re.compile(rf"(?<![\w/.])((?:{FOLDERS}|toolchain)/[\w./-]*)(?:::(\w+))?")
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]*)(?:#([^)\s]*))?\)")
DECISION_PARTS = ["**Context.**", "**Decision.**", "**Reason.**", "**Consequences.**"]


def dead_references(text: str) -> list[str]:
    """Return what the text names as path or path::test and what is not there."""
    dead = []
    for path, name in REFERENCE.findall(text):
        file = ROOT / path.rstrip(".")
        if not file.exists() or (name and f"def {name}(" not in file.read_text()):
            dead.append(f"{path}::{name}" if name else path)
    return dead


def dead_links(page: Path, text: str) -> list[str]:
    """Return the relative links whose file or heading is not there."""
    dead = []
    for target, heading in LINK.findall(text):
        if target.startswith(("http:", "https:", "mailto:")):
            continue
        file = page.parent / target if target else page
        if not file.exists() or (heading and heading not in headings(file.read_text())):
            dead.append(f"{target}#{heading}" if heading else target)
    return dead


def headings(text: str) -> list[str]:
    """Return the anchors that a page's headings get."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles]


@cache
def contract_abis() -> dict[str, list[dict]]:
    """Return the checked-in ABIs by contract."""
    paths = (ROOT / "offchain/chain/abi").glob("*.json")
    return {path.stem: json.loads(path.read_text()) for path in paths}


def named(kind: str, contract: str) -> set[str]:
    """Return the names of a contract's functions, errors or events."""
    return {one["name"] for one in contract_abis()[contract] if one["type"] == kind}


def unknown_members(text: str) -> list[str]:
    """Return each `Contract.function` and `Contract_Error` of the text that no ABI has."""
    known = {error for contract in contract_abis() for error in named("error", contract)}
    unknown = [one for one in re.findall(r"`([A-Z]\w+_[A-Z]\w+)`", text) if one not in known]
    for contract, function in re.findall(r"`([A-Z]\w+)\.([a-z]\w+)`", text):
        if contract in contract_abis() and function not in named("function", contract):
            unknown.append(f"{contract}.{function}")
    return unknown


@pytest.mark.parametrize("page", NAMING, ids=lambda page: page.name)
def test_page__naming_files_and_tests__names_what_exists(page: Path) -> None:
    text = page.read_text()
    assert len(REFERENCE.findall(text)) > 50
    assert dead_references(text) == []


@pytest.mark.parametrize("page", NAMING, ids=lambda page: page.name)
def test_page__naming_functions_and_errors__names_what_the_contracts_have(page: Path) -> None:
    assert unknown_members(page.read_text()) == []


def test_specification__who_may_call_what__has_each_state_changing_function() -> None:
    section = SPECIFICATION.read_text().split("## 5. ")[1].split("## 6. ")[0]
    rows = re.findall(r"^\| `(\w+)\.(\w+)` \|", section, re.MULTILINE)
    changing = {
        (contract, one["name"])
        for contract, abi in contract_abis().items()
        for one in abi
        if one["type"] == "function" and one["stateMutability"] in ("nonpayable", "payable")
    }
    assert changing - set(rows) == set()
    assert len(rows) == len(set(rows))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page__linking_inside_the_project__links_to_what_exists(page: Path) -> None:
    assert dead_links(page, page.read_text()) == []


def test_decisions__in_their_folder__are_numbered_complete_and_in_the_specification() -> None:
    pages = sorted((ROOT / "docs/decisions").glob("*.md"))
    assert [int(page.name[:3]) for page in pages] == list(range(1, len(pages) + 1))
    specification = SPECIFICATION.read_text()
    for page in pages:
        text = page.read_text()
        assert text.startswith(f"# {page.name[:3]}: "), page.name
        assert re.findall(r"^\*\*\w+\.\*\*", text, re.MULTILINE) == DECISION_PARTS, page.name
        assert f"decisions/{page.name})" in specification, page.name


def test_readme__for_a_newcomer__has_at_most_80_lines() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 80


@pytest.mark.parametrize(
    "text",
    [
        "`offchain/crypto/nothing.py`",
        "see docs/nothing.md.",
        "`tests/unit/test_docs.py::test_nothing__at_all__is_there`",
    ],
)
def test_dead_references__given_what_is_not_there__names_it(text: str) -> None:
    assert len(dead_references(text)) == 1


def test_dead_references__given_what_is_there__names_nothing() -> None:
    own = "test_dead_references__given_what_is_there__names_nothing"
    assert dead_references(f"`tests/unit/test_docs.py::{own}`, `docs/` and docs/formats.md.") == []


@pytest.mark.parametrize("link", ["nothing.md", "formats.md#99-nothing", "#nothing"])
def test_dead_links__given_a_dead_link__names_it(link: str) -> None:
    assert dead_links(SPECIFICATION, f"[formats](formats.md#1-curve) [x]({link})") == [link]


def test_unknown_members__given_unknown_function_and_error__names_both() -> None:
    text = "`PrepaidLock.claim` `PrepaidLock.pause` `PrepaidLock_Expired` `PrepaidLock_Paused`"
    assert unknown_members(text) == ["PrepaidLock_Paused", "PrepaidLock.pause"]
