"""The running node: HTTP intake and chain worker in one process, until it is told to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

import structlog

from offchain.audit.aggregates import AggregateBook
from offchain.billing.book import tariff_span
from offchain.chain.facts import Receipt
from offchain.cli.loop_log import LoopLog
from offchain.cli.node_orders import Facts, carry_out_orders, refuse_interrupted
from offchain.cli.output import hex_id, receipt_facts
from offchain.cli.session import Session, health_gate
from offchain.cli.store_upkeep import store_upkeep
from offchain.errors import DmsmError
from offchain.index.follower import News
from offchain.node.aggregate_intake import add_aggregates
from offchain.node.aggregate_store import AggregateStore
from offchain.node.node import ProcessingNode
from offchain.node.outcome import NodeTerms
from offchain.node.serve import serve
from offchain.node.store import NodeStore
from offchain.node.tariffs import TariffPublisher
from offchain.types import SECONDS_PER_DAY, utc

# What they say is a node's business at once.
_HEEDED = frozenset({"PrepaidLock", "DataMarket", "ConsentBook"})
_LASTING = ("skipped", "failed")


class RunningNode:
    """A processing node at work in this process."""

    def __init__(self, session: Session, readings: NodeStore) -> None:
        """Put its parts together; nothing runs yet."""
        settings, profile = session.profile.require_node(), session.profile
        terms = NodeTerms(
            data_set_price_wei=settings.data_set_price_wei,
            margin_s=settings.margin_s,
            bond_wei=settings.bond_wei,
            bond_limit_wei=settings.bond_limit_wei,
            sale_days=settings.sale_days,
            republish=settings.republish,
        )
        self._session, self._settings = session, settings
        node = ProcessingNode(
            gateway=session.gateway,
            index=session.index,
            store=session.store,
            keys=session.keys,
            readings=readings,
            directory=session.directory,
            terms=terms,
            health=health_gate(profile, session.gateway),
        )
        self._worker, self._publisher, self._intake = node.worker, node.publisher, node.intake()
        self._tariffs = TariffPublisher(session.gateway, session.index, session.store)
        self._log = structlog.get_logger("offchain.cli.node")
        self._loop = LoopLog(self._log, lasting=_LASTING)

    def serve_aggregates(self, held: AggregateStore) -> None:
        """Serve the aggregate sets that were announced, too."""
        session = self._session
        book = AggregateBook(session.gateway, session.index, session.store, session.directory)
        add_aggregates(self._intake, held=held, book=book, content=session.store)

    def run(self, stop: threading.Event) -> None:
        """Serve devices and the chain until `stop` is set; what has begun is ended first."""
        settings = self._settings
        upkeep = store_upkeep(self._session.profile, stop)
        with serve(self._intake, host=settings.host, port=settings.port) as server, upkeep:
            self._log.info("started", account=self._session.keys.address, url=server.url)
            self._loop.attempt("interrupted orders", self._refuse_interrupted)
            with self._followed(stop) as news:
                while not stop.is_set():
                    news.clear()  # what comes from here on is for the next poll
                    self._poll()
                    server.require_running()
                    _wait(news, stop, settings.poll_s)
        self._log.info("stopped")

    @contextmanager
    def _followed(self, stop: threading.Event) -> Iterator[threading.Event]:
        """Follow the chain meanwhile; what is yielded is set when there is something to look at."""
        news, follower = threading.Event(), self._session.index.follower

        def told(one: News) -> None:
            if (one.new | one.final) & _HEEDED:
                news.set()

        follower.listen(told)
        following = threading.Thread(target=follower.follow, args=(stop,), name="follow-chain")
        following.start()
        try:
            yield news
        finally:
            stop.set()
            following.join()

    def look(self, window_from: int, window_to: int) -> Facts:
        """Say what `publish` would sell, and whether it is all that the window could hold."""
        found = self._publisher.look(window_from, window_to)
        if found is None:
            return {"published_before": True}
        return {
            "homes": found.homes,
            "devices": found.devices,
            "rows": found.rows,
            "days": len(found.days),
            "days_without_data": [utc(day * SECONDS_PER_DAY)[:10] for day in found.empty_days],
            "device_days_with_data": found.device_days,
            "device_days": found.devices * len(found.days),
            "left_out": [asdict(one) for one in found.left_out],
            "price_wei": self._settings.data_set_price_wei,
            "is_whole": found.is_whole,
        }

    def publish(self, window_from: int, window_to: int) -> Facts:
        """Publish a data set, or find the one that was published before."""
        found = self._publisher.publish(window_from, window_to)
        return {
            "data_set": hex_id(found.data_set_id),
            "from_at": found.window_from,
            "to_at": found.window_to,
            "rows": found.row_count,
            "meters": found.device_count,
            "sale_until_at": found.sale_until,
            "price_wei": self._settings.data_set_price_wei,
            "manifest": hex_id(found.manifest_digest),
            "final": self._publisher.is_final(found.data_set_id),
        }

    def retire(self, data_set_id: bytes) -> Facts:
        """End the sale of a data set."""
        receipt = self._worker.retiring.retire_anyway(data_set_id)
        is_final = self._session.gateway.is_final(receipt)
        return {"retired": hex_id(data_set_id)} | receipt_facts(receipt) | {"final": is_final}

    def withdraw(self) -> Facts:
        """Withdraw what the node earned."""
        receipt = self._worker.withdraw()
        if receipt is None:
            return {"withdrawn_wei": 0}
        wei = receipt.event("Withdrawn").args["amountWei"]
        is_final = self._session.gateway.is_final(receipt)  # not waited for: claims come first
        return {"withdrawn_wei": wei} | receipt_facts(receipt) | {"final": is_final}

    def change_bond(self, by_wei: int) -> Facts:
        """Add to the bond from the account, or free some of it (negative) for `withdraw`."""
        keeper = self._worker.bond
        receipt = keeper.add(by_wei) if by_wei > 0 else keeper.take(-by_wei)
        bond = keeper.state()
        facts: Facts = {"bond_free_wei": bond.free_wei, "bond_held_wei": bond.held_wei}
        return facts | receipt_facts(receipt)

    def publish_tariff(self, order: Facts) -> Facts:
        """Put a tariff into the content store and the chain's book."""
        series = [one.encode() for one in order["series"]]
        data = order["document"].encode()
        tariff, receipt = self._tariffs.publish_tariff(data, order["product"], series)
        begins_at, ends_at = tariff_span(tariff)
        return {
            "tariff": tariff.name,
            "product": order["product"],
            "digest": tariff.digest,
            "valid_from_at": begins_at,
            "valid_to_at": ends_at or None,
        } | self._said(receipt)

    def publish_series(self, order: Facts) -> Facts:
        """Put a price series into the content store and the chain's book."""
        series, receipt = self._tariffs.publish_series(order["document"].encode(), order["name"])
        return {
            "series": series.name,
            "digest": series.digest,
            "from_at": series.start,
            "to_at": series.end,
        } | self._said(receipt)

    def _said(self, receipt: Receipt | None) -> Facts:
        if receipt is None:
            return {"note": "the book has it already; its document is in the content store again"}
        return receipt_facts(receipt) | {"final": self._session.gateway.is_final(receipt)}

    def carry_out(self, order: Facts) -> Facts:
        """Do what another process of the node's operator asks."""
        if order.get("do") == "look":
            return self.look(order["from"], order["to"])
        if order.get("do") == "publish":
            return self.publish(order["from"], order["to"])
        if order.get("do") == "retire":
            return self.retire(bytes.fromhex(order["data_set"]))
        if order.get("do") == "withdraw":
            return self.withdraw()
        if order.get("do") in ("add bond", "take bond"):
            return self.change_bond(order["wei"] if order["do"] == "add bond" else -order["wei"])
        if order.get("do") == "publish tariff":
            return self.publish_tariff(order)
        if order.get("do") == "publish series":
            return self.publish_series(order)
        raise DmsmError(f"this node knows no order {order.get('do')!r}")

    def _poll(self) -> None:
        """Do one poll. No failure of it ends the service: the next one tries again."""
        outcomes = self._loop.attempt("poll", self._worker.run_once)
        if outcomes is not None:
            self._loop.say(outcomes)
        self._loop.attempt("orders", self._carry_out_orders)

    def _carry_out_orders(self) -> None:
        carry_out_orders(self._session.profile.data, self.carry_out)

    def _refuse_interrupted(self) -> None:
        refuse_interrupted(self._session.profile.data)


def _wait(news: threading.Event, stop: threading.Event, timeout_s: float) -> None:
    """Return when there are news, after a time, or when told to stop."""
    give_up_at = time.monotonic() + timeout_s
    while not stop.is_set() and (left_s := give_up_at - time.monotonic()) > 0:
        if news.wait(min(0.2, left_s)):
            return
