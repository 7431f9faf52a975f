from members import NOBODY


def test_renounce_ownership__when_caller_is_not_owner__reverts(consortium, outsider, reverts_with):
    with reverts_with("OwnableUnauthorizedAccount", outsider):
        consortium.renounceOwnership.transact({"from": outsider})


def test_renounce_ownership__when_caller_is_owner__reverts(
    consortium, consortium_owner, reverts_with
):
    with reverts_with("OwnableInvalidOwner", NOBODY):
        consortium.renounceOwnership.transact({"from": consortium_owner})
    assert consortium.owner() == consortium_owner.address
