"""The measurement of the node's sender beside web3.py's default way: `make bench-net` judges it."""

from bench.sending import measure_sending


def test_measure_sending__on_anvil__measures_both_ways_to_the_last_receipt(anvil) -> None:
    rates = measure_sending(anvil.url, anvil.keys[5], transactions=60, rounds=2)

    assert rates.sender_per_s > 0 < rates.web3_per_s
    assert (rates.transactions, rates.rounds) == (60, 2)
    names = [figure.name for figure in rates.figures("anvil")]
    assert names == ["sender-vs-web3-anvil", "sender-anvil", "web3-default-anvil"]
