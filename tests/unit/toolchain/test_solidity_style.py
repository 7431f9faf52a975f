"""The checker of the contracts' style finds what it is there for, and nothing in what conforms."""

import json
import sys
from pathlib import Path

import pytest
from toolchain_parts import FOLDER, load

ROOT = Path(__file__).parents[3]
GOOD_INTERFACE = """// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {G1Point} from "../contracts/types/Points.sol";

/// @title IPurse
interface IPurse {
    /// @notice Puts in.
    /// @dev Emits {Put}. Requirements:
    /// - the caller is a member, which
    /// may be a company;
    /// - the value is not zero.
    /// @param into Whose it is.
    function put(address into) external payable;

    /// @notice What is in it; "function take() external;" is text here.
    function held(address of_) external view returns (uint256);
}
"""
GOOD_CONTRACT = """contract Purse {
    string private constant NAME = "a { brace // and no comment";

    /* function old() external {

    } */
    function put(address into) external payable {
        // check
        if (msg.value == 0) revert Purse_Empty();

        // effect
        if (into == address(0)) {
            total += 1;

            // not at the top
        }

        // log
        emit Put(into);

        // interaction
        other.call();
    }

    function take() external {
        if (total == 0) revert Purse_Empty();

        total = 0;
        emit Taken();
    }

    function _inner() private {
        a();

        b();

        c();
    }

    function look() external view returns (uint256) {
        a();

        b();

        return c();
    }
}
"""


@pytest.fixture
def judged(tmp_path, monkeypatch):
    """``judged(place, text)``: the findings on a file, as (line, text)."""
    monkeypatch.syspath_prepend(str(FOLDER / "style"))
    for name in ("rules", "scan"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    style = load("solidity_style")
    trees = tmp_path / "tests/contracts/Purse"
    trees.mkdir(parents=True)
    (trees / "put.tree").touch()

    def judge(place, text):
        file = tmp_path / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return [(one.line, one.text) for one in style.findings(tmp_path, [file])]

    return judge


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("interfaces/IPurse.sol", GOOD_INTERFACE),
        ("contracts/Purse.sol", GOOD_CONTRACT),
        ("contracts/bases/Purse.sol", GOOD_CONTRACT),
        ("contracts/types/Points.sol", 'import {A} from "./A.sol";\nstruct B {\n    A a;\n}\n'),
        ("contracts/mocks/Any.sol", GOOD_CONTRACT.replace("// check", "// anything")),
    ],
)
def test_findings__in_what_conforms__are_none(judged, place, text):
    assert judged(place, text) == []


@pytest.mark.parametrize("place", ["contracts/A.sol", "interfaces/IA.sol", "contracts/mocks/A.sol"])
def test_findings__in_a_line_of_121_columns__name_it(judged, place):
    fits, wide = "// " + "─" * 117, "// " + "─" * 118
    assert judged(place, f"{fits}\n{wide}\n") == [(2, "the line has 121 columns, not 120")]


@pytest.mark.parametrize(
    "path",
    [
        "../contracts/libraries/BN254.sol",
        "./IOther.sol",
        "@openzeppelin/contracts/access/Ownable.sol",
    ],
)
def test_findings__in_an_interface_that_imports_more_than_types__name_it(judged, path):
    text = GOOD_INTERFACE.replace("../contracts/types/Points.sol", path)
    ((line, found),) = judged("interfaces/IPurse.sol", text)
    assert line == 4 and path in found


def test_findings__in_types_that_import_an_interface__name_it(judged):
    text = 'import {\n    A,\n    B\n} from "../../interfaces/IPurse.sol";\n'
    ((line, found),) = judged("contracts/types/Points.sol", text)
    assert line == 1 and "IPurse" in found


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Requirements:\n", "\n", "put: it has no list of requirements"),
        ("Requirements:\n", "Requirements: none.\n", "a list, one a line"),
        ("    /// - the value is not zero.\n", "", "requirement 1 does not end with `.`"),
        ("zero.", "zero;", "requirement 2 does not end with `.`"),
        ("company;", "company.", "requirement 1 does not end with `;`"),
        ("company;", "company; it is active;", "requirement 1 is several"),
        (
            "    /// - the caller is a member, which\n    /// may be a company;\n"
            "    /// - the value is not zero.\n",
            "",
            "its list of requirements is empty",
        ),
    ],
)
def test_findings__in_requirements_that_are_no_list__say_why(judged, old, new, said):
    assert old in GOOD_INTERFACE
    found = judged("interfaces/IPurse.sol", GOOD_INTERFACE.replace(old, new, 1))
    assert any(said in text for _, text in found), found


def test_findings__in_an_interface_without_the_tree__name_the_function(judged):
    text = GOOD_INTERFACE.replace("function put(", "function putMore(")
    assert judged("interfaces/IPurse.sol", text) == [(14, "putMore has no putMore.tree")]


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("        // effect\n", "", 11, "put: its beat has no label"),
        ("        // effect\n", "        // do\n", 11, "put: its beat has no label"),
        ("// effect", "// interaction", 18, "put: `log` comes after `interaction`"),
        ("total += 1;", "revert Purse_Empty();", 11, "put: it reverts in `effect`, not in `check`"),
        ("total += 1;", "emit Put(into);", 11, "put: it emits in `effect`, not in `log`"),
        ("        total = 0;\n", "        total = 0;\n\n", 26, "take: its beat has no label"),
    ],
)
def test_findings__in_beats_that_are_not_as_they_should__say_why(judged, old, new, line, said):
    assert old in GOOD_CONTRACT
    found = judged("contracts/Purse.sol", GOOD_CONTRACT.replace(old, new, 1))
    assert found and (found[0][0], found[0][1][: len(said)]) == (line, said), found


def test_main__given_files__tells_of_them_alone_and_ends_with_1_for_a_finding(
    judged, tmp_path, monkeypatch, capsys
):
    style = load("solidity_style")
    monkeypatch.setattr(style, "ROOT", tmp_path)
    for name, text in (("Bad", "// " + "x" * 118), ("Good", "// fine")):
        judged(f"contracts/{name}.sol", text + "\n")
    assert style.main([]) == 1
    told = capsys.readouterr().out
    assert told == (
        "contracts/Bad.sol:1: the line has 121 columns, not 120\n2 Solidity files, 1 findings\n"
    )
    assert style.main([str(tmp_path / "contracts" / "Good.sol")]) == 0


ABI = ROOT / "offchain/chain/abi"


@pytest.mark.parametrize("name", sorted(path.stem for path in ABI.glob("*.json")))
def test_scan__of_an_interface_as_it_is__finds_the_changes_of_its_abi(judged, name):
    """The reader is no parser: what it finds is held against what the compiler found."""
    source = sys.modules["scan"].Source.read(ROOT / "interfaces" / f"I{name}.sol", ROOT)
    told = [one for one in json.loads((ABI / f"{name}.json").read_text()) if "name" in one]
    changes = {
        one["name"] for one in told if one.get("stateMutability") in ("nonpayable", "payable")
    }
    assert {one.name for one in source.functions() if one.changes_state} == changes
