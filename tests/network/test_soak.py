"""Three minutes of `make soak`: the plays that came to a halt most, before signers were ranked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.network.soak import SHORT, Play, perform

SECONDS = 180.0 / len(SHORT)


@pytest.mark.long
@pytest.mark.parametrize("play", SHORT, ids=lambda play: play.name)
def test_soak__traffic_and_trouble__never_halts_and_loses_nothing(
    play: Play, tmp_path: Path
) -> None:
    report = perform(play, tmp_path / "net", seconds=SECONDS)
    assert report.faults == [], report.line()
    assert report.bursts > 0
