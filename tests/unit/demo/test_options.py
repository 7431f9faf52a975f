"""What a run may be asked for."""

from typing import Any

import pytest

from offchain.demo.options import DemoInputError, DemoOptions


def test_demo_options__nothing_given__takes_the_defaults() -> None:
    options = DemoOptions()
    assert (options.homes, options.days, options.sharers, options.threshold) == (None, None, 3, 2)
    assert (options.readings, options.json_file, options.seed) == (None, None, 1)
    assert str(options.report_dir) == "demo-report"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"homes": 1}, "--homes 1: at least 2"),
        ({"homes": 0}, "--homes 0: at least 2"),
        ({"homes": -5}, "--homes -5: at least 2"),
        ({"days": 0}, "--days 0: at least 1"),
        ({"days": -1}, "--days -1: at least 1"),
        ({"sharers": 1, "threshold": 1}, "--sharers 1: must be 2 to 100"),
        ({"sharers": 101}, "--sharers 101: must be 2 to 100"),
        ({"threshold": 1}, "--threshold 1: at least 2"),
        ({"threshold": 4}, "--threshold 4: more than the 3 of --sharers"),
    ],
)
def test_demo_options__one_cannot_be_met__is_named(given: dict[str, Any], message: str) -> None:
    with pytest.raises(DemoInputError, match=f"^{message}"):
        DemoOptions(**given)


@pytest.mark.parametrize(
    "given",
    [
        {"homes": 2},
        {"days": 1},
        {"sharers": 2, "threshold": 2},
        {"sharers": 100, "threshold": 100},
        {"seed": -(2**70)},
    ],
)
def test_demo_options__at_the_limits__are_taken(given: dict[str, Any]) -> None:
    options = DemoOptions(**given)
    assert all(getattr(options, name) == value for name, value in given.items())
