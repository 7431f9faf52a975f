"""Branch coverage: what is counted, and that gaps and reasons must be the same."""

import pytest
from toolchain_parts import load

REPORT = """SF:contracts/A.sol
BRDA:2,0,0,1
BRDA:2,0,1,-
BRDA:3,1,0,4
BRDA:3,1,1,2
end_of_record
SF:contracts/mocks/B.sol
BRDA:2,0,0,-
end_of_record
SF:tests/forge/C.sol
BRDA:2,0,0,-
"""


@pytest.fixture
def coverage(tmp_path, monkeypatch):
    module = load("coverage")
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "A.sol").write_text("contract A {\n  if (x) y();\n  if (z) w();\n}\n")
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "REASONS", tmp_path / "coverage.toml")
    return module


@pytest.mark.parametrize(
    ("reasons", "code"),
    [
        ({"contracts/A.sol": {"if (x) y();": "because"}}, 0),
        ({}, 1),
        ({"contracts/A.sol": {"if (x) y();": ""}}, 1),
        ({"contracts/A.sol": {"if (x) y();": "because", "if (z) w();": "taken"}}, 1),
    ],
)
def test_compare__given_reasons__demands_the_gaps(coverage, reasons, code):
    branches = coverage.read_branches(REPORT.splitlines())
    assert branches == {"contracts/A.sol": {2: [True, False], 3: [True, True]}}
    assert coverage.compare(branches, reasons) == code


def test_compare__given_no_branches__fails(coverage):
    assert coverage.compare({}, {}) == 1
