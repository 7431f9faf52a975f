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


class Input:
    """Of so many bits; its sort is a name here."""

    def __init__(self, bits: int) -> None:
        self.bits = bits

    def size(self) -> int:
        return self.bits

    def sort(self) -> str:
        return f"bits {self.bits}"


def declared(name, *sorts):
    """Stands for z3's declaration: a function that tells how it was declared."""
    return lambda *arguments: (name, sorts, arguments)


@pytest.mark.parametrize(
    ("name", "wrong"), [("f_sha256_64", "bits 64"), ("f_ecpairing", "bits 1536")]
)
def test_declare_by_input__given_any_length__declares_each_by_what_it_gets(name, wrong):
    function = load("precompiles").declare_by_input(declared)(name, wrong, "out")
    for data in (Input(512), Input(4608)):
        expected = (f"{name}_of_{data.bits}", (data.sort(), "out"), (data,))
        assert function(data) == expected


def test_declare_by_input__given_another_function__leaves_it():
    data = Input(1024)
    function = load("precompiles").declare_by_input(declared)("f_ecadd", "bits 1024", "bits 512")
    assert function(data) == ("f_ecadd", ("bits 1024", "bits 512"), (data,))
