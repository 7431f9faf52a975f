"""The precompile's pairing check, native code and the one in Python agree."""

import pytest

from offchain.chain.errors import NodeRefused, NodeUnavailable
from offchain.chain.pairing import configured_pairing, precompile_pairing
from offchain.crypto import curve, native_pairing
from tests.unit.crypto.points import off_subgroup_point

G1, G2 = curve.G1_GENERATOR, curve.G2_GENERATOR


def _times(point, scalar):
    return curve.multiply(point, scalar)


PRODUCTS = {
    "e(P,Q)e(-P,Q)": [(G1, G2), (curve.negate(G1), G2)],
    "e(6P,Q)e(-2P,3Q)": [(_times(G1, 6), G2), (curve.negate(_times(G1, 2)), _times(G2, 3))],
    "e(P,Q)": [(G1, G2)],
    "e(6P,Q)e(-2P,4Q)": [(_times(G1, 6), G2), (curve.negate(_times(G1, 2)), _times(G2, 4))],
    "e(0,Q)": [(curve.G1.infinity(), G2)],
    "e(P,0)": [(G1, curve.G2.infinity())],
    "empty": [],
}


@pytest.mark.parametrize("pairs", PRODUCTS.values(), ids=PRODUCTS.keys())
def test_precompile_pairing__any_product__agrees_with_the_python_check(gateway, pairs):
    expected = curve.pairing_product_is_one(pairs)
    assert precompile_pairing(gateway)(pairs) is expected
    if (native := native_pairing.native_pairing()) is not None:
        assert native(pairs) is expected


@pytest.mark.parametrize("local", [False, True], ids=["chain", "local"])
def test_configured_pairing__as_chosen__asks_the_node_or_nobody(gateway, monkeypatch, local):
    asked = []
    ask = gateway.endpoint.ask
    monkeypatch.setattr(gateway, "local_pairings", local)
    monkeypatch.setattr(gateway.endpoint, "ask", lambda one: asked.append(one.method) or ask(one))
    check = configured_pairing(gateway)
    assert check(PRODUCTS["e(P,Q)e(-P,Q)"]) and not check(PRODUCTS["e(P,Q)"])
    assert asked == ([] if local else ["eth_call"] * 2)


def test_precompile_pairing__point_outside_the_subgroup__is_false(gateway):
    assert precompile_pairing(gateway)([(G1, off_subgroup_point())]) is False


def test_precompile_pairing__node_refuses_for_reasons_of_its_own__is_checked_here(
    gateway, monkeypatch
):
    def busy(question):
        raise NodeRefused(question.method, -32005, "limit exceeded", None)

    monkeypatch.setattr(gateway.endpoint, "ask", busy)
    assert precompile_pairing(gateway)(PRODUCTS["e(P,Q)e(-P,Q)"]) is True
    assert precompile_pairing(gateway)(PRODUCTS["e(P,Q)"]) is False


def test_precompile_pairing__no_node__raises_instead_of_judging(gateway, monkeypatch):
    def silent(*_):
        raise NodeUnavailable("nobody answers")

    monkeypatch.setattr(gateway.endpoint, "ask", silent)
    with pytest.raises(NodeUnavailable):
        precompile_pairing(gateway)([(G1, G2)])
