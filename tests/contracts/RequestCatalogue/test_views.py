from dataclasses import astuple

from members import region_id
from reading import plain

NO_TYPE = (False, 0, 0, 0, 0, "0x" + "00" * 32)
OTHER_RULES = (60, 60, 0, 1_000, 100, 1, 1)
BILL = (True, 3600, 600, 9_000, 10**16, region_id("bill"))


def test_type_of__given_unknown_type__is_zero(catalogue):
    assert plain(catalogue.typeOf(77)) == NO_TYPE


def test_open_type__given_unknown_type__reverts(catalogue, reverts_with):
    with reverts_with("RequestCatalogue_UnknownType", 77):
        catalogue.openType(77)


def test_sharing_terms__given_none_set__are_zero(catalogue):
    assert plain(catalogue.sharingTerms()) == (0,) * 4


def test_rules_at__given_the_founding__are_version_1(catalogue, founding):
    assert plain(catalogue.versions()) == (1, 0)
    assert plain(catalogue.rulesAt(1)) == astuple(founding.rules)


def test_rules_at__given_no_such_version__are_zero(catalogue):
    for version in (0, 2, 2**32 - 1):
        assert plain(catalogue.rulesAt(version)) == (0,) * 7


def test_request_conditions__given_a_type__are_the_type_and_the_present_rules(
    catalogue, govern, founding
):
    first = astuple(founding.rules)
    assert plain(catalogue.requestConditions(1)) == (NO_TYPE, 1, first)
    govern(catalogue, "setType", 1, BILL)
    assert plain(catalogue.requestConditions(1)) == (plain(BILL), 1, first)
    govern(catalogue, "setRules", OTHER_RULES)
    assert plain(catalogue.requestConditions(1)) == (plain(BILL), 2, OTHER_RULES)
    closed = (False, *BILL[1:])  # told as it is: whoever begins looks at `active`
    govern(catalogue, "setType", 1, closed)
    assert plain(catalogue.requestConditions(1)) == (plain(closed), 2, OTHER_RULES)


def test_sharing_conditions_at__given_versions__are_those(catalogue, govern, founding):
    first = astuple(founding.rules)
    assert plain(catalogue.sharingConditionsAt(0, 1)) == ((0,) * 4, first)
    govern(catalogue, "setSharingTerms", (3600, 60, 5, 8_000))
    govern(catalogue, "setSharingTerms", (60, 0, 6, 0))
    govern(catalogue, "setRules", OTHER_RULES)
    assert plain(catalogue.versions()) == (2, 2)
    assert plain(catalogue.sharingConditionsAt(1, 2)) == ((3600, 60, 5, 8_000), OTHER_RULES)
    assert plain(catalogue.sharingConditionsAt(2, 1)) == ((60, 0, 6, 0), first)
    assert plain(catalogue.sharingConditionsAt(3, 3)) == ((0,) * 4, (0,) * 7)
