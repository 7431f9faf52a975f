"""An agent whose anchors and reports are taken off the chain, at each depth that it allows for."""

import json
import time
from collections.abc import Callable

from tests.integration.agent.conftest import Home

FINAL = 5
BATCHES = [(1, 24), (25, 24), (49, 24)]


def wait_for(holds: Callable[[], bool], *, timeout_s: float = 60.0) -> None:
    give_up_at = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < give_up_at, "waited in vain"
        time.sleep(0.02)


def test_run__given_reorganisations_of_depth_1_to_5__anchors_and_reports_once(home: Home) -> None:
    anvil = home.street.anvil
    home.set_policy()
    anvil.mine(FINAL)
    home.configure(confirmations=FINAL, give_up_after_s=60)
    process = home.start()
    try:
        wait_for(lambda: home.anchored() == BATCHES)
        sent, reports = home.transactions(), home.reports_on_chain()
        for depth in range(1, FINAL + 1):
            anvil.reorg(depth)
            wait_for(lambda: home.anchored() == BATCHES and home.transactions() == sent)
            assert process.poll() is None  # it waits until that is final
        anvil.mine(FINAL)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, err
    events = [json.loads(line) for line in out.splitlines()]
    assert events[-1]["event"] == "done" and events[-1]["final"] is True
    assert home.anchored() == BATCHES and home.transactions() == sent
    reported = [event for event in events if event["event"] == "reported"]
    assert home.reports_on_chain() == reports == len(reported) > 0


def test_run__given_a_chain_that_stands_still__ends_and_says_not_final(home: Home) -> None:
    home.configure(confirmations=FINAL, give_up_after_s=0.5)
    code, events, err = home.run()
    assert (code, err) == (0, "")
    assert events[-1]["event"] == "done" and events[-1]["final"] is False
    home.street.anvil.reorg(2)
    assert home.anchored() == BATCHES[:1]

    code, events, err = home.run()

    assert (code, err) == (0, "")
    assert home.anchored() == BATCHES and home.transactions() == 3


def test_run__given_no_depth_on_a_real_chain__says_what_to_name(home: Home, tmp_path) -> None:
    deployment = json.loads(home.street.deployment_file.read_text())
    (tmp_path / "real.json").write_text(json.dumps(deployment | {"chain_id": 1984}))
    home.configure(deployment=str(tmp_path / "real.json"))
    code, _, err = home.run()
    assert code == 2 and "confirmations must be named" in err


def test_run__given_several_chain_nodes__goes_on_with_one_that_answers(home: Home) -> None:
    home.configure(rpc_url=["http://127.0.0.1:9", home.street.anvil.url])
    code, _, err = home.run()
    assert (code, err) == (0, "")
    assert home.anchored() == BATCHES
