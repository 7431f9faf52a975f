import pytest
from reading import plain

DAYS_30 = 30 * 86_400


def test_set_sharing_terms__when_caller_is_not_consortium__reverts(
    catalogue, founder, reverts_with
):
    with reverts_with("RequestCatalogue_NotConsortium", founder):
        catalogue.setSharingTerms((3600, 0, 1), {"from": founder})


@pytest.mark.parametrize(
    "terms, field",
    [
        ((3600, 0, 0), "applicationWei"),
        ((59, 0, 1), "shortestSeconds"),
        ((DAYS_30 + 1, 0, 1), "shortestSeconds"),
        ((60, DAYS_30 + 1, 1), "disputeWindowSeconds"),
        ((60, 59, 1), "disputeWindowSeconds"),
        ((60, 1, 1), "disputeWindowSeconds"),
    ],
)
def test_set_sharing_terms__when_out_of_range__reverts(
    catalogue, govern, reverts_with, terms, field
):
    with reverts_with("RequestCatalogue_BadParameter", field):
        govern(catalogue, "setSharingTerms", terms)


@pytest.mark.parametrize("terms", [(60, 0, 1), (60, 60, 1), (DAYS_30, DAYS_30, 2**96 - 1)])
def test_set_sharing_terms__when_in_range__stores_and_emits(catalogue, govern, only_event, terms):
    tx = govern(catalogue, "setSharingTerms", terms)

    assert plain(catalogue.sharingTerms()) == terms
    fields = ("shortestSeconds", "disputeWindowSeconds", "applicationWei")
    event = plain(only_event(tx, "SharingTermsSet"))
    assert event == dict(zip(fields, terms, strict=True))
    assert catalogue.balance() == 0
