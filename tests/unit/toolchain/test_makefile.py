"""A target that help or .PHONY names has a rule: without one make says "nothing to be done"."""

import re
from pathlib import Path

import pytest

MAKEFILE = (Path(__file__).parents[3] / "Makefile").read_text()
JOINED = MAKEFILE.replace("\\\n", " ")
RULES = set(re.findall(r"^([a-z-]+):(?!=)", JOINED, re.MULTILINE))
PHONY = set(re.search(r"^\.PHONY:(.*)$", JOINED, re.MULTILINE)[1].split())
IN_HELP = set(re.findall(r'@echo ".*?\bmake ([a-z-]+)', MAKEFILE))


@pytest.mark.parametrize("target", sorted(PHONY | IN_HELP))
def test_makefile__given_each_named_target__has_a_rule(target):
    assert target in RULES
    assert target in PHONY, "a file of this name would stop it"
