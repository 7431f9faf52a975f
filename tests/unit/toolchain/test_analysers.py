"""What the runners of slither and halmos make of reports: nothing unexplained, nothing unproven."""

import pytest
from toolchain_parts import load

HIGH = {"impact": "High", "check": "reentrancy-eth", "description": "A.f(uint256) (a.sol#1) calls"}
LOW = {"impact": "Low", "check": "timestamp", "description": "A.g() (a.sol#9) compares"}
KEY = "reentrancy-eth A.f(uint256)"


@pytest.fixture
def slither():
    return load("slither")


@pytest.fixture
def halmos():
    return load("halmos")


def test_key_findings__given_a_report__keeps_what_is_judged_by_detector_and_place(slither):
    assert slither.key_findings([HIGH, LOW]) == {KEY: HIGH["description"]}


@pytest.mark.parametrize(
    ("reasons", "code"),
    [({KEY: "because"}, 0), ({}, 1), ({KEY: " "}, 1), ({KEY: "because", "gone B.f()": "x"}, 1)],
)
def test_compare__given_reasons__demands_the_same_findings(slither, reasons, code):
    assert slither.compare(slither.key_findings([HIGH, LOW]), reasons) == code


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ({"check_a(uint256)": 0, "check_must_fail__x()": 1}, 0),
        ({"check_a(uint256)": 1, "check_must_fail__x()": 1}, 1),
        ({"check_a(uint256)": 2, "check_must_fail__x()": 1}, 1),
        ({"check_a(uint256)": 0, "check_must_fail__x()": 0}, 1),
        ({"check_a(uint256)": 0}, 1),
        ({"check_must_fail__x()": 1}, 1),
        ({}, 1),
    ],
)
def test_judge__given_results__demands_all_proven_and_the_false_one_refuted(halmos, results, code):
    assert halmos.judge(results) == code


def test_verdict__when_a_loop_was_cut_off__is_no_proof(halmos):
    assert halmos.verdict({"exitcode": 0, "num_bounded_loops": 0}) == 0
    assert halmos.verdict({"exitcode": 0, "num_bounded_loops": 1}) != 0
    assert halmos.verdict({"exitcode": 1, "num_bounded_loops": 1}) == 1
