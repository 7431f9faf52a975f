"""Run the main job: stages in order, results whatever happens, nothing left behind."""

from __future__ import annotations

import importlib.util
import io
import logging
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from offchain.chain.anvil import find_anvil
from offchain.chain.deployment import load_deployment
from offchain.chain.errors import NodeUnavailable
from offchain.chain.gateway import ChainGateway
from offchain.chain.outbox import TransactionOutbox
from offchain.demo import (
    aggregating,
    asking,
    closing,
    disputing,
    metering,
    notifying,
    owning,
    policies,
    pricing,
    refusing,
    setting_up,
    sharing,
    voting,
)
from offchain.demo.checks import Findings
from offchain.demo.development import open_anvil
from offchain.demo.gas import gas_by_step
from offchain.demo.ground import GroundOpener
from offchain.demo.households import SOURCE, Home, load_homes, load_tariff
from offchain.demo.interrupts import stop_on_signals
from offchain.demo.options import DemoInputError, DemoOptions
from offchain.demo.outputs import check_outputs
from offchain.demo.report import RunReport, print_summary, write_json, write_page
from offchain.demo.setting_up import ROOT
from offchain.demo.world import World
from offchain.errors import ChainError, DmsmError, MeterCsvError

DATA_DIR = ROOT / ".cache" / "data" / "citylearn_challenge_2022_phase_all"
OK, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
_PROGRESS_EVERY_S = 3.0


def main(options: DemoOptions, *, open_ground: GroundOpener = open_anvil) -> int:
    """Run the demo for the command line and return its exit code: 0, 1, 2, or 130 for Ctrl-C.

    `open_ground` opens the chain that it runs on, when everything else is found to be there.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal may not know every letter
    console = Console(soft_wrap=False, emoji=False)
    try:
        with stop_on_signals():
            return _main(options, open_ground, console)
    except KeyboardInterrupt:  # before anything began, or while results were written
        return INTERRUPTED


def _main(options: DemoOptions, open_ground: GroundOpener, console: Console) -> int:
    try:
        _check_set_up()
        homes = load_homes(options, DATA_DIR)
        tariff = load_tariff(DATA_DIR)
        check_outputs(options)
    except (DemoInputError, MeterCsvError, NodeUnavailable) as error:
        prefix = "" if isinstance(error, MeterCsvError) else "dmsm demo: "
        print(f"{prefix}{error}".replace("\n", "\\n"), file=sys.stderr)
        return BAD_INPUT
    source = SOURCE if options.readings is None else f"meter files of {options.readings}"
    report = RunReport(findings=Findings(), source=source, homes=homes)
    code = OK
    try:
        with ExitStack() as stack:
            _run(options, open_ground, homes, tariff, report, console, stack)
    except KeyboardInterrupt:
        console.print("interrupted: everything that was started has been stopped")
        code = INTERRUPTED
    except Exception as error:  # noqa: BLE001 - whatever happened belongs into the report
        _explain(error, report, console)
    is_written = _write_results(options, report, console)
    return code or (OK if report.findings.is_ok and is_written else FAILED)


def _run(
    options: DemoOptions,
    open_ground: GroundOpener,
    homes: list[Home],
    tariff: bytes,
    report: RunReport,
    console: Console,
    stack: ExitStack,
) -> None:
    say, progress = _speaker(console)
    findings = report.findings
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dmsm-demo-")))
    rng = random.Random(options.seed)
    with findings.stage("deploy and admit"):
        ground = stack.enter_context(open_ground(folder, say))
        report.ground = ground.title
        gateway = ChainGateway(
            ground.rpc_urls,
            load_deployment(ground.deployment_file),
            account=ground.owner,
            outbox=TransactionOutbox(folder / "consortium.sqlite"),
            gas_price_wei=ground.gas_price_wei,
        )
        world = World(
            options=options,
            folder=folder,
            tariff=tariff,
            ground=ground,
            gateway=gateway,
            report=report,
            random=rng,
            say=say,
            progress=progress,
        )
        setting_up.found_consortium(world, stack)
        setting_up.set_terms(world)
        voting.refuse_a_stale_decision(world)
        by_home = [policies.policy_of(home) for home in homes]
        say("making keys of full size and admitting every member")
        setting_up.admit_members(world, homes, by_home, stack)
        pricing.say_prices(world)
        trials = world.homes[0].agent_config.parent / metering.TRIALS_FILE
        policies.write_trials(homes, by_home, trials, rng)
    try:
        _run_stages(world)
    except Exception:
        _read_gas(world)
        raise


def _run_stages(world: World) -> None:
    findings, say = world.findings, world.say
    with findings.stage("meter and anchor"):
        say(f"{len(world.homes)} device agents replay their readings")
        metering.replay_readings(world)
    with findings.stage("notify"):
        say("owners read their notifications")
        notifying.read_notifications(world)
    with findings.stage("request, answer, audit"):
        say("users prepay bills and advice")
        asking.ask_for_bills(world)
    with findings.stage("refuse and refund"):
        say("requests that must fail; one declined, one missed")
        refusing.try_bad_requests(world)
        refusing.ask_in_vain(world)
    with findings.stage("publish and share"):
        sharing.publish_data_sets(world)
        sharing.recover_and_audit(world, sharing.buy_data(world))
    with findings.stage("withdraw and pay owners"):
        owning.withdraw_from_sale(world)
        owning.pay_owners(world)
    with findings.stage("demand and dispute"):
        say("a node answers garbage, another one withholds; users demand and dispute, judges vote")
        disputing.set_dispute_terms(world)
        disputing.answer_garbage(world)
        disputing.withhold_answers(world)
    if aggregating.is_possible(world):
        with findings.stage("add under encryption"):
            say("a region's day is added under encryption and opened by a threshold of nodes")
            aggregating.show_neighbourhood(world)
    with findings.stage("account for the money"):
        closing.close_accounts(world)


def _read_gas(world: World) -> None:
    """Report the gas of what was done before a failure, if the chain still answers."""
    try:
        world.report.gas = gas_by_step(world.gateway)
    except ChainError as error:
        world.say(f"the gas so far cannot be read: {error}")


def _check_set_up() -> None:
    missing = [
        what
        for what, is_there in (
            ("Brownie", importlib.util.find_spec("brownie") is not None),
            ("the deployment script", (ROOT / "scripts" / "run_deploy.py").is_file()),
            ("solc", any((ROOT / ".cache" / "solcx").glob("solc-v*"))),
            ("the household data", (DATA_DIR / "pricing.csv").is_file()),
        )
        if not is_there
    ]
    if missing:
        raise DemoInputError(f"{', '.join(missing)} missing: run `make setup` in the checkout")
    find_anvil()


def _speaker(console: Console) -> tuple[Callable[[str], None], Callable[[str], None]]:
    begun = time.monotonic()
    last = [begun]

    def say(text: str) -> None:
        last[0] = time.monotonic()
        console.print(f"[dim]{last[0] - begun:6.1f} s[/]  {escape(text)}", highlight=False)

    def progress(text: str) -> None:
        if time.monotonic() - last[0] >= _PROGRESS_EVERY_S:
            say(text)

    return say, progress


def _explain(error: Exception, report: RunReport, console: Console) -> None:
    stage = report.findings.stages[-1].name if report.findings.stages else "start"
    said = escape(str(error))
    console.print(f"[red]the stage “{stage}” ended early:[/] {said}", highlight=False)
    if not isinstance(error, DmsmError):
        console.print("".join(traceback.format_exception(error)), markup=False, highlight=False)
    logging.getLogger(__name__).debug("the run failed", exc_info=error)


def _write_results(options: DemoOptions, report: RunReport, console: Console) -> bool:
    """Write and print what was found; say so and return False when that is not possible."""
    try:
        if options.json_file is not None:
            write_json(report, options.json_file)
        print_summary(report, console)
        page = write_page(report, options.report_dir)
    except OSError as error:
        print(f"dmsm demo: the report cannot be written: {error}", file=sys.stderr)
        return False
    console.print(f"report: {escape(str(page))}", highlight=False, soft_wrap=True)
    return True
