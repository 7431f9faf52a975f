"""JSON-RPC over several nodes: failover, refusals, batches."""

import types

import pytest

from offchain.chain import endpoint as endpoints
from offchain.chain import questions
from offchain.chain.endpoint import BATCH_SIZE, Endpoint
from offchain.chain.errors import (
    ChainMismatch,
    DeploymentInvalid,
    NodeRefused,
    NodeUnavailable,
)
from offchain.chain.questions import Question
from offchain.chain.rpc import RpcFailure

TWO = [questions.plain("a"), questions.plain("b")]


class Node:
    """A provider that answers as told; an exception is raised instead."""

    def __init__(self, answer):
        self.answer, self.asked = answer, 0

    def make_request(self, method, params):
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def make_batch_request(self, calls):
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class ListNode(Node):
    def make_batch_request(self, calls):
        self.asked += 1
        return [{"result": params[0]} for _, params in calls]


def _endpoint(*nodes):
    endpoint = Endpoint([f"http://127.0.0.1:{port}" for port in range(1, len(nodes) + 1)])
    endpoint.providers = list(nodes)
    return endpoint


def test_request__first_node_is_down__asks_the_next_and_stays_there():
    down, up = Node(RpcFailure("refused")), Node({"result": "0x1"})
    endpoint = _endpoint(down, up)
    assert [endpoint.request("eth_chainId") for _ in range(3)] == ["0x1"] * 3
    assert (down.asked, up.asked) == (1, 3)


def test_request__all_nodes_are_down__names_each():
    endpoint = _endpoint(Node(RpcFailure("slow")), Node(OSError("reset")))
    with pytest.raises(NodeUnavailable, match=r"slow.*reset"):
        endpoint.request("eth_chainId")


def test_request__a_node_refuses__is_an_answer_and_no_failover():
    error = {"error": {"code": -32000, "message": "nonce too low", "data": "0x"}}
    other = Node({"result": "0x1"})
    with pytest.raises(NodeRefused, match="nonce too low") as caught:
        _endpoint(Node(error), other).request("eth_sendRawTransaction")
    assert (caught.value.code, caught.value.data, other.asked) == (-32000, "0x", 0)


@pytest.mark.parametrize(
    "error", ["busy", 7, [], {}, {"code": 1}, {"message": "busy"}, {"code": "1", "message": "busy"}]
)
def test_request__malformed_error__is_no_answer_and_the_next_is_asked(error):
    other = Node({"result": "0x1"})
    assert _endpoint(Node({"error": error}), other).request("eth_chainId") == "0x1"
    with pytest.raises(NodeUnavailable, match=r"no code|message: |no object"):
        _endpoint(Node({"error": error})).request("eth_chainId")


def test_ask__null_error_beside_a_result__is_an_answer():
    node = Node({"result": "0x1", "error": None})
    assert _endpoint(node).ask(questions.chain_id()) == 1


@pytest.mark.parametrize("result", [None, "0x", {}, [], "1", 1, True, "0xg", "0x" + "f" * 65])
def test_ask__undecodable__asks_the_next_and_leaves_the_first_alone(result):
    broken, sound = Node({"result": result}), Node({"result": "0x7"})
    endpoint = _endpoint(broken, sound)
    assert [endpoint.ask(questions.block_number()) for _ in range(2)] == [7, 7]
    assert (broken.asked, sound.asked) == (1, 2)
    with pytest.raises(NodeUnavailable, match="eth_blockNumber is answered with what is none"):
        _endpoint(Node({"result": result})).ask(questions.block_number())


def test_batch__one_undecodable__is_asked_of_the_next_as_a_whole():
    broken, sound = Node([{"result": "0x1"}, {"result": None}]), Node([{"result": "0x2"}] * 2)
    asked = [questions.block_number()] * 2
    assert _endpoint(broken, sound).batch(asked) == [2, 2]
    with pytest.raises(NodeUnavailable, match="None is no quantity"):
        _endpoint(broken).batch(asked)


def _call():
    """A question whose empty answer is the caller's fault, if all nodes give it."""

    def read(answer):
        if answer == "0x":
            raise DeploymentInvalid("nothing answers there")
        return answer

    return Question("eth_call", [], read)


def test_ask__nothing_there_says_the_first__believes_another_that_has_more(caplog):
    empty, full = Node({"result": "0x"}), Node({"result": "0x01"})
    endpoint = _endpoint(empty, full)
    assert [endpoint.ask(_call()) for _ in range(2)] == ["0x01"] * 2
    assert empty.asked == 1
    assert "nothing answers there" in caplog.text


def test_ask__nothing_there_say_all__is_the_callers_fault_and_no_nodes():
    one, two = Node({"result": "0x"}), Node({"result": "0x"})
    endpoint = _endpoint(one, two)
    for _ in range(2):
        with pytest.raises(DeploymentInvalid, match="nothing answers"):
            endpoint.ask(_call())
    assert (one.asked, two.asked) == (4, 4)  # each time twice, before it is believed


def test_ask__nothing_there_says_the_only_one_that_answers__is_not_known():
    with pytest.raises(NodeUnavailable, match=r"nothing answers there.*refused"):
        _endpoint(Node({"result": "0x"}), Node(RpcFailure("refused"))).ask(_call())


def test_refusal__with_half_a_surrogate_pair__can_be_written():
    error = {"code": 1, "message": "no \ud800 way"}
    with pytest.raises(NodeRefused) as caught:
        _endpoint(Node({"error": error})).request("x")
    str(caught.value).encode()


def test_batch__more_than_one_chunk__keeps_the_order():
    node = ListNode(None)
    calls = [questions.plain("echo", number) for number in range(2 * BATCH_SIZE + 2)]
    assert _endpoint(node).batch(calls) == list(range(2 * BATCH_SIZE + 2))
    assert node.asked == 3


def test_batch__one_is_refused__is_its_place_in_the_results():
    node = ListNode(None)
    node.make_batch_request = lambda calls: [{"result": 1}, {"error": {"code": 1, "message": "no"}}]
    first, second = _endpoint(node).batch(TWO)
    assert first == 1
    assert isinstance(second, NodeRefused)


def test_batch__refused_as_a_whole__raises():
    with pytest.raises(NodeRefused, match="batch too large"):
        _endpoint(Node({"error": {"code": 1, "message": "batch too large"}})).batch(TWO)


@pytest.mark.parametrize("calls", [1, 2])
def test_batch__first_alone_and_first_is_down__asks_no_other(calls):
    down, up = Node(RpcFailure("refused")), Node({"result": "0x1"})
    endpoint = _endpoint(down, up)
    endpoint.request("eth_chainId")  # from now on the second is preferred
    with pytest.raises(NodeUnavailable, match=r"first chain node.*127\.0\.0\.1:1.*refused"):
        endpoint.batch([questions.plain("eth_call")] * calls, first_alone=True)
    assert (down.asked, up.asked) == (2, 1)


def test_batch__first_alone_and_second_preferred__asks_the_first():
    first, second = Node(OSError("reset")), Node({"result": "0x1"})
    endpoint = _endpoint(first, second)
    endpoint.request("eth_chainId")
    first.answer = {"result": "0x2"}
    assert endpoint.batch([questions.plain("eth_call")], first_alone=True) == ["0x2"]
    assert second.asked == 1


def test_batch__answered_by_no_list_and_no_error__is_no_answer():
    with pytest.raises(NodeUnavailable, match="nor an error"):
        _endpoint(Node({"result": "0x1"})).batch(TWO)


def test_batch__nothing__asks_nobody():
    node = Node(None)
    assert _endpoint(node).batch([]) == []
    assert node.asked == 0


def test_endpoint__no_address__is_unavailable():
    with pytest.raises(NodeUnavailable):
        Endpoint([])


class Chain(Node):
    """A node that says which chain it serves and answers everything else with its name."""

    def __init__(self, chain_id, name):
        super().__init__(None)
        self.chain_id, self.name = chain_id, name

    def make_request(self, method, params):
        self.asked += 1
        if isinstance(self.chain_id, Exception):
            raise self.chain_id
        return {"result": hex(self.chain_id) if method == "eth_chainId" else self.name}


def _checked(*nodes, retry_after_s=30.0):
    urls = [f"http://127.0.0.1:{port}" for port in range(1, len(nodes) + 1)]
    endpoint = Endpoint(urls, chain_id=7, retry_after_s=retry_after_s)
    endpoint.providers = list(nodes)
    return endpoint


def test_request__first_serves_another_chain__is_never_asked_anything_else(caplog):
    wrong, right = Chain(8, "wrong"), Chain(7, "right")
    endpoint = _checked(wrong, right)
    assert [endpoint.request("x") for _ in range(3)] == ["right"] * 3
    assert wrong.asked == 1
    assert "serves chain 8, the deployment is on 7" in caplog.text


def test_request__all_serve_another_chain__is_a_mismatch():
    with pytest.raises(ChainMismatch, match=r"serves chain 8.*on 7"):
        _checked(Chain(8, "a"), Chain(9, "b")).request("x")


def test_batch__first_alone_serves_another_chain__shows_it_nothing():
    wrong = ListNode({"result": "0x8"})
    with pytest.raises(ChainMismatch):
        _checked(wrong, Chain(7, "right")).batch(
            [questions.plain("secret", 1)] * 2, first_alone=True
        )
    assert wrong.asked == 1  # eth_chainId alone


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands until a test moves it: what an endpoint measures pauses by."""
    clock = types.SimpleNamespace(now_s=1000.0)
    monkeypatch.setattr(endpoints, "time", types.SimpleNamespace(monotonic=lambda: clock.now_s))
    return clock


def test_request__first_failed__is_asked_again_after_the_pause(clock):
    first, second = Chain(OSError("down"), "first"), Chain(7, "second")
    endpoint = _checked(first, second, retry_after_s=15)
    assert endpoint.request("x") == "second"
    first.chain_id = 7
    clock.now_s += 14
    assert endpoint.request("x") == "second"  # it still rests
    clock.now_s += 1
    assert endpoint.request("x") == "first"


def test_request__first_fails_again_and_again__rests_longer_each_time(clock):
    first, second = Chain(OSError("down"), "first"), Chain(7, "second")
    endpoint, asked_at = _checked(first, second, retry_after_s=10), []
    for second_s in range(1000):
        before = first.asked
        endpoint.request("x")
        if first.asked > before:
            asked_at.append(second_s)
        clock.now_s += 1
    # The pause doubles five times: 10, 20, 40, 80, 160, 320, and 320 from then on.
    assert asked_at == [0, 10, 30, 70, 150, 310, 630, 950]


def test_request__node_came_back_on_another_chain__is_found_out(clock):
    first, second = Chain(7, "first"), Chain(7, "second")
    endpoint = _checked(first, second, retry_after_s=15)
    assert endpoint.request("x") == "first"
    first.chain_id = OSError("restarts")
    first.make_request = lambda *_: (_ for _ in ()).throw(OSError("restarts"))
    assert endpoint.request("x") == "second"
    del first.make_request
    first.chain_id = 8
    clock.now_s += 15
    assert endpoint.request("x") == "second"


def test_avoid__a_node_that_lags__is_asked_when_no_other_answers(caplog):
    first, second = Chain(7, "first"), Chain(7, "second")
    endpoint = _checked(first, second)
    endpoint.avoid({0: "its head is 9 blocks behind the others'"})
    assert endpoint.request("x") == "second"
    second.make_request = lambda *_: (_ for _ in ()).throw(OSError("down"))
    assert endpoint.request("x") == "first"
    del second.make_request
    endpoint.avoid({})
    assert endpoint.request("x") == "first"
    assert "9 blocks behind" in caplog.text
