import pytest
from eth_abi import encode
from eth_utils import keccak
from members import COMPANIES, NO_POINT, NOBODY, NOWHERE, Role, new_keys, new_proofs, region_id
from reading import plain

FIELD_PRIME = 0x30644E72E131A029B85045B68181585D97816A916871CA8D3C208C16D87CFD47
NORTH, WEST = region_id("north"), region_id("west")
BROWNIES_EMPTY = b"\0"  # how it shows empty bytes; Foundry compares the event exactly
ROLE, REGION, OWNER, ID_COMMITMENT, PAILLIER, BLS_KEY, DELIVERY_KEY = range(7)


@pytest.fixture
def candidate(prepare, new_account):
    """A user of the north who fits in everything and is not admitted yet."""
    return prepare(new_account(), Role.USER, NORTH)


def altered(values: tuple, **changes) -> tuple:
    """Return the tuple with some fields changed: ``altered(profile, f0=1)``."""
    fields = list(values)
    for name, value in changes.items():
        fields[int(name[1:])] = value
    return tuple(fields)


@pytest.fixture
def refuse(govern, registry, reverts_with):
    """``refuse(member, error, *arguments, profile=…, proofs=…)``: admission must be refused."""

    def check(member, error, *arguments, name=None, profile=None, proofs=None):
        with reverts_with(error, *arguments):
            govern(
                registry,
                "admit",
                member.address,
                member.name if name is None else name,
                profile or member.profile,
                proofs or member.proofs,
            )

    return check


def test_admit__when_caller_is_not_consortium__reverts(registry, candidate, founder, reverts_with):
    # Not even the owner account itself: only the consortium's contract.
    with reverts_with("Governed_NotConsortium", founder):
        registry.admit(*candidate.admission, {"from": founder})


def test_admit__given_known_account__reverts(refuse, prepare, buyer, revoke):
    again = prepare(buyer.account, Role.USER, NORTH)
    refuse(again, "MemberRegistry_AlreadyKnown", buyer.address)
    revoke(buyer)
    refuse(again, "MemberRegistry_AlreadyKnown", buyer.address)


def test_admit__when_account_is_zero__reverts(registry, govern, candidate, reverts_with):
    with reverts_with("MemberRegistry_BadProfile", NOBODY, "account"):
        govern(registry, "admit", NOBODY, *candidate.admission[1:])


def test_admit__when_role_is_none__reverts(refuse, candidate):
    profile = altered(candidate.profile, f0=0)
    refuse(candidate, "MemberRegistry_BadProfile", candidate.address, "role", profile=profile)


def test_admit__when_id_commitment_is_zero__reverts(refuse, candidate):
    profile = altered(candidate.profile, f3=NOWHERE)
    refuse(
        candidate, "MemberRegistry_BadProfile", candidate.address, "idCommitment", profile=profile
    )


@pytest.mark.parametrize("role", [Role.PROCESSOR, Role.DEVICE, Role.USER])
def test_admit__when_region_is_missing__reverts(refuse, prepare, new_account, meter_owner, role):
    owner = meter_owner if role == Role.DEVICE else NOBODY
    member = prepare(new_account(), role, NOWHERE, owner=owner)
    refuse(member, "MemberRegistry_BadProfile", member.address, "regionId")


@pytest.mark.parametrize("role", [Role.CONSORTIUM, Role.PROCESSOR, Role.USER, Role.SHARER])
def test_admit__when_owner_is_given_for_no_device__reverts(
    refuse, prepare, new_account, meter_owner, role
):
    member = prepare(new_account(), role, WEST, owner=meter_owner)
    refuse(member, "MemberRegistry_BadProfile", member.address, "owner")


@pytest.mark.parametrize("misfit", ["nobody", "other_role", "other_region", "revoked"])
def test_admit__when_device_owner_does_not_fit__reverts(
    refuse, prepare, new_account, processor, neighbour, meter_owner, revoke, misfit
):
    owners = {
        "nobody": NOBODY,
        "other_role": processor,
        "other_region": neighbour,
        "revoked": meter_owner,
    }
    if misfit == "revoked":
        revoke(meter_owner)
    member = prepare(new_account(), Role.DEVICE, NORTH, owner=owners[misfit])
    refuse(member, "MemberRegistry_BadProfile", member.address, "owner")


def test_admit__when_paillier_digest_does_not_fit__reverts(
    refuse, prepare, new_account, candidate, meter_owner
):
    missing = altered(candidate.profile, f4=NOWHERE)
    refuse(
        candidate, "MemberRegistry_BadProfile", candidate.address, "paillierDigest", profile=missing
    )
    device = prepare(new_account(), Role.DEVICE, NORTH, owner=meter_owner)
    given = altered(device.profile, f4=b"\1" * 32)
    refuse(device, "MemberRegistry_BadProfile", device.address, "paillierDigest", profile=given)


def test_admit__when_device_has_delivery_key__reverts(refuse, prepare, new_account, meter_owner):
    device = prepare(new_account(), Role.DEVICE, NORTH, owner=meter_owner)
    for key in ((1, 2), (0, 1), (1, 0)):
        profile = altered(device.profile, f6=key)
        refuse(device, "MemberRegistry_BadProfile", device.address, "deliveryKey", profile=profile)


@pytest.mark.parametrize("role", COMPANIES)
@pytest.mark.parametrize("length", [0, 65])
def test_admit__when_name_of_a_company_is_missing_or_too_long__reverts(
    refuse, prepare, new_account, role, length
):
    member = prepare(new_account(), role, WEST)
    # In bytes, not letters: 32 letters of two bytes and one more.
    name = "é" * (length // 2) + "x" * (length % 2)
    refuse(member, "MemberRegistry_BadProfile", member.address, "name", name=name)


@pytest.mark.parametrize("length", [1, 64])
def test_admit__when_name_of_a_company_fits__takes_it(
    registry, govern, prepare, new_account, only_event, length
):
    member = prepare(new_account(), Role.SHARER, NOWHERE)
    name = "n" * length

    tx = govern(registry, "admit", member.address, name, *member.admission[2:])

    assert registry.holderOfName(keccak(text=name)) == member.address
    assert plain(only_event(tx, "MemberAdmitted")["name"]) == plain(name.encode())


@pytest.mark.parametrize("role", [Role.USER, Role.DEVICE])
def test_admit__when_a_household_or_device_is_named__reverts(
    refuse, prepare, new_account, meter_owner, role
):
    owner = meter_owner if role == Role.DEVICE else NOBODY
    member = prepare(new_account(), role, NORTH, owner=owner)
    refuse(member, "MemberRegistry_BadProfile", member.address, "name", name="Anna")


@pytest.mark.parametrize("then", ["active", "renamed", "revoked"])
def test_admit__given_name_is_or_was_anothers__reverts(
    registry, govern, refuse, prepare, new_account, buyer, revoke, then
):
    if then == "renamed":
        govern(registry, "rename", buyer.address, "Another name")
    if then == "revoked":
        revoke(buyer)
    member = prepare(new_account(), Role.CONSORTIUM, NOWHERE)
    taken = (member.address, buyer.address)
    refuse(member, "MemberRegistry_NameTaken", *taken, name=buyer.name)


def test_admit__given_region_is_served__reverts(refuse, prepare, new_account, processor):
    rival = prepare(new_account(), Role.PROCESSOR, NORTH)
    refuse(rival, "MemberRegistry_RegionTaken", NORTH, processor.address)


@pytest.mark.parametrize("revoked", [False, True])
def test_admit__given_key_is_taken__reverts(refuse, candidate, buyer, revoke, revoked):
    if revoked:
        revoke(buyer)
    taken = {
        BLS_KEY: keccak(encode(["uint256[4]"], [buyer.bls_words])),
        DELIVERY_KEY: keccak(encode(["uint256[2]"], [buyer.delivery_words])),
        ID_COMMITMENT: buyer.id_commitment,
    }
    for field, key_hash in taken.items():
        profile = altered(candidate.profile, **{f"f{field}": buyer.profile[field]})
        refuse(candidate, "MemberRegistry_KeyTaken", candidate.address, key_hash, profile=profile)


def test_admit__when_bls_key_is_bad_point__reverts(refuse, candidate, twist_point_outside_group):
    x_im, x_re, y_im, y_re = candidate.bls_words
    bad = {
        "infinity": (0, 0, 0, 0),
        "off the curve": (x_im, x_re, y_im, y_re ^ 1),
        "not canonical": (x_im, x_re + FIELD_PRIME, y_im, y_re),
        "real and imaginary swapped": (x_re, x_im, y_re, y_im),
        "outside the subgroup": twist_point_outside_group,
    }
    for key in bad.values():
        profile = altered(candidate.profile, f5=key)
        refuse(candidate, "MemberRegistry_BadPoint", candidate.address, "blsKey", profile=profile)


def test_admit__when_bls_proof_is_wrong__reverts(
    refuse, candidate, registry, ledger, consortium, buyer, chain_id
):
    place = (registry, chain_id, candidate.account, Role.USER, candidate.keys)
    wrong = {
        "another account": new_proofs(*altered(place, f2=buyer.account)),
        "another role": new_proofs(*altered(place, f3=Role.SHARER)),
        "another registry": new_proofs(*altered(place, f0=ledger)),
        "another chain": new_proofs(*altered(place, f1=chain_id + 1)),
        "another key": new_proofs(*altered(place, f4=new_keys())),
    }
    possessions = [proofs[0] for proofs in wrong.values()]
    possessions += [(0, 0), (1, 3), (1 + FIELD_PRIME, 2)]
    for possession in possessions:
        proofs = altered(candidate.proofs, f0=possession)
        refuse(candidate, "MemberRegistry_BadProof", candidate.address, "blsKey", proofs=proofs)


def test_admit__when_delivery_key_is_bad_point__reverts(refuse, candidate):
    x, y = candidate.delivery_words
    for key in ((0, 0), (x, y ^ 1), (x + FIELD_PRIME, y), (x, y + FIELD_PRIME)):
        profile = altered(candidate.profile, f6=key)
        refuse(
            candidate, "MemberRegistry_BadPoint", candidate.address, "deliveryKey", profile=profile
        )


def test_admit__when_delivery_proof_is_wrong__reverts(
    refuse, candidate, registry, ledger, buyer, chain_id
):
    place = (registry, chain_id, candidate.account, Role.USER, candidate.keys)
    order = 0x30644E72E131A029B85045B68181585D2833E84879B9709143E1F593F0000001
    _, commitment, response = candidate.proofs
    wrong = [
        new_proofs(*altered(place, f2=buyer.account))[1:],
        new_proofs(*altered(place, f3=Role.SHARER))[1:],
        new_proofs(*altered(place, f0=ledger))[1:],
        new_proofs(*altered(place, f1=chain_id + 1))[1:],
        new_proofs(*altered(place, f4=new_keys()))[1:],
        buyer.proofs[1:],
        (commitment, response + order),
        (commitment, (response + 1) % order),
        (NO_POINT, response),
        ((1, 3), response),
    ]
    for nonce, answer in wrong:
        proofs = (candidate.proofs[0], nonce, answer)
        refuse(
            candidate, "MemberRegistry_BadProof", candidate.address, "deliveryKey", proofs=proofs
        )


@pytest.mark.parametrize(
    "role, region",
    [
        (Role.CONSORTIUM, NOWHERE),
        (Role.CONSORTIUM, NORTH),
        (Role.USER, NORTH),
        (Role.SHARER, NOWHERE),
        (Role.SHARER, NORTH),
    ],
)
def test_admit__when_everything_fits__stores_and_emits(
    registry, govern, prepare, new_account, only_event, role, region
):
    member = prepare(new_account(), role, region)
    assert registry.memberOf(member.address)[1] is False

    tx = govern(registry, "admit", *member.admission)

    assert plain(registry.memberOf(member.address)) == plain((member.profile, True))
    assert plain(registry.activeRoleOf(member.address)) == plain((role, region))
    assert plain(only_event(tx, "MemberAdmitted")) == plain(
        {
            "account": member.address,
            "role": role,
            "regionId": region,
            "owner": NOBODY,
            "idCommitment": member.id_commitment,
            "paillierDigest": member.profile[PAILLIER],
            "blsKey": member.bls_words,
            "deliveryKey": member.delivery_words,
            "name": plain(member.name.encode() or BROWNIES_EMPTY),
        }
    )
    holder = member.address if role in COMPANIES else NOBODY
    assert registry.holderOfName(keccak(text=member.name)) == holder
    assert registry.balance() == 0


def test_admit__when_device_fits__stores_owner(
    registry, govern, prepare, new_account, meter_owner, only_event
):
    # A device's delivery proof is ignored, whatever it is.
    device = prepare(new_account(), Role.DEVICE, NORTH, owner=meter_owner)
    proofs = (device.proofs[0], (5, 6), 7)

    tx = govern(registry, "admit", *device.admission[:3], proofs)

    assert plain(registry.memberOf(device.address)) == plain((device.profile, True))
    assert registry.ownerOf(device.address) == meter_owner.address
    assert plain(registry.deliveryKeyOf(device.address)) == NO_POINT
    event = plain(only_event(tx, "MemberAdmitted"))
    assert (event["owner"], event["role"]) == (meter_owner.address, Role.DEVICE)
    assert (event["deliveryKey"], event["paillierDigest"]) == plain((NO_POINT, NOWHERE))
    assert event["name"] == plain(BROWNIES_EMPTY)


def test_admit__when_processor_fits__takes_region(registry, govern, prepare, new_account):
    member = prepare(new_account(), Role.PROCESSOR, WEST)
    assert registry.processorOf(WEST) == NOBODY

    govern(registry, "admit", *member.admission)

    assert registry.processorOf(WEST) == member.address
    assert plain(registry.memberOf(member.address)) == plain((member.profile, True))
