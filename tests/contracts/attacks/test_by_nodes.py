"""What a processing node might try: sell what is not its own, collect without serving, copy C."""

import secrets

import money
import publishing
import pytest
from brownie import LibraryHarness
from members import Role, words

from offchain.crypto import curve, sharing
from offchain.crypto.secret import GROUP_ORDER

FACTOR = 5
LARGEST_PRICE_WEI = 2**96 - 1


# ---- a scaled transcript, resold as an own data set ----


@pytest.fixture
def scaled(transcript):
    """Somebody's delivered transcript, all points times one factor: commitments, shares."""
    commitments = [curve.multiply(f, FACTOR) for f in transcript.commitments]
    return commitments, [curve.multiply(y, FACTOR) for y in transcript.shares]


@pytest.fixture
def own(scaled):
    """What processor_two publishes under the scaled key commitment, as its own."""
    return of_key(scaled[0][0])


@pytest.fixture
def resell(data_sets, processor_two, own):
    """``resell(possession)``: processor_two publishes it."""

    def send(possession):
        return data_sets.publish(own, possession, {"from": processor_two.account})

    return send


def of_key(key_commitment):
    """Return a sound publication under a key commitment whose key nobody here needs to know."""
    some = publishing.a_publication(sharing.DataKey.generate())
    return some._replace(key_commitment=words(key_commitment))


def test_scaled_transcript__when_resold_as_an_own_data_set__is_refused_at_publication(
    resell, own, data_sets, processor, processor_two, data_set, transcript, reverts_with
):
    own_id = publishing.id_of(data_sets, own.key_commitment)
    of_victim = of_key(transcript.commitments[0])
    victims = publishing.prove(data_sets, processor, data_set.key, of_victim)
    stranger = sharing.DataKey.generate()
    forgeries = (
        victims,  # copied
        words(curve.multiply(curve.G1(*victims), FACTOR)),  # scaled as the transcript
        publishing.prove(data_sets, processor_two, stranger, own),  # the right message, another key
    )
    for forged in forgeries:
        with reverts_with("DataSetBook_BadKeyProof", own_id):
            resell(forged)


def test_scaled_transcript__without_the_proof_of_possession__would_be_delivered_and_paid(
    deployer, lock, data_sets, own, resell, processor_two, data_set, group, scaled, buyer,
    buyer_two, pay_sharing, a_sharing_order, deliver, state_of,
):  # fmt: skip
    """Control: who could make the proof (here: with the victim's k) delivers another's shares."""
    commitments, shares = ([words(point) for point in points] for points in scaled)
    harness = LibraryHarness.deploy({"from": deployer})
    grant = (lock.address, money.digest_of("lock"), money.digest_of("data set"), len(commitments))
    assert harness.verifyShares(grant, group.key_words, shares, commitments)

    own_id = publishing.id_of(data_sets, own.key_commitment)
    stolen = sharing.DataKey(data_set.key.reveal() * FACTOR % GROUP_ORDER)
    resell(publishing.prove(data_sets, processor_two, stolen, own))
    order = a_sharing_order._replace(payee=processor_two.address, data_set_id=own_id)
    pay_sharing(order)
    it = type("It", (), {"id": money.id_of(lock, buyer, order.nonce)})
    deliver(it, commitments=commitments, shares=shares, by=processor_two.account)
    assert state_of(it) == money.SETTLED
    assert lock.withdrawableOf(processor_two.address) > 0


@pytest.mark.parametrize("of", ["another group", "another data set"])
def test_transcript__when_replayed_to_another_lock__is_refused(
    of,
    open_sharing,
    deliver,
    refuses,
    data_sets,
    processor,
    group,
    buyer,
    buyer_two,
    dealt_of,
    admit,
):
    """An honest transcript opens the lock that it was made for and no other group or data set."""
    if of == "another group":
        other = money.group_of(buyer, buyer_two, admit(Role.SHARER))
        it = open_sharing(group_hash=other.hash)
        with refuses("PrepaidLock_WrongGroup", it.id):
            deliver(it)
        with refuses("PrepaidLock_BadShares", it.id):
            deliver(it, group=other)
        return
    published = money.publish(data_sets, processor)
    it = open_sharing(data_set_id=published.data_set_id)
    commitments, _ = dealt_of
    of_other = publishing.id_of(data_sets, commitments[0])
    with refuses("PrepaidLock_WrongKey", it.id, of_other):
        deliver(it)


@pytest.fixture
def dealt_of(transcript):
    return money.transcript_words(transcript)


@pytest.mark.parametrize("way", ["byte for byte", "made again"])
def test_transcript__when_the_buyer_delivers_it_itself__is_refused(
    way,
    open_sharing,
    deliver,
    refuses,
    lock,
    dealt_of,
    group,
    buyer,
    processor,
    transcript,
    state_of,
):
    """A second lock of the same set and group: the transcript of the first holds, and so does
    another that anybody makes from it. The payee has not delivered, and can still decline."""
    first, second = open_sharing(), open_sharing()
    deliver(first)
    old_leave = money.sign_delivery(lock, processor, first.id, group, dealt_of)
    commitments, shares = dealt_of
    if way == "made again":
        commitments, shares = made_again(transcript, group)
    by_the_buyer = {"commitments": commitments, "shares": shares, "by": buyer.account}
    forged = money.sign_delivery(lock, buyer, second.id, group, (commitments, shares))
    for leave in (money.NO_AUTHORISATION, old_leave, forged):
        with refuses("PrepaidLock_NotAuthorised", second.id, buyer.address):
            deliver(second, authorisation=leave, **by_the_buyer)
    lock.decline(second.id, money.NOT_SERVED, {"from": processor.account})
    assert state_of(second) == money.DECLINED


@pytest.mark.parametrize("way", ["byte for byte", "made again"])
def test_transcript__without_the_payees_authority__would_be_a_delivery(
    way, open_sharing, deliver, dealt_of, group, processor, transcript, state_of
):
    """Control: the contract finds nothing else wrong with it, when the payee sends it."""
    deliver(open_sharing())
    commitments, shares = dealt_of
    if way == "made again":
        commitments, shares = made_again(transcript, group)
    second = open_sharing()
    by = {"by": processor.account, "authorisation": money.NO_AUTHORISATION}
    deliver(second, commitments=commitments, shares=shares, **by)
    assert state_of(second) == money.SETTLED


def made_again(transcript, group):
    """Deal the same key once more from public bytes: f'(x) = f(x) + r·x has f'(0) = k, too."""
    r = 12_345
    commitments = list(transcript.commitments)
    commitments[1] = curve.add(commitments[1], curve.multiply(curve.G2_GENERATOR, r))
    shares = [
        curve.add(y, curve.multiply(key, r * i))
        for i, (y, key) in enumerate(zip(transcript.shares, group.keys, strict=True), start=1)
    ]
    return [money.words(f) for f in commitments], [money.words(y) for y in shares]


def test_transcript__for_the_lock_it_was_made_for__is_paid(open_sharing, deliver, state_of):
    """Control: the same bytes, the right lock."""
    it = open_sharing()
    deliver(it)
    assert state_of(it) == money.SETTLED


# ---- C copied from the mempool ----


def test_copied_c__when_another_node_uses_it_first__neither_blocks_nor_pays(
    open_request, accept, pay, refuses, lock, neighbour, processor, processor_two, state_of, now,
    may_withdraw,
):  # fmt: skip
    it, secret = open_request(), secrets.token_bytes(32)
    c = money.commitment_of(processor, secret)
    theirs = money.request_order(processor_two, expires_at=now() + 2 * money.SHORTEST_S)
    pay(theirs, payer=neighbour)
    copy = it.__class__(money.id_of(lock, neighbour, theirs.nonce), theirs)
    accept(copy, secret_hash=c, by=processor_two)  # seen in the mempool, mined first
    accept(it, secret_hash=c)
    lock.claim(it.id, secret, {"from": processor.account})  # x is public from here on
    with refuses("PrepaidLock_BadSecret", copy.id):
        lock.claim(copy.id, secret, {"from": processor_two.account})
    fee = money.fee_of(money.PRICE_WEI)
    may_withdraw(processor=money.PRICE_WEI - fee, consortium=fee)


def test_copied_c__if_c_named_the_copier__would_be_opened_by_the_revealed_secret(
    open_accepted, accept, pay, lock, neighbour, processor_two, state_of, now
):
    """Control: nothing but the payee inside C keeps the copier from another's x."""
    it = open_accepted()
    theirs = money.request_order(processor_two, expires_at=now() + 2 * money.SHORTEST_S)
    pay(theirs, payer=neighbour)
    copy = it.__class__(money.id_of(lock, neighbour, theirs.nonce), theirs)
    accept(copy, secret_hash=money.commitment_of(processor_two, it.secret), by=processor_two)
    lock.claim(it.id, it.secret, {"from": processor_two.account})
    lock.claim(copy.id, it.secret, {"from": processor_two.account})
    assert state_of(copy) == money.SETTLED
    assert lock.withdrawableOf(processor_two.address) > 0


# ---- the application prepayment, farmed ----


@pytest.fixture
def close(market, relayer, at):
    """``close(ad)``: at the first second at which anyone may."""

    def send(ad):
        at(ad.conditions.select_by)
        return market.close(ad.id, {"from": relayer})

    return send


def test_price_of_2_to_96__when_offered_to_be_passed_over__collects_nothing(
    broadcast, respond, close, processor, choose, select, refuses, may_withdraw
):
    ad = broadcast(max_price_wei=LARGEST_PRICE_WEI)
    respond(ad, processor, price=LARGEST_PRICE_WEI)
    close(ad)
    may_withdraw(buyer=money.APPLICATION_WEI)


def test_offer__with_its_bond_behind_it__collects_when_the_buyer_walks_away(
    broadcast, respond, close, processor, may_withdraw
):
    """Control: but for the bond, the same response is paid."""
    ad = broadcast(max_price_wei=LARGEST_PRICE_WEI)
    respond(ad, processor, price=10**18)  # the bond is 0.8 of it
    close(ad)
    may_withdraw(processor=money.APPLICATION_WEI)


@pytest.mark.parametrize("trick", ["takes", "takes and adds", "declines", "adds late"])
def test_bond__when_shown_and_pulled_away__collects_nothing(
    trick, broadcast, respond, close, lock, processor, open_sharing, may_withdraw, at, now
):
    """It could not be selected all the time from its response to the end: it does not count."""
    # The declined lock's bond is needed for the offer: without it the node could not be selected.
    price = 10**18 * money.BPS // money.RULES.bond_bps if trick == "declines" else 10**18
    sold = open_sharing() if trick == "declines" else None
    if trick == "adds late":
        lock.takeBond(10**18, {"from": processor.account})
        at(now() + 60)  # long before the response: it frees nothing since
    ad = broadcast(max_price_wei=price)
    respond(ad, processor, price=price)
    expected = {"buyer": money.APPLICATION_WEI}
    at(now() + 1)
    if trick == "declines":
        lock.decline(sold.id, money.NOT_SERVED, {"from": processor.account})
        expected["buyer"] += sold.order.price_wei
    if trick.startswith("takes"):
        lock.takeBond(10**18, {"from": processor.account})
        expected["processor"] = 10**18
    if trick == "adds late":
        expected["processor"] = 10**18
    if trick in ("adds late", "takes and adds"):
        at(ad.conditions.select_by - 1)
        lock.addBond(processor.address, {"from": processor.account, "value": 10**18})
    close(ad)
    may_withdraw(**expected)


def test_bond__when_a_buyer_makes_the_node_decline__still_collects(
    broadcast, respond, close, lock, processor, open_sharing, may_withdraw
):
    """One decline takes none of the node's other deposits, as long as its bond covers them."""
    sold = open_sharing()
    ads = [broadcast(max_price_wei=10**18) for _ in range(3)]
    for ad in ads:
        respond(ad, processor, price=10**18)
    lock.decline(sold.id, money.NOT_SERVED, {"from": processor.account})
    for ad in ads:
        close(ad)
    may_withdraw(processor=3 * money.APPLICATION_WEI, buyer=sold.order.price_wei)


def test_bond__when_taken_in_the_second_of_the_response__still_collects(
    broadcast, respond, close, lock, processor, may_withdraw, at, now
):
    """What is left covers the offer: a wei taken in the same second forfeits nothing."""
    ad = broadcast(max_price_wei=10**15)
    moment = now() + 10
    at(moment)
    lock.takeBond(1, {"from": processor.account})
    money.web3.provider.make_request("anvil_setTime", [moment])
    at(moment)
    respond(ad, processor, price=10**15)
    close(ad)
    may_withdraw(processor=money.APPLICATION_WEI + 1)


def test_bond__when_left_alone_and_added_to__collects(
    broadcast, respond, close, lock, processor, outsider, relayer, open_sharing, deliver,
    may_withdraw,
):  # fmt: skip
    """Control: a bond that stands, also while others add to it and other locks end, is paid."""
    sold = open_sharing()
    ad = broadcast(max_price_wei=10**18)
    respond(ad, processor, price=10**18)
    lock.addBond(processor.address, {"from": outsider, "value": 1})
    deliver(sold)
    close(ad)
    fee = money.fee_of(sold.order.price_wei)
    earned = sold.order.price_wei - fee
    may_withdraw(processor=money.APPLICATION_WEI + earned, consortium=fee)


def test_bond__when_too_small_for_a_selection__stops_the_selection(
    broadcast, respond, choose, select, lock, processor, refuses
):
    """Control: a node without its bond cannot be selected, so walking away is no fault."""
    lock.takeBond(10**18 - 5, {"from": processor.account})
    ad = broadcast()
    respond(ad, processor, price=10**15)
    needed = money.bond_of(10**15)
    with refuses("PrepaidLock_BondTooSmall", processor.address, 5, needed):
        select(ad, [choose(ad, processor)], value=10**15)
