"""Every check has a verdict at any time, and none gets better."""

import json

import pytest

from offchain.demo.checks import CHECKS, NOT_REACHED, Findings
from offchain.demo.gas import REQUIRED
from offchain.demo.report import RunReport

ASKED = """member_admitted_by_vote stale_decision_refused readings_anchored
agent_killed_nothing_lost notification_too_high notification_too_low
notification_temperature notification_shut_down notification_in_operation request_paid bill_audited
retroactive_tariff_refused advice_given request_unknown_member_refused request_wrong_region_refused
request_unknown_type_refused request_bad_signature_refused request_declined_refunded
request_timeout_refunded credit_up credit_down datasets_published form_sorted_by_credit
shares_verified_on_chain wrong_share_refused key_recovered_by_threshold
key_not_recovered_below_threshold data_matches_chain tampered_data_detected withdrawn_not_sold
owners_paid garbage_answer_slashed unserved_answer_demanded money_conserved"""
STEPS = "deploy admit anchor notify request accept claim refund respond select deliver_shares"


def test_checks__as_specified__are_these_34_and_gas_these_steps() -> None:
    assert tuple(ASKED.split()) == CHECKS
    assert tuple(STEPS.split()) == REQUIRED


def test_record__an_unknown_name__raises_key_error() -> None:
    with pytest.raises(KeyError, match="no_such_check"):
        Findings().record("no_such_check", True, "")


def test_record__failed_once__stays_failed_with_the_first_reason() -> None:
    findings = Findings()
    findings.record("credit_up", True, "fine")
    findings.record("credit_up", False, "first")
    findings.record("credit_up", False, "second")
    findings.record("credit_up", True, "fine again")
    (check,) = [one for one in findings.checks if one.name == "credit_up"]
    assert (check.ok, check.detail) == (False, "first")


def test_checks__nothing_recorded__lists_all_as_not_reached() -> None:
    findings = Findings()
    assert [check.name for check in findings.checks] == list(CHECKS)
    assert all(not check.ok and check.detail == NOT_REACHED for check in findings.checks)
    assert not findings.is_ok


def test_is_ok__every_check_and_stage__holds() -> None:
    findings = Findings()
    with findings.stage("one"):
        for name in CHECKS:
            findings.record(name, True, "")
    assert findings.is_ok


def test_is_ok__a_stage_broke_off__is_false_and_the_error_goes_on() -> None:
    findings = Findings()
    for name in CHECKS:
        findings.record(name, True, "")
    with pytest.raises(RuntimeError), findings.stage("one"):
        raise RuntimeError
    assert not findings.is_ok
    assert [(stage.name, stage.ok) for stage in findings.stages] == [("one", False)]


def test_is_ok__one_check_missing__is_false() -> None:
    findings = Findings()
    for name in CHECKS[:-1]:
        findings.record(name, True, "")
    assert not findings.is_ok


def test_as_json__any_time__has_exactly_the_agreed_shape() -> None:
    findings = Findings()
    with findings.stage("one"):
        findings.record("credit_up", True, "from 0 to 10")
    made = json.loads(json.dumps(RunReport(findings=findings, source="").as_json()))
    assert set(made) == {"ok", "stages", "checks", "gas"}
    assert made["ok"] is False
    assert [set(stage) for stage in made["stages"]] == [{"name", "ok", "seconds"}]
    assert all(set(check) == {"name", "ok", "detail"} for check in made["checks"])
    assert [check["name"] for check in made["checks"]] == list(CHECKS)
    assert made["gas"] == dict.fromkeys(REQUIRED, 0)
