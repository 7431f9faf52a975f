"""MemberRegistry.rearmStop (rearmStop.tree). The consortium acts by itself, without its delay."""

import pytest

DAY = 86_400


@pytest.fixture
def ruler(impersonate, consortium):
    return {"from": impersonate(consortium)}


def test_rearm_stop__when_caller_is_not_consortium__reverts(registry, ruler, founder, reverts_with):
    registry.stopBeginnings(ruler)
    with reverts_with("Governed_NotConsortium", founder):
        registry.rearmStop({"from": founder})


def test_rearm_stop__given_armed__reverts(registry, ruler, reverts_with):
    with reverts_with("MemberRegistry_StopArmed"):
        registry.rearmStop(ruler)


@pytest.mark.parametrize("late", [-1, 0, 1])
def test_rearm_stop__when_rest_is_not_over__reverts(registry, ruler, at, reverts_with, late):
    registry.stopBeginnings(ruler)
    earliest_at = registry.stoppedUntil() + 30 * DAY
    for early_at in (registry.stoppedUntil() - 1, registry.stoppedUntil()):
        at(early_at)
        with reverts_with("MemberRegistry_TooEarly", earliest_at, early_at):
            registry.rearmStop(ruler)
    at(earliest_at + late)
    if late < 0:
        with reverts_with("MemberRegistry_TooEarly", earliest_at, earliest_at + late):
            registry.rearmStop(ruler)
        assert registry.isStopSpent()
        return
    registry.rearmStop(ruler)
    assert not registry.isStopSpent()


def test_rearm_stop__when_rest_is_over__arms_for_one_more_use(
    registry, ruler, device, at, only_event, reverts_with
):
    registry.stopBeginnings(ruler)
    until = registry.stoppedUntil()
    at(until + 30 * DAY)

    tx = registry.rearmStop(ruler)

    assert only_event(tx, "StopRearmed") is not None
    assert len(tx.events) == 1
    assert (registry.isStopSpent(), registry.stoppedUntil()) == (False, until)
    assert registry.mayBegin(device.address, device.role)
    with reverts_with("MemberRegistry_StopArmed"):
        registry.rearmStop(ruler)
    at(until + 31 * DAY)
    registry.stopBeginnings(ruler)
    assert registry.stoppedUntil() == until + 31 * DAY + registry.stopSeconds()
    with reverts_with("MemberRegistry_StopSpent"):
        registry.stopBeginnings(ruler)
