"""Profiles: what is read, relative to what, and how each mistake is named."""

from pathlib import Path

import pytest

from offchain.node.outcome import DEFAULT_BOND_LIMIT_WEI, DEFAULT_BOND_WEI, LONGEST_SALE_DAYS
from offchain.settings import SettingsError, load_profile

ACCOUNT = "0x" + "ab" * 20
BASE = """
rpc_url = "http://127.0.0.1:8545"
deployment = "deployment.json"
store = "dir:store"
keys = "keys"
password_file = "/secret/password"
data = "data"
"""
WITHOUT_STORE = BASE.replace('store = "dir:store"\n', "")
NODE = '[node]\nlisten = "127.0.0.1:8650"\ndata_set_price_wei = 5\n'
NODE_WITH_TARIFF = BASE + NODE + 'tariff = "tariff.json"\n'


def write(folder: Path, text: str) -> Path:
    path = folder / "dmsm.toml"
    path.write_text(text)
    return path


def test_load_profile__relative_paths__are_relative_to_the_file(tmp_path: Path) -> None:
    profile = load_profile(write(tmp_path, BASE))
    assert profile.deployment == tmp_path / "deployment.json"
    assert profile.keys == tmp_path / "keys"
    assert profile.password_file == Path("/secret/password")
    assert profile.store_urls == (f"dir:{tmp_path / 'store'}",)


def test_load_profile__nothing_optional_given__takes_the_defaults(tmp_path: Path) -> None:
    profile = load_profile(write(tmp_path, BASE))
    assert profile.rpc_urls == ("http://127.0.0.1:8545",)
    assert (profile.gas_price_wei, profile.confirmations, profile.node) == (None, 0, None)
    assert (profile.node_url, profile.inbox, dict(profile.peers)) == (None, None, {})


def test_load_profile__pairings_local__are_not_asked_of_the_chain(tmp_path: Path) -> None:
    assert not load_profile(write(tmp_path, BASE)).local_pairings
    assert not load_profile(write(tmp_path, BASE + 'pairings = "chain"\n')).local_pairings
    assert load_profile(write(tmp_path, BASE + 'pairings = "local"\n')).local_pairings


def test_load_profile__everything_given__is_read(tmp_path: Path) -> None:
    several = BASE.replace(
        '"http://127.0.0.1:8545"', '["http://10.0.0.1:8545", "http://10.0.0.2:8545"]'
    )
    text = (
        several
        + 'node_url = "http://127.0.0.1:8650"\ngas_price_wei = 0\nconfirmations = 3\n'
        + "stuck_after_s = 7\nstuck_after_blocks = 0\n"
        + NODE
        + "[judge]\npoll_s = 5\n"
        + f'[inbox]\nlisten = "127.0.0.1:8701"\n[peers]\n{ACCOUNT} = "http://127.0.0.1:8702"\n'
    )
    profile = load_profile(write(tmp_path, text))
    assert len(profile.rpc_urls) == 2
    assert (profile.stuck_after_s, profile.stuck_after_blocks) == (7, 0)
    assert (profile.gas_price_wei, profile.confirmations) == (0, 3)
    node = profile.require_node()
    assert (node.port, node.margin_s) == (8650, 30)
    assert (node.bond_wei, node.bond_limit_wei) == (DEFAULT_BOND_WEI, DEFAULT_BOND_LIMIT_WEI)
    assert (node.sale_days, node.republish) == (LONGEST_SALE_DAYS, False)
    assert profile.judge.poll_s == 5
    assert profile.require_inbox() == ("127.0.0.1", 8701)
    assert [account.lower() for account in profile.peers] == [ACCOUNT]


def test_load_profile__lines_for_new_blocks__stand_beside_an_address(tmp_path):
    urls = '["ws://127.0.0.1:8546", "node/geth.ipc", "http://127.0.0.1:8545"]'
    profile = load_profile(write(tmp_path, BASE.replace('"http://127.0.0.1:8545"', urls)))
    assert profile.rpc_urls == (
        "ws://127.0.0.1:8546",
        str(tmp_path / "node/geth.ipc"),
        "http://127.0.0.1:8545",
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BASE.replace("http://127", "ws://127"), "rpc_url must name an address like http"),
        (BASE + "colour = 1\n", "colour is no setting"),
        (BASE + NODE + "colour = 1\n", "node.colour is no setting"),
        (BASE + NODE + "bond_wei = -1\n", "node.bond_wei must be a whole number of at least 0"),
        (BASE + NODE + f"bond_wei = {10**18}\n", "node.bond_limit_wei is less than bond_wei"),
        (BASE + NODE + "sale_days = 0\n", "node.sale_days must be a whole number of at least 1"),
        (BASE + NODE + "sale_days = 31\n", "node.sale_days is more than the 30 that the chain"),
        (BASE + NODE + "republish = 1\n", "node.republish must be true or false"),
        (BASE.replace('keys = "keys"\n', ""), "keys is missing"),
        (BASE.replace('"keys"', "7"), "keys must be text"),
        (BASE.replace('"keys"', '""'), "keys is empty"),
        (BASE.replace("http://127", "ftp://127"), "rpc_url must be an address"),
        (BASE.replace('"http://127.0.0.1:8545"', "[]"), "rpc_url must be an address or a list"),
        (BASE.replace('"dir:store"', '"store"'), "store must be an address"),
        (BASE + "confirmations = -1\n", "confirmations must be a whole number"),
        (BASE + 'finality = "hope"\n', "finality must be one of clique, qbft, dev"),
        (BASE + 'finality = "clique"\n', "signers is missing"),
        (BASE + 'finality = "clique"\nsigners = 0\n', "signers must be a whole number"),
        (BASE + "heartbeat_s = 0\n", "heartbeat_s must be a whole number"),
        (BASE + "lag_blocks = 0\n", "lag_blocks must be a whole number"),
        (BASE + "stuck_after_s = 0\n", "stuck_after_s must be a whole number"),
        (BASE + 'pairings = "both"\n', "pairings must be one of chain, local"),
        (BASE + "gas_price_wei = true\n", "gas_price_wei must be a whole number"),
        (BASE + '[inbox]\nlisten = "8701"\n', 'inbox.listen must be "HOST:PORT"'),
        (BASE + '[peers]\nbob = "http://127.0.0.1:1"\n', "peers.bob is no account"),
        (BASE + "[node\n", "cannot be read"),
        (BASE + '[judge]\ntariffs = ["a"]\n', "judge.tariffs is no setting"),
        (NODE_WITH_TARIFF, "node.tariff is no setting"),
        (BASE + "[database]\n", "database.url is missing"),
        (BASE + '[database]\nurl = "mysql://a@b/c"\n', "database.url must be like postgresql"),
        (BASE + '[database]\nurl = "postgresql://b/c"\n', "database.url must be like postgresql"),
        (BASE + '[database]\nurl = "postgresql://a@[b/c"\n', "database.url must be like"),
        (BASE + '[database]\nurl = "postgresql://a:b@c/d"\n', "database.url holds a password"),
        (BASE + '[database]\nurl = "postgresql://a@c/d"\nport = 1\n', "database.port is no"),
    ],
)
def test_load_profile__a_mistake__names_key_and_file(tmp_path: Path, text: str, said: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        load_profile(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


def test_place_of__without_a_database__is_a_file_of_the_data_folder(tmp_path: Path) -> None:
    assert load_profile(write(tmp_path, BASE)).place_of("node") == tmp_path / "data/node.sqlite"


def test_place_of__database_named__is_its_url_with_the_password_of_the_file(tmp_path: Path) -> None:
    text = BASE + '[database]\nurl = "postgresql+psycopg://dmsm@db:5432/home"\n'
    assert load_profile(write(tmp_path, text)).place_of("node") == (
        "postgresql+psycopg://dmsm@db:5432/home"
    )
    profile = load_profile(write(tmp_path, text + 'password_file = "database-password"\n'))
    with pytest.raises(SettingsError, match="database-password cannot be read"):
        profile.place_of("node")
    (tmp_path / "database-password").write_text("p@ss/word\n")
    assert profile.place_of("node") == "postgresql+psycopg://dmsm:p%40ss%2Fword@db:5432/home"
    assert "p@ss" not in repr(profile) and "p%40ss" not in repr(profile)


def test_require_confirmations__on_a_real_chain_without_depth__says_why(tmp_path: Path) -> None:
    for text in (BASE, BASE + "confirmations = 0\n", BASE + 'finality = "dev"\n'):
        profile = load_profile(write(tmp_path, text))
        with pytest.raises(SettingsError, match=r"what is final must be named.*chain 1984.*reorg"):
            profile.require_confirmations(1984)


def test_require_confirmations__on_a_development_chain_or_with_depth__is_content(
    tmp_path: Path,
) -> None:
    plain = load_profile(write(tmp_path, BASE))
    for development in (31337, 1337):
        plain.require_confirmations(development)
    load_profile(write(tmp_path, BASE + "confirmations = 1\n")).require_confirmations(1984)


@pytest.mark.parametrize(
    ("text", "depth"),
    [
        ("", 0),
        ('finality = "dev"\n', 0),
        ('finality = "dev"\nconfirmations = 2\n', 2),
        ('finality = "qbft"\n', 1),
        *((f'finality = "clique"\nsigners = {n}\n', n // 2 + 1) for n in (1, 2, 3, 4, 5)),
        ('finality = "clique"\nsigners = 5\nconfirmations = 9\n', 9),  # a number is a number
    ],
)
def test_load_profile__finality__has_the_meaning_of_its_engine(
    tmp_path: Path, text: str, depth: int
) -> None:
    assert load_profile(write(tmp_path, BASE + text)).confirmations == depth


NETWORK = (
    'engine = "{engine}"\nchain_id = 1984\nrpc_url = "http://127.0.0.1:1"\nsigners = 7\n'
    'deployment = "d.json"\ngas_price_wei = 1\nowner_key_file = "k"\nheartbeat_s = 2\n'
)


@pytest.mark.parametrize(
    ("engine", "own", "depth"),
    [
        ("clique", "", 4),
        ("besu", "", 1),
        ("clique", 'finality = "clique"\n', 4),
        ("clique", 'finality = "clique"\nsigners = 3\n', 2),
        ("clique", 'finality = "qbft"\n', 1),
        ("clique", "confirmations = 8\n", 8),
    ],
)
def test_load_profile__network_names_the_engine__finality_follows_unless_named(
    tmp_path: Path, engine: str, own: str, depth: int
) -> None:
    (tmp_path / "network.toml").write_text(NETWORK.format(engine=engine))
    profile = load_profile(write(tmp_path, 'network = "network.toml"\n' + BASE + own))
    assert (profile.confirmations, profile.heartbeat_s, profile.lag_blocks) == (depth, 2, 8)


def test_load_profile__no_such_file__says_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--profile"):
        load_profile(tmp_path / "nothing.toml")


@pytest.mark.parametrize("part", ["require_node", "require_inbox", "require_node_url"])
def test_require__part_not_in_the_profile__names_it(tmp_path: Path, part: str) -> None:
    with pytest.raises(SettingsError, match="is missing"):
        getattr(load_profile(write(tmp_path, BASE)), part)()


def test_load_profile__several_stores__are_all_named(tmp_path: Path) -> None:
    more = (
        'store = ["http://127.0.0.1:5001", "dir:second"]\nstore_copies = 2\nstore_keep_days = 9\n'
    )
    profile = load_profile(write(tmp_path, WITHOUT_STORE + more))
    assert profile.store_urls == ("http://127.0.0.1:5001", f"dir:{tmp_path / 'second'}")
    assert (profile.store_copies, profile.store_keep_days) == (2, 9)
    assert profile.content_folder == tmp_path / "data" / "content"


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ('store = ["dir:a", "dir:a"]', "names a store twice"),
        ("store = []", "must be an address or a list"),
        ('store = [""]', "must be an address or a list"),
        ('store = "dir:a"\nstore_copies = 2', "is 2, and 1 are named"),
        ('store = "dir:a"\nstore_copies = 0', "at least 1"),
        ('store = "dir:a"\nstore_keep_days = 0', "at least 1"),
    ],
)
def test_load_profile__stores_that_make_no_sense__are_refused(
    tmp_path: Path, more: str, why: str
) -> None:
    with pytest.raises(SettingsError, match=why):
        load_profile(write(tmp_path, WITHOUT_STORE + more))
