"""All that is followed: the tables' rules, contract by contract."""

from offchain.index.projection import Rules
from offchain.index.projections.catalogue import CATALOGUE
from offchain.index.projections.consents import CONSENTS
from offchain.index.projections.consortium import CONSORTIUM
from offchain.index.projections.court import COURT
from offchain.index.projections.credit import CREDIT
from offchain.index.projections.data_sets import BOOK as DATA_SETS
from offchain.index.projections.ledger import LEDGER
from offchain.index.projections.locks import LOCK
from offchain.index.projections.market import MARKET
from offchain.index.projections.notifications import BOARD
from offchain.index.projections.registry import REGISTRY
from offchain.index.projections.tariffs import TARIFFS

RULES = Rules(
    [
        REGISTRY,
        CONSENTS,
        LEDGER,
        DATA_SETS,
        CATALOGUE,
        CREDIT,
        LOCK,
        MARKET,
        COURT,
        CONSORTIUM,
        BOARD,
        TARIFFS,
    ]
)
