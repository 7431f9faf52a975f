"""The runner of the network tests names what exists."""

from toolchain_parts import FOLDER, load


def test_run_network_tests__what_it_names__exists():
    runner = load("run_network_tests")
    for path in (runner.ROLES, *runner.REORGANISATIONS):
        assert (FOLDER.parent / path).exists(), path
