"""Figures: which are met, what is printed, and that a miss without a reason is found."""

import pytest

from bench import figures, timing
from bench.figures import Figure


@pytest.mark.parametrize(
    ("figure", "line"),
    [
        (Figure("fast", 12.0, 12), "fast 12x >=12 ok"),
        (Figure("fast", 11.99, 12), "fast 11.99x >=12 MISSED"),
        (Figure("small", 10.1, 10.1, unit="B", at_most=True), "small 10.1B <=10.1 ok"),
        (Figure("small", 10.11, 10.1, unit="B", at_most=True), "small 10.11B <=10.1 MISSED"),
        (Figure("told", 3.0), "told 3x - ok"),
        (Figure("gas", 60.04, 60, unit="gas", at_most=True), "gas 60.04 gas <=60 MISSED"),
    ],
)
def test_line__any_figure__says_name_value_limit_and_verdict(figure, line):
    assert figure.line() == line


def test_unexplained__misses__needs_a_reason_that_is_not_blank(tmp_path, monkeypatch):
    reasons = tmp_path / "missed.toml"
    reasons.write_text(
        '[known]\ndown_to = 1\nreason = "the node is slow"\n[blank]\ndown_to = 1\nreason = " "\n'
        '[worse]\ndown_to = 1.5\nreason = "not that slow"\n'
    )
    monkeypatch.setattr(figures, "REASONS", reasons)
    measured = [
        Figure("known", 1, 2),
        Figure("blank", 1, 2),
        Figure("none", 1, 2),
        Figure("worse", 1, 2),
        Figure("met", 3, 2),
    ]
    assert figures.unexplained(measured) == ["blank", "none", "worse"]


def test_reasons__as_checked_in__can_be_read():
    assert figures.unexplained([Figure("no such figure", 0, 1)]) == ["no such figure"]


def test_write_table_and_draw_ratios__some_figures__hold_each_name(tmp_path):
    measured = [Figure("fast", 20.0, 12, note="a : b"), Figure("told", 3.0)]
    figures.write_table(measured, tmp_path / "t.md", title="Title", preface="Preface")
    figures.draw_ratios(measured, tmp_path / "t.svg", title="Title")
    assert "| fast | 20 × | >=12 | ok | a : b |" in (tmp_path / "t.md").read_text()
    assert (tmp_path / "t.svg").read_text().startswith("<?xml")


def test_in_turn__two_contenders__runs_them_alternately_and_drops_the_first_round():
    now, calls = [0.0], []

    def spend(name, seconds):
        return lambda: (calls.append(name), now.__setitem__(0, now[0] + seconds))

    contenders = {"a": (spend("a", 4.0), 2.0), "b": timing.repeated(spend("b", 1.0), 2)}
    times = timing.in_turn(contenders, rounds=3, clock=lambda: now[0])
    assert calls == ["a", "b", "b"] * 4
    assert times.median_s("a") == 2.0 and times.median_s("b") == 1.0
    assert times.ratio("a", "b") == 2.0 and len(times.rounds["a"]) == 3
