"""The node's sender against web3.py's default way, interleaved (figures: at least 5 times)."""

from bench.sending import LIMIT, measure_sending


def test_measure_sending__on_anvil__is_at_least_five_times_web3s_default(anvil) -> None:
    rates = measure_sending(anvil.url, anvil.keys[5], transactions=60, rounds=2)

    assert rates.ratio >= LIMIT, rates
    assert all(figure.is_met for figure in rates.figures("anvil"))
