from eth_abi import encode
from members import NOBODY
from reading import plain

TERMS = (3600, 0, 10**15)


def test_execute__when_caller_is_not_owner__reverts(
    consortium, catalogue, outsider, deployer, reverts_with
):
    data = catalogue.setSharingTerms.encode_input(TERMS)
    for caller in (outsider, deployer):
        with reverts_with("Consortium_NotAllowed", caller):
            consortium.execute(catalogue.address, data, {"from": caller})
        assert not consortium.mayExecute(caller)


def test_execute__given_pending_owner__obeys_old_owner(
    consortium, catalogue, consortium_owner, outsider, reverts_with
):
    data = catalogue.setSharingTerms.encode_input(TERMS)
    consortium.transferOwnership(outsider, {"from": consortium_owner})
    with reverts_with("Consortium_NotAllowed", outsider):
        consortium.execute(catalogue.address, data, {"from": outsider})
    consortium.execute(catalogue.address, data, {"from": consortium_owner})

    consortium.acceptOwnership({"from": outsider})

    assert (consortium.owner(), consortium.pendingOwner()) == (outsider.address, NOBODY)
    with reverts_with("Consortium_NotAllowed", consortium_owner):
        consortium.execute(catalogue.address, data, {"from": consortium_owner})
    consortium.execute(catalogue.address, data, {"from": outsider})


def test_execute__when_target_has_no_code__reverts(
    consortium, consortium_owner, outsider, reverts_with
):
    for target in (outsider.address, NOBODY):
        with reverts_with("Consortium_NoContract", target):
            consortium.execute(target, b"", {"from": consortium_owner})


def test_execute__when_target_reverts__passes_error_on(catalogue, govern, reverts_with):
    with reverts_with("RequestCatalogue_BadParameter", "applicationWei"):
        govern(catalogue, "setSharingTerms", (3600, 0, 0))


def test_execute__when_target_reverts_without_data__passes_it_on(
    consortium, catalogue, consortium_owner, reverts_with
):
    # No such function: the target reverts with nothing.
    for data in (b"", b"\x12", b"\x12\x34\x56\x78"):
        with reverts_with(None):
            consortium.execute(catalogue.address, data, {"from": consortium_owner})


def test_execute__when_target_succeeds__carries_out_and_emits(
    consortium, catalogue, consortium_owner, govern, only_event
):
    tx = govern(catalogue, "setSharingTerms", TERMS)

    assert plain(catalogue.sharingTerms()) == TERMS
    assert plain(only_event(tx, "Executed")) == plain(
        {
            "target": catalogue.address,
            "selector": catalogue.setSharingTerms.signature,
            "by": consortium_owner,
        }
    )
    assert consortium.balance() == 0


def test_execute__when_target_returns_data__returns_it(
    consortium, catalogue, registry, consortium_owner
):
    # Any call will do, a view too: the consortium's address comes back.
    data = registry.consortium.encode_input()
    result = consortium.execute.call(registry.address, data, {"from": consortium_owner})
    assert plain(result) == plain(encode(["address"], [consortium.address]))
