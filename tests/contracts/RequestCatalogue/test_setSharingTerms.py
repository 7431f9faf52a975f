import pytest
from reading import plain

DAYS_30 = 30 * 86_400


def test_set_sharing_terms__when_caller_is_not_consortium__reverts(
    catalogue, founder, reverts_with
):
    with reverts_with("Governed_NotConsortium", founder):
        catalogue.setSharingTerms((3600, 0, 1, 0), {"from": founder})


@pytest.mark.parametrize(
    "terms, field",
    [
        ((3600, 0, 0, 0), "applicationWei"),
        ((3600, 0, 10**19 + 1, 0), "applicationWei"),
        ((59, 0, 1, 0), "shortestSeconds"),
        ((DAYS_30 + 1, 0, 1, 0), "shortestSeconds"),
        ((60, DAYS_30 + 1, 1, 0), "disputeWindowSeconds"),
        ((60, 59, 1, 0), "disputeWindowSeconds"),
        ((60, 1, 1, 0), "disputeWindowSeconds"),
        ((60, 0, 1, 8_001), "ownersBps"),
        ((60, 0, 1, 2**16 - 1), "ownersBps"),
    ],
)
def test_set_sharing_terms__when_out_of_range__reverts(
    catalogue, govern, reverts_with, terms, field
):
    with reverts_with("RequestCatalogue_BadParameter", field):
        govern(catalogue, "setSharingTerms", terms)


@pytest.mark.parametrize(
    "terms", [(60, 0, 1, 0), (60, 60, 1, 5_000), (DAYS_30, DAYS_30, 10**19, 8_000)]
)
def test_set_sharing_terms__when_in_range__stores_and_emits(catalogue, govern, only_event, terms):
    tx = govern(catalogue, "setSharingTerms", terms)

    assert plain(catalogue.sharingTerms()) == terms
    fields = ("shortestSeconds", "disputeWindowSeconds", "applicationWei", "ownersBps")
    event = plain(only_event(tx, "SharingTermsSet"))
    assert event == {"version": 1, **dict(zip(fields, terms, strict=True))}
    assert plain(catalogue.versions()) == (1, 1)
    assert catalogue.balance() == 0


def test_set_sharing_terms__given_earlier_versions__leaves_them(
    catalogue, govern, impersonate, consortium
):
    versions = [(60, 0, 1, 0), (120, 60, 2, 7), (60, 0, 1, 0)]
    for terms in versions:
        govern(catalogue, "setSharingTerms", terms)
    assert [plain(catalogue.sharingTermsAt(i)) for i in range(1, 4)] == versions
    assert plain(catalogue.sharingTermsAt(4)) == plain(catalogue.sharingTermsAt(0)) == (0,) * 4
    own = {"from": impersonate(consortium)}
    assert catalogue.setSharingTerms.call(versions[1], own) == 4
