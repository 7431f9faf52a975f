"""SortedForm against a plain list, by random sequences of calls, and its worst case in gas."""

import random

import pytest
from bn254_model import as_words
from brownie.test import given
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

CAPACITY = 32
MAXIMUM = 2**32 - 1


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


def insert(form_harness, deployer, model, credit, form_id=0):
    """Insert into both; return the receipt."""
    receipt = form_harness.insert(form_id, credit, {"from": deployer})
    event = receipt.events["Inserted"]
    assert model.insert(credit, int(event["slot"])) == event["replaced"]
    return receipt


def fill(form_harness, deployer, credits, form_id=0):
    model = ListModel()
    form_harness.insertMany(form_id, credits, {"from": deployer})
    for slot, credit in enumerate(credits):
        model.insert(credit, slot)
    assert as_words(form_harness.ranked(form_id)) == model.slots
    return model


@pytest.fixture(autouse=True)
def isolation(fn_isolation):
    pass


def test_sorted_form__ranked_given_empty_form__is_empty(form_harness):
    assert as_words(form_harness.ranked(0)) == ()
    assert form_harness.size(0) == 0
    assert not form_harness.holds(0, 0)
    assert form_harness.accepts(0, 0)


def test_sorted_form__insert_given_ties__puts_the_earlier_first(form_harness, deployer):
    model = ListModel()
    for credit in (5, 9, 5, 9, 0, 5):
        insert(form_harness, deployer, model, credit)
    assert as_words(form_harness.ranked(0)) == (1, 3, 0, 2, 5, 4) == model.slots


@pytest.mark.parametrize("order", ["rising", "falling", "equal", "random"])
def test_sorted_form__insert_given_32_lines__keeps_them_sorted(form_harness, deployer, order):
    credits = {
        "rising": list(range(CAPACITY)),
        "falling": [MAXIMUM - i for i in range(CAPACITY)],
        "equal": [7] * CAPACITY,
        "random": random.Random(order).choices(range(10), k=CAPACITY),
    }[order]
    model = fill(form_harness, deployer, credits)
    assert form_harness.size(0) == CAPACITY
    for slot, credit in enumerate(credits):
        assert form_harness.creditOf(0, slot) == credit
    assert sorted(model.slots) == list(range(CAPACITY))


def test_sorted_form__insert_given_full_form_and_higher_credit__replaces_the_last(
    form_harness, deployer
):
    model = fill(form_harness, deployer, [100 - i for i in range(CAPACITY)])
    receipt = insert(form_harness, deployer, model, 70)
    assert receipt.events["Inserted"]["replaced"]
    assert receipt.events["Inserted"]["slot"] == 31
    assert form_harness.creditOf(0, 31) == 70
    assert form_harness.size(0) == CAPACITY
    assert as_words(form_harness.ranked(0)) == model.slots


@pytest.mark.parametrize("credit", [0, 49, 50])
def test_sorted_form__insert_given_full_form_and_no_higher_credit__reverts(
    form_harness, deployer, revert_data, error_bytes, credit
):
    fill(form_harness, deployer, [50 + i for i in range(CAPACITY)])
    error = error_bytes("SortedForm_Full(uint32)", 50)
    assert revert_data(form_harness.insert, 0, credit) == error
    assert not form_harness.accepts(0, credit)
    assert form_harness.accepts(0, 51)


def test_sorted_form__remove_given_line__keeps_the_others_order(form_harness, deployer):
    model = fill(form_harness, deployer, [i * 7 % 32 for i in range(CAPACITY)])
    for slot in (31, 0, 13, 14):
        form_harness.remove(0, slot, {"from": deployer})
        model.remove(slot)
        assert as_words(form_harness.ranked(0)) == model.slots
        assert not form_harness.holds(0, slot)
    insert(form_harness, deployer, model, 99)
    assert as_words(form_harness.ranked(0)) == model.slots
    assert model.slots[0] == 0  # the lowest free slot


def test_sorted_form__remove_when_slot_is_free__reverts(
    form_harness, deployer, revert_data, error_bytes
):
    fill(form_harness, deployer, [1, 2])
    for slot in (2, 31, 32, 255):
        error = error_bytes("SortedForm_NoSuchSlot(uint8)", slot)
        assert revert_data(form_harness.remove, 0, slot) == error
        assert revert_data(form_harness.creditOf, 0, slot) == error
        assert not form_harness.holds(0, slot)


def test_sorted_form__insert_given_two_forms__keeps_them_apart(form_harness, deployer):
    fill(form_harness, deployer, [3, 1, 2], form_id=1)
    fill(form_harness, deployer, [1, 2], form_id=2)
    assert as_words(form_harness.ranked(1)) == (0, 2, 1)
    assert as_words(form_harness.ranked(2)) == (1, 0)


def test_sorted_form__insert_given_worst_case_of_full_form__stays_within_gas(
    form_harness, deployer
):
    model = fill(form_harness, deployer, [1000 + i for i in range(CAPACITY)])
    used = []
    for credit in (1001, 5000, 1017, 1030, 3000, 1008):
        used.append(insert(form_harness, deployer, model, credit).gas_used)
    print(f"insert into a full form, the harness's transaction: {max(used)} gas")
    assert max(used) <= 50_000


operations = st.one_of(
    st.tuples(st.just("insert"), st.one_of(st.integers(0, MAXIMUM), st.integers(0, 5))),
    st.tuples(st.just("insert"), st.integers(0, 5)),
    st.tuples(st.just("remove"), st.integers(0, 33)),
)


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(filled=st.sampled_from([0, 28, 32]), calls=st.lists(operations, min_size=1, max_size=30))
def test_sorted_form__insert_given_random_sequences__agrees_with_the_model(
    form_harness, deployer, revert_data, filled, calls
):
    model = fill(form_harness, deployer, [i % 5 for i in range(filled)])
    for operation, value in calls:
        if operation == "insert":
            assert form_harness.accepts(0, value) == model.accepts(value)
            if model.accepts(value):
                insert(form_harness, deployer, model, value)
            else:
                assert revert_data(form_harness.insert, 0, value)
        elif value in model.slots:
            form_harness.remove(0, value, {"from": deployer})
            model.remove(value)
        else:
            assert revert_data(form_harness.remove, 0, value)
        assert as_words(form_harness.ranked(0)) == model.slots
        assert form_harness.size(0) == len(model.lines)
    for credit, slot in model.lines:
        assert form_harness.creditOf(0, slot) == credit
