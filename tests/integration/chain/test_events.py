"""The event cursor on an anvil of its own, with real reorganisations."""

import pytest
from eth_account import Account

from offchain.chain.anvil import start_anvil
from offchain.chain.errors import AbiMismatch, NodeRefused
from offchain.chain.events import EventCursor, poll_together
from offchain.chain.gateway import ChainGateway

PROBE = "GatewayProbe"


@pytest.fixture(scope="module")
def own_anvil():
    with start_anvil(states_in_memory=20_000) as running:
        yield running


@pytest.fixture
def chain(own_anvil, deploy_probe):
    deployment = deploy_probe(own_anvil)
    return ChainGateway(own_anvil.url, deployment, account=Account.from_key(own_anvil.keys[1]))


@pytest.fixture
def cursor_file(tmp_path):
    return tmp_path / "cursor.sqlite"


@pytest.fixture
def open_cursor(chain, cursor_file):
    opened = []

    def open_one(name="worker", wanted=((PROBE, "Counted"),), **options):
        opened.append(EventCursor(chain, wanted, cursor_file, name=name, **options))
        return opened[-1]

    yield open_one
    for cursor in opened:
        cursor.close()


class Consumer:
    """Keeps the notes of the events that hold, as a worker's table would."""

    def __init__(self, cursor):
        self.cursor, self.rows = cursor, {}

    def follow(self) -> list[str]:
        for _ in range(20):
            batch = self.cursor.poll()
            if batch.rolled_back_to is not None:
                kept = {k: v for k, v in self.rows.items() if k[0] <= batch.rolled_back_to}
                self.rows = kept
            for event in batch.events:
                self.rows[event.block_number, event.log_index] = event.args["note"]
            self.cursor.commit(batch)
            if not batch.blocks:
                break
        return [self.rows[key] for key in sorted(self.rows)]


def _say(chain, *notes):
    for note in notes:
        chain.transact(PROBE, "increment", note)


def test_poll__from_the_deployment_on__gives_each_event_once(chain, open_cursor):
    cursor = open_cursor()
    assert cursor.position is None
    _say(chain, "a", "b")
    batch = cursor.poll()
    assert [event.args["note"] for event in batch.events] == ["a", "b"]
    assert batch.rolled_back_to is None
    cursor.commit(batch)
    assert cursor.position == chain.block_number()
    assert cursor.poll().events == ()
    _say(chain, "c")
    assert [event.args["note"] for event in cursor.poll().events] == ["c"]


def test_poll__without_commit__gives_the_same_again_also_after_a_restart(chain, open_cursor):
    _say(chain, "a")
    first = open_cursor().poll()
    assert open_cursor().poll() == first


def test_poll__two_names_in_one_database__go_on_their_own(chain, open_cursor):
    _say(chain, "a")
    one, two = open_cursor("one"), open_cursor("two")
    one.commit(one.poll())
    assert one.poll().events == ()
    assert len(two.poll().events) == 1


def test_poll__other_events_of_the_contract__are_left_out(chain, open_cursor):
    chain.transact(PROBE, "mark", "label", b"")
    _say(chain, "a")
    assert [event.name for event in open_cursor().poll().events] == ["Counted"]
    both = open_cursor("both", [(PROBE, "Marked"), (PROBE, "Counted")])
    assert [event.name for event in both.poll().events] == ["Marked", "Counted"]
    with pytest.raises(AbiMismatch):
        open_cursor("none", [(PROBE, "Nothing")])


def test_poll__from_block_given__starts_there(chain, open_cursor):
    _say(chain, "a", "b")
    cursor = open_cursor(from_block=chain.block_number())
    assert [event.args["note"] for event in cursor.poll().events] == ["b"]


def test_poll__confirmations__waits_for_that_many_blocks(chain, open_cursor, own_anvil):
    cursor = open_cursor(confirmations=2)
    _say(chain, "a")
    own_anvil.mine()
    assert cursor.poll().events == ()
    own_anvil.mine()
    assert len(cursor.poll().events) == 1


def test_poll__thousands_of_blocks__come_in_ranges(chain, open_cursor, own_anvil):
    _say(chain, "a")
    own_anvil.mine(4500)
    _say(chain, "b")
    consumer = Consumer(open_cursor())
    assert consumer.follow() == ["a", "b"]
    assert consumer.cursor.position == chain.block_number()


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5])
def test_poll__reorganisation__rolls_back_to_the_common_ancestor(
    chain, open_cursor, own_anvil, depth
):
    consumer = Consumer(open_cursor())
    _say(chain, *"abcde")
    assert consumer.follow() == list("abcde")
    fork = chain.block_number() - depth
    own_anvil.reorg(depth)
    batch = consumer.cursor.poll()
    assert batch.rolled_back_to == fork
    assert consumer.follow() == list("abcde")[: 5 - depth]
    _say(chain, "new")
    assert consumer.follow() == [*list("abcde")[: 5 - depth], "new"]


def test_poll__reorganisation_to_a_shorter_chain__rolls_back_when_it_grows(
    chain, open_cursor, own_anvil
):
    consumer = Consumer(open_cursor())
    _say(chain, "a")
    state = own_anvil.snapshot()
    _say(chain, "b", "c")
    assert consumer.follow() == ["a", "b", "c"]
    own_anvil.revert(state)
    behind = consumer.cursor.poll()  # cannot be told from a node that is behind: nothing happens
    assert (behind.events, behind.rolled_back_to) == ((), None)
    _say(chain, "x")
    assert consumer.follow() == ["a", "x"]


def test_poll__everything_remembered_is_gone__starts_over(chain, open_cursor, own_anvil):
    state = own_anvil.snapshot()
    consumer = Consumer(open_cursor(from_block=chain.block_number() + 1))
    _say(chain, "a", "b")
    assert consumer.follow() == ["a", "b"]
    own_anvil.revert(state)
    _say(chain, "p", "q", "r")
    assert consumer.follow() == ["p", "q", "r"]


@pytest.mark.parametrize("blocks", [3, 30])
def test_poll__the_chain_moves_while_it_is_read__gives_nothing_and_heals(
    chain, open_cursor, own_anvil, monkeypatch, blocks
):
    consumer = Consumer(open_cursor())
    own_anvil.mine(blocks - 3)
    _say(chain, "a", "b", "c")
    real_ask = chain.endpoint.ask

    def reorganise_after_reading_logs(question):
        answer = real_ask(question)
        if question.method == "eth_getLogs":
            monkeypatch.undo()
            own_anvil.reorg(2)
        return answer

    def ask_one_by_one(calls):
        return [chain.endpoint.ask(question) for question in calls]

    monkeypatch.setattr(chain.endpoint, "ask", reorganise_after_reading_logs)
    monkeypatch.setattr(chain.endpoint, "batch", ask_one_by_one)
    assert consumer.cursor.poll().events == ()
    assert consumer.follow() == ["a"]


@pytest.mark.parametrize("blocks", [1, 30])
def test_poll__an_event_comes_into_a_block_whose_logs_were_read__is_not_lost(
    chain, open_cursor, own_anvil, monkeypatch, blocks
):
    consumer = Consumer(open_cursor())
    own_anvil.mine(blocks)
    consumer.follow()
    own_anvil.mine(blocks - 1)
    before = own_anvil.snapshot()
    own_anvil.mine()
    real_ask = chain.endpoint.ask

    def put_another_block_there_after_reading_logs(question):
        answer = real_ask(question)
        if question.method == "eth_getLogs":
            monkeypatch.undo()
            own_anvil.revert(before)
            _say(chain, "late")
        return answer

    def ask_one_by_one(calls):
        return [chain.endpoint.ask(question) for question in calls]

    monkeypatch.setattr(chain.endpoint, "ask", put_another_block_there_after_reading_logs)
    monkeypatch.setattr(chain.endpoint, "batch", ask_one_by_one)
    batch = consumer.cursor.poll()
    consumer.cursor.commit(batch)
    assert batch.events == ()
    assert consumer.follow() == ["late"]


@pytest.mark.parametrize("together", [False, True])
def test_poll__another_node_that_is_behind_gives_the_logs__loses_no_event(
    chain, open_cursor, own_anvil, monkeypatch, together
):
    """A node that restarted is asked again, has not caught up, and gives the logs that it has."""
    consumer = Consumer(open_cursor())
    own_anvil.mine()
    consumer.follow()
    own_anvil.mine(20)
    behind = chain.block_number()
    _say(chain, "late")
    real, was_asked = chain.endpoint.batch, []

    def ask_one_that_is_behind(calls, **how):
        if "eth_getLogs" not in [one.method for one in calls] or was_asked:
            return real(calls, **how)
        was_asked.append(True)
        return [_as_seen_at(behind, real, call) for call in calls]

    monkeypatch.setattr(chain.endpoint, "batch", ask_one_that_is_behind)
    (batch,) = poll_together([consumer.cursor]) if together else [consumer.cursor.poll()]
    assert was_asked
    consumer.cursor.commit(batch)
    assert consumer.follow() == ["late"]


def _as_seen_at(head, batch, question):
    """What a node answers whose latest block is `head`: no later header, of the logs a part."""
    (params, *_) = question.params
    if question.method == "eth_getBlockByNumber" and int(params, 16) > head:
        return None
    if question.method == "eth_getLogs":
        part = {**params, "toBlock": hex(min(head, int(params["toBlock"], 16)))}
        question = question._replace(params=[part])
    return batch([question])[0]


def test_poll_together__more_than_a_batch_holds__keeps_each_cursors_questions_together(
    chain, open_cursor, own_anvil, monkeypatch
):
    cursors = [open_cursor(f"cursor-{n}", from_block=chain.block_number() + 1) for n in range(25)]
    own_anvil.mine(8)
    batches, real = [], chain.endpoint.batch

    def note(calls, **how):
        batches.append([one.method for one in calls])
        return real(calls, **how)

    monkeypatch.setattr(chain.endpoint, "batch", note)
    assert all(batch.blocks for batch in poll_together(cursors))
    assert all(len(methods) <= 200 for methods in batches)
    reading = [methods for methods in batches if "eth_getLogs" in methods]
    assert [methods.count("eth_getLogs") for methods in reading] == [20, 5]
    assert all(len(methods) == 10 * methods.count("eth_getLogs") for methods in reading)


def test_poll__far_behind_and_more_logs_than_a_batch_may_hold__still_moves_on(
    chain, open_cursor, own_anvil, monkeypatch
):
    consumer = Consumer(open_cursor())
    _say(chain, "a")
    own_anvil.mine(400)
    real = chain.endpoint.batch

    def refuse_what_follows_logs(calls, **how):
        answers = real(calls, **how)
        after = next((i for i, call in enumerate(calls) if call[0] == "eth_getLogs"), len(calls))
        too_large = NodeRefused("eth_getBlockByNumber", -32003, "response too large")
        return [*answers[: after + 1], *(too_large for _ in answers[after + 1 :])]

    monkeypatch.setattr(chain.endpoint, "batch", refuse_what_follows_logs)
    assert consumer.follow() == ["a"]


def test_poll_together__given_cursors_at_different_places__gives_each_what_its_poll_gives(
    chain, open_cursor, own_anvil
):
    ahead, fresh = Consumer(open_cursor("ahead")), Consumer(open_cursor("fresh"))
    deep = Consumer(open_cursor("deep", confirmations=2))
    _say(chain, "a", "b")
    ahead.follow()
    own_anvil.reorg(1)
    _say(chain, "c", "d")
    cursors = [one.cursor for one in (ahead, fresh, deep)]

    assert poll_together(cursors) == [cursor.poll() for cursor in cursors]
    found = [[event.args["note"] for event in one.events] for one in poll_together(cursors)]
    assert found == [["c", "d"], ["a", "c", "d"], ["a"]]
    assert poll_together(cursors)[0].rolled_back_to is not None


def test_poll_together__given_logs_that_the_node_refuses__leaves_that_cursor_alone(
    chain, open_cursor, monkeypatch
):
    cursors = [open_cursor("one"), open_cursor("two")]
    _say(chain, "a")
    real = chain.endpoint.batch

    def refuse_second_logs(calls):
        answers = real(calls)
        where = [i for i, one in enumerate(calls) if one.method == "eth_getLogs"]
        if len(where) == 2:
            answers[where[1]] = NodeRefused("eth_getLogs", -32000, "too many")
        return answers

    monkeypatch.setattr(chain.endpoint, "batch", refuse_second_logs)
    first, second = poll_together(cursors)
    assert ([event.args["note"] for event in first.events], second) == (["a"], None)


def test_poll_together__given_a_batch_that_the_node_refuses__leaves_all_alone(
    chain, open_cursor, monkeypatch
):
    def refuse(_):
        raise NodeRefused("batch", -32600, "batch too large")

    cursors = [open_cursor("one"), open_cursor("two")]
    monkeypatch.setattr(chain.endpoint, "batch", refuse)
    assert poll_together(cursors) == [None, None]


def test_commit__after_a_rollback_that_was_not_committed__is_told_again(
    chain, open_cursor, own_anvil
):
    consumer = Consumer(open_cursor())
    _say(chain, "a", "b")
    consumer.follow()
    own_anvil.reorg(1)
    assert consumer.cursor.poll().rolled_back_to == open_cursor().poll().rolled_back_to
