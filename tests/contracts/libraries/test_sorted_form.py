"""SortedForm against a plain list, by random sequences of calls, and its worst case in gas."""

import itertools
import random

import hypothesis
import pytest
from bn254_model import as_words
from hypothesis import strategies as st

CAPACITY = 16
MAXIMUM = 2**16 - 1


class ListModel:
    """The form as a list of (credit, slot) under a stable sort; slots as the contract says."""

    def __init__(self):
        self.lines = []

    def insert(self, credit, slot):
        """Insert; return whether the last line gave way. The caller asserts that it is accepted."""
        replaced = len(self.lines) == CAPACITY
        if replaced:
            assert self.lines.pop()[1] == slot
        assert slot not in self.slots
        self.lines.append((credit, slot))
        self.lines.sort(key=lambda line: -line[0])
        return replaced

    def accepts(self, credit):
        return len(self.lines) < CAPACITY or credit > self.lines[-1][0]

    def remove(self, slot):
        self.lines = [line for line in self.lines if line[1] != slot]

    @property
    def slots(self):
        return tuple(slot for _, slot in self.lines)


class Pair:
    """One form on chain, under a number of its own, and its model; both get every change."""

    numbers = itertools.count()

    def __init__(self, harness, deployer, revert_data):
        self.harness, self.sender, self._revert_data = harness, {"from": deployer}, revert_data
        self.number = next(self.numbers)
        self.model = ListModel()

    def fill(self, credits):
        self.harness.insertMany(self.number, credits, self.sender)
        for slot, credit in enumerate(credits):
            self.model.insert(credit, slot)
        assert self.ranked() == self.model.slots

    def insert(self, credit):
        receipt = self.harness.insert(self.number, credit, self.sender)
        event = receipt.events["Inserted"]
        assert self.model.insert(credit, int(event["slot"])) == event["replaced"]
        return receipt

    def remove(self, slot):
        self.harness.remove(self.number, slot, self.sender)
        self.model.remove(slot)

    def ranked(self):
        return as_words(self.harness.ranked(self.number))

    def view(self, name, *arguments):
        return getattr(self.harness, name)(self.number, *arguments)

    def error_of(self, name, *arguments):
        return self._revert_data(getattr(self.harness, name), self.number, *arguments)


@pytest.fixture
def new_form(form_harness, deployer, revert_data):
    return lambda: Pair(form_harness, deployer, revert_data)


@pytest.fixture
def form(new_form):
    return new_form()


def test_sorted_form__ranked_given_empty_form__is_empty(form):
    assert form.ranked() == ()
    assert len(form.view("ranked")) == 0
    assert not form.view("holds", 0)
    assert form.view("accepts", 0)


def test_sorted_form__insert_given_ties__puts_the_earlier_first(form):
    for credit in (5, 9, 5, 9, 0, 5):
        form.insert(credit)
    assert form.ranked() == (1, 3, 0, 2, 5, 4) == form.model.slots


@pytest.mark.parametrize("order", ["rising", "falling", "equal", "random"])
def test_sorted_form__insert_given_16_lines__keeps_them_sorted(form, order):
    credits = {
        "rising": list(range(CAPACITY)),
        "falling": [MAXIMUM - i for i in range(CAPACITY)],
        "equal": [7] * CAPACITY,
        "random": random.Random(order).choices(range(10), k=CAPACITY),
    }[order]
    form.fill(credits)
    assert len(form.view("ranked")) == CAPACITY
    for slot, credit in enumerate(credits):
        assert form.view("creditOf", slot) == credit
    assert sorted(form.ranked()) == list(range(CAPACITY))


def test_sorted_form__insert_given_full_form_and_higher_credit__replaces_the_last(form):
    form.fill([100 - i for i in range(CAPACITY)])
    event = form.insert(90).events["Inserted"]
    assert event["replaced"]
    assert event["slot"] == 15
    assert form.view("creditOf", 15) == 90
    assert len(form.view("ranked")) == CAPACITY
    assert form.ranked() == form.model.slots


@pytest.mark.parametrize("credit", [0, 49, 50])
def test_sorted_form__insert_given_full_form_and_no_higher_credit__reverts(
    form, error_bytes, credit
):
    form.fill([50 + i for i in range(CAPACITY)])
    assert form.error_of("insert", credit) == error_bytes("SortedForm_Full(uint16)", 50)
    assert not form.view("accepts", credit)
    assert form.view("accepts", 51)


def test_sorted_form__remove_given_line__keeps_the_others_order(form):
    form.fill([i * 7 % 16 for i in range(CAPACITY)])
    for slot in (15, 0, 7, 8):
        form.remove(slot)
        assert form.ranked() == form.model.slots
        assert not form.view("holds", slot)
    form.insert(99)
    assert form.ranked() == form.model.slots
    assert form.model.slots[0] == 0  # the lowest free slot


def test_sorted_form__remove_when_slot_is_free__reverts(form, error_bytes):
    form.fill([1, 2])
    for slot in (2, 15, 16, 17, 255):
        error = error_bytes("SortedForm_NoSuchSlot(uint8)", slot)
        assert form.error_of("remove", slot) == error
        assert form.error_of("creditOf", slot) == error
        assert not form.view("holds", slot)


def test_sorted_form__insert_given_two_forms__keeps_them_apart(new_form):
    first, second = new_form(), new_form()
    first.fill([3, 1, 2])
    second.fill([1, 2])
    assert first.ranked() == (0, 2, 1)
    assert second.ranked() == (1, 0)


def test_sorted_form__insert_given_worst_case_of_full_form__stays_within_gas(form):
    form.fill([1000 + i for i in range(CAPACITY)])
    used = [form.insert(credit).gas_used for credit in (1001, 5000, 1009, 1014, 3000, 1005)]
    print(f"insert into a full form, the harness's transaction: {max(used)} gas")
    assert max(used) <= 50_000


operations = st.one_of(
    st.tuples(st.just("insert"), st.one_of(st.integers(0, MAXIMUM), st.integers(0, 5))),
    st.tuples(st.just("insert"), st.integers(0, 5)),
    st.tuples(st.just("remove"), st.integers(0, 17)),
)


def apply(form, operation, value):
    """Make a call that the model allows, or see that the contract refuses it."""
    slots = form.model.slots
    allowed = form.model.accepts(value) if operation == "insert" else value in slots
    if operation == "insert":
        assert form.view("accepts", value) == allowed
    if allowed:
        getattr(form, operation)(value)
    else:
        assert form.error_of(operation, value)
        assert form.model.slots == slots


@hypothesis.settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
@hypothesis.given(
    filled=st.sampled_from([0, 13, 16]), calls=st.lists(operations, min_size=1, max_size=30)
)
def test_sorted_form__given_random_sequences__agrees_with_the_model(new_form, filled, calls):
    form = new_form()
    if filled:
        form.fill([i % 5 for i in range(filled)])
    for operation, value in calls:
        apply(form, operation, value)
        assert form.ranked() == form.model.slots
        assert len(form.view("ranked")) == len(form.model.lines)
    for credit, slot in form.model.lines:
        assert form.view("creditOf", slot) == credit
