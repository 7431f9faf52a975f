"""One policy for foreign Paillier keys: the default size, unless the agent is told another."""

import json

from offchain.crypto.paillier import DEFAULT_BITS


def test_run__given_key_of_another_size__seals_nothing_to_it(home):
    path = home.folder / "agent.json"
    settings = json.loads(path.read_text())
    del settings["paillier_bits"]
    path.write_text(json.dumps(settings))

    code, events, err = home.run()

    assert code == 2 and f"{DEFAULT_BITS}" in err and home.street.processor.address in err
    assert "sent" not in [event["event"] for event in events]
    assert home.anchored() == []
