"""The health gate on real nodes: ages, lags, forks, other chains, silence."""

import time
from types import SimpleNamespace

import pytest
from eth_account import Account

from offchain.chain import codec, health
from offchain.chain.anvil import start_anvil
from offchain.chain.errors import LogUnreadable
from offchain.chain.gateway import ChainGateway
from offchain.chain.health import HealthLimits

PROBE = "GatewayProbe"


@pytest.fixture
def pair(deploy_probe):
    """Two chains with the same id and first blocks, which then go their own ways."""
    began = int(time.time())
    with start_anvil(timestamp=began) as one, start_anvil(timestamp=began) as two:
        for node in (one, two):
            node.next_timestamp(began + 1)
            deployment = deploy_probe(node)
        assert (
            one.request("eth_getBlockByNumber", "0x1", False)["hash"]
            == (two.request("eth_getBlockByNumber", "0x1", False)["hash"])
        )
        yield one, two, ChainGateway([one.url, two.url], deployment)


def _agreeing(*nodes, blocks):
    for _ in range(blocks):
        at = nodes[0].now() + 1
        for node in nodes:
            node.warp_to(at)


def test_check__nodes_agree__finds_nothing(pair):
    one, two, gateway = pair
    _agreeing(one, two, blocks=4)
    gate = gateway.health_gate(HealthLimits(heartbeat_s=60, confirmations=2, recheck_s=0))
    assert gate.check() == []


def test_check__own_node_lags__asks_the_other_and_says_so(pair, caplog):
    one, two, gateway = pair
    _agreeing(one, two, blocks=1)
    two.mine(4)
    gate = gateway.health_gate(HealthLimits(lag_blocks=3, recheck_s=0))
    assert gate.check() == []
    assert gateway.block_number() == int(two.request("eth_blockNumber"), 16)
    assert f"{one.url} is avoided: its head is 4 blocks behind" in caplog.text
    one.mine(4)
    gate.check()  # they are level again, though on other blocks
    one.mine(1)
    assert gateway.block_number() == int(one.request("eth_blockNumber"), 16)


def test_check__nodes_on_two_forks_below_the_final_block__names_both(pair):
    one, two, gateway = pair
    for node, step in ((one, 5), (two, 7)):
        node.warp_to(node.now() + step)
        node.mine(3)
    (fault,) = gateway.health_gate(HealthLimits(confirmations=2)).check()
    assert "disagree about block" in fault and one.url in fault and two.url in fault
    assert gateway.health_gate(HealthLimits(confirmations=4)).check() == []  # not yet final


def test_check__another_fork_far_ahead__does_not_draw_one_away_from_the_own_node(pair):
    one, two, gateway = pair
    for node, step in ((one, 5), (two, 7)):
        node.warp_to(node.now() + step)
        node.mine(3)
    two.mine(100)
    gate = gateway.health_gate(HealthLimits(lag_blocks=3, confirmations=2, recheck_s=0))
    (fault,) = gate.check()
    assert "disagree" in fault
    assert gateway.block_number() == int(one.request("eth_blockNumber"), 16)


def test_check__head_is_old__is_stale_beyond_three_heartbeats(anvil, deployment):
    gateway = ChainGateway(anvil.url, deployment)
    anvil.mine()
    head_at = anvil.now()
    gate = gateway.health_gate(HealthLimits(heartbeat_s=10, recheck_s=0))
    for age_s, stale in ((0, False), (30, False), (31, True)):
        gate._clock = lambda age_s=age_s: head_at + age_s
        faults = gate.check()
        assert bool(faults) is stale
    assert "31 s old" in faults[0] and "at most 30 s" in faults[0]
    assert gateway.health_gate(HealthLimits()).check() == []


def test_check__a_node_serves_another_chain__is_avoided(anvil, deployment, caplog):
    with start_anvil(chain_id=4711) as stranger:
        gateway = ChainGateway([anvil.url, stranger.url], deployment)
        assert gateway.health_gate(HealthLimits()).check() == []
    assert "it serves chain 4711" in caplog.text


def test_check__all_is_well__asks_again_after_a_while_only(anvil, deployment, monkeypatch):
    gateway, passed_s = ChainGateway(anvil.url, deployment), 1000.0
    clock = SimpleNamespace(monotonic=lambda: passed_s)
    monkeypatch.setattr(health, "time", clock)
    gate = gateway.health_gate(HealthLimits(heartbeat_s=10, recheck_s=3))
    gate._clock = anvil.now
    assert gate.check() == []
    gate._clock = lambda: anvil.now() + 100
    passed_s += 2
    assert gate.check() == []  # as found a moment ago
    passed_s += 1
    assert len(gate.check()) == 1
    gate._clock = anvil.now
    assert gate.check() == []  # a fault is looked at again at once


def test_check__a_node_is_silent__is_not_probed_at_each_check(anvil, deployment, monkeypatch):
    gateway = ChainGateway([anvil.url, "http://127.0.0.1:9"], deployment)
    gate = gateway.health_gate(HealthLimits(recheck_s=0))
    probed = []
    real = gate._probes[1].make_batch_request
    monkeypatch.setattr(
        gate._probes[1],
        "make_batch_request",
        lambda *asked: (probed.append(asked), real(*asked))[1],
    )
    assert [gate.check() for _ in range(3)] == [[], [], []]
    assert len(probed) == 1 and 1 in gateway.endpoint._avoided


def test_check__no_node_answers__says_so(deploy_probe):
    with start_anvil() as node:
        gateway = ChainGateway(node.url, deploy_probe(node))
        gate = gateway.health_gate(HealthLimits())
    (fault,) = gate.check()
    assert fault.startswith("no chain node answers")


def test_events__log_that_does_not_decode__is_unreadable_and_named(anvil, deployment, account):
    gateway = ChainGateway(anvil.url, deployment, account=Account.from_key(anvil.keys[2]))
    entry = deployment.contract(PROBE).event("Counted")
    emit_bare_log(anvil, deployment.address(PROBE), codec.topic(entry))
    with pytest.raises(LogUnreadable, match=r"GatewayProbe\.Counted.*fit the deployment"):
        gateway.events(PROBE, "Counted", from_block=gateway.block_number())


def emit_bare_log(node, address, topic):
    """Have a contract emit a log with a known event's topic and nothing else in it."""
    code = node.request("eth_getCode", address, "latest")
    # push32 topic; push1 0; push1 0; log1; stop
    node.request("anvil_setCode", address, "0x7f" + topic.hex() + "60006000a100")
    sent = {"from": node.addresses[3], "to": address, "gas": hex(100_000)}
    node.request("eth_sendTransaction", sent)
    while node.request("txpool_status")["pending"] != "0x0":
        time.sleep(0.01)
    node.request("anvil_setCode", address, code)
