"""The contract tests' system, cast and isolation, for tests that drive it at random."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "contracts"), str(Path(__file__).parent)]

from tests.contracts.conftest import *  # noqa: E402, F403
