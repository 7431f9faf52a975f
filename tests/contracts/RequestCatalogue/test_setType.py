import pytest
from members import region_id
from reading import plain

BILL = region_id("bill")  # a bytes32 of ASCII, as any name
DAYS_30 = 30 * 86_400
GOOD = (True, 3600, 600, 9_000, 10**16, BILL)


def test_set_type__when_caller_is_not_consortium__reverts(catalogue, founder, reverts_with):
    with reverts_with("Governed_NotConsortium", founder):
        catalogue.setType(1, GOOD, {"from": founder})


@pytest.mark.parametrize(
    "type_id, terms, field",
    [
        (0, GOOD, "typeId"),
        (1, (True, 3600, 600, 9_000, 10**16, bytes(32)), "name"),
        (1, (True, 3600, 600, 9_000, 0, BILL), "priceWei"),
        (1, (True, 3600, 600, 0, 1, BILL), "longestAnswerBytes"),
    ],
)
def test_set_type__when_field_is_zero__reverts(
    catalogue, govern, reverts_with, type_id, terms, field
):
    with reverts_with("RequestCatalogue_BadParameter", field):
        govern(catalogue, "setType", type_id, terms)


@pytest.mark.parametrize("shortest", [0, 59, DAYS_30 + 1])
def test_set_type__when_shortest_time_is_out_of_range__reverts(
    catalogue, govern, reverts_with, shortest
):
    with reverts_with("RequestCatalogue_BadParameter", "shortestSeconds"):
        govern(catalogue, "setType", 1, (True, shortest, 0, 1, 1, BILL))


@pytest.mark.parametrize("window", [1, 59, DAYS_30 + 1])
def test_set_type__when_dispute_window_is_out_of_range__reverts(
    catalogue, govern, reverts_with, window
):
    with reverts_with("RequestCatalogue_BadParameter", "disputeWindowSeconds"):
        govern(catalogue, "setType", 1, (True, 60, window, 1, 1, BILL))


@pytest.mark.parametrize(
    "terms, field",
    [
        ((True, 3600, 600, 9_000, 10**22 + 1, BILL), "priceWei"),
        ((True, 3600, 600, 32_769, 1, BILL), "longestAnswerBytes"),
        ((True, 3600, 600, 2**16 - 1, 1, BILL), "longestAnswerBytes"),
    ],
)
def test_set_type__when_above_a_ceiling__reverts(catalogue, govern, reverts_with, terms, field):
    with reverts_with("RequestCatalogue_BadParameter", field):
        govern(catalogue, "setType", 1, terms)


@pytest.mark.parametrize(
    "terms",
    [
        GOOD,
        (True, 60, 0, 1, 1, BILL),
        (True, 60, 60, 1, 1, BILL),
        (True, DAYS_30, DAYS_30, 32_768, 10**22, BILL),
        (False, 60, 0, 1, 1, BILL),
    ],
)
def test_set_type__when_in_range__stores_and_emits(catalogue, govern, only_event, terms):
    tx = govern(catalogue, "setType", 2**32 - 1, terms)

    assert plain(catalogue.typeOf(2**32 - 1)) == plain(terms)
    fields = (
        "active", "shortestSeconds", "disputeWindowSeconds", "longestAnswerBytes", "priceWei",
        "name",
    )  # fmt: skip
    expected = {"typeId": 2**32 - 1, **dict(zip(fields, terms, strict=True))}
    assert plain(only_event(tx, "RequestTypeSet")) == plain(expected)
    assert catalogue.balance() == 0


def test_set_type__given_existing_type__replaces_it(catalogue, govern, reverts_with):
    govern(catalogue, "setType", 1, GOOD)
    assert plain(catalogue.openType(1)) == plain(GOOD)
    closed = (False, 7200, 0, 1, 5, region_id("advice"))

    govern(catalogue, "setType", 1, closed)

    assert plain(catalogue.typeOf(1)) == plain(closed)
    with reverts_with("RequestCatalogue_UnknownType", 1):
        catalogue.openType(1)
    govern(catalogue, "setType", 1, GOOD)
    assert plain(catalogue.openType(1)) == plain(GOOD)
