"""What owners get of random data sets, sold several times, against exact fractions.

Whatever is drawn when, by whom and in what order, and whoever is revoked in between: an owner has
in the end its rows' part of each sale's part, less than one wei a row and sale; the rest of each
division is told to the lock, and nothing is left in a pot.
"""

from fractions import Fraction

import publishing
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from members import Role, region_id

from tests.contracts.conftest import isolated

DEVICES, OWNERS = 5, 3
OWNER_OF = (0, 0, 1, 1, 2)  # the owner of each device

a_set = st.lists(
    st.tuples(st.integers(0, DEVICES - 1), st.integers(1, 40)),
    min_size=1,
    max_size=DEVICES,
    unique_by=lambda entry: entry[0],
)
a_step = st.one_of(
    st.tuples(st.just("sell"), st.integers(0, 2), st.integers(0, 500)),
    st.tuples(st.just("sell"), st.integers(0, 2), st.integers(0, 10**20)),
    st.tuples(st.just("draw"), st.integers(0, 2), st.integers(0, DEVICES - 1)),
    st.tuples(st.just("draw many"), st.integers(0, 2), st.integers(1, 2**15 - 1)),
    st.tuples(st.just("revoke"), st.integers(0, 7), st.just(0)),
)


@pytest.fixture(scope="module")
def town(module_isolation, terms, admit):
    """Three owners and their five devices."""
    owners = [admit(Role.USER, region_id("north")) for _ in range(OWNERS)]
    devices = [admit(Role.DEVICE, region_id("north"), owner=owners[i]) for i in OWNER_OF]
    return owners, devices


class Exact:
    """One data set, as fractions."""

    def __init__(self, entries):
        self.rows = dict(entries)
        self.total = sum(self.rows.values())
        self.parts = []
        self.rests = 0

    def due(self, device):
        return sum((Fraction(part * self.rows[device], self.total) for part in self.parts), start=0)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(sets=st.lists(a_set, min_size=1, max_size=3), steps=st.lists(a_step, max_size=14))
def test_draws__given_random_sales_and_revocations__are_the_exact_parts(
    sets, steps, town, data_sets, lock, lock_account, processor, relayer, revoke
):
    owners, devices = town
    with isolated():
        exact = [Exact(entries) for entries in sets]
        made = [
            publishing.publish(
                data_sets,
                processor,
                owners=publishing.owners_of(*((devices[i], rows) for i, rows in entries)),
            )
            for entries in sets
        ]
        gone = set()

        def draws_of(which, chosen):
            it = made[which]
            return [(it.data_set_id, it.owners.leaf(devices[i])) for i in chosen]

        for kind, which, value in steps:
            if kind == "revoke":
                who = [*devices, *owners][which]
                if who.address not in gone:
                    gone.add(who.address)
                    revoke(who)
                continue
            which %= len(made)
            model = exact[which]
            if kind == "sell":
                call = (made[which].data_set_id, value, {"from": lock_account})
                rest = data_sets.recordSale.call(*call)
                data_sets.recordSale(*call)
                assert rest < model.total
                model.parts.append(value)
                model.rests += rest
            elif kind == "draw":
                if value in model.rows:
                    (draw,) = draws_of(which, [value])
                    data_sets.draw(*draw, {"from": relayer})
            else:
                chosen = [i for i in model.rows if value >> (3 * i) & 1]
                data_sets.drawMany(draws_of(which, chosen), {"from": relayer})

        everything = [d for n, model in enumerate(exact) for d in draws_of(n, model.rows)]
        data_sets.drawMany(everything, {"from": relayer})
        assert data_sets.drawMany(everything, {"from": relayer}).return_value == 0
        for n, model in enumerate(exact):
            per_row, pot = data_sets.earningsOf(made[n].data_set_id)[:2]
            assert pot == 0
            assert per_row * model.total + model.rests == sum(model.parts)
        for o, owner in enumerate(owners):
            own = [
                (model.due(i), model.rows[i] * len(model.parts))
                for model in exact
                for i in model.rows
                if OWNER_OF[i] == o
            ]
            found, due = lock.withdrawableOf(owner.address), sum(part for part, _ in own)
            assert 0 <= due - found <= sum(slack for _, slack in own)
            # Less than a wei for each row and sale: equal only if nothing was sold.
            assert due == found or due - found < sum(slack for _, slack in own)
