"""Everything that could be wrong with this installation, each with its cure: what is asked, in which order.

Changes nothing and never raises. Ground first: what stands on a failed ground is not asked.
"""
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from devdigest import (
    backup_check,
    bounce_check,
    certificate_check,
    day_check,
    hardware_check,
    installation_check,
    looks,
    mail_check,
    network_check,
    records_check,
    sender_check,
    site_check,
)
from devdigest.config import Config
from devdigest.finding import IGNORED, NOT_ASKED, RED, WARN, Finding
from devdigest.looks import Look
from devdigest.machine import Machine
from devdigest.name_check import Name
from devdigest.name_server import NameServer

_SECONDS = 4            # for each answer of the relay, so that why it failed is known before time is up


def findings(config: Config, path: Path | None, now: datetime, password: str, names: NameServer,
             machine: Machine | None = None) -> Iterator[Finding]:
    """Every check, in the order of the ground they stand on, within 20 s; side by side where that helps.

    The database must have been opened. `machine`: for tests.
    """
    machine = machine or Machine()
    asked = [*_installation(config, path, now, machine), *_network(config, now, names, machine),
             *_mail(config, now, password, names, machine), *_day(config, now)]
    for finding in looks.findings(asked):
        known = finding.name in config.check.ignore and finding.state in (WARN, RED)
        yield replace(finding, state=IGNORED, cure="") if known else finding


def _one(name: str, ask: Callable[[], Finding], after: tuple[str, ...] = (), records: bool = False) -> Look:
    return Look((name,), lambda: (ask(),), after, records)


def _of_records(name: str, ask: Callable[[], Finding]) -> Look:
    return _one(name, ask, ("database",), records=True)


def _installation(config: Config, path: Path | None, now: datetime, machine: Machine) -> list[Look]:
    return [
        _one("config", lambda: installation_check.config(config, path, machine)),
        _one("release", lambda: installation_check.release(machine)),
        _one("services", lambda: installation_check.services(machine)),
        _one("disk", lambda: hardware_check.disk(config.folder)),
        _one("card", lambda: hardware_check.card(machine)),
        Look(("power",), lambda: hardware_check.power(machine)),
        _one("memory", lambda: hardware_check.memory(machine)),
        _one("journal", lambda: installation_check.journal(machine)),
        _one("updates", lambda: installation_check.updates(machine)),
        _one("database", lambda: records_check.database(Path(config.database.path)), records=True),
        _of_records("clock", lambda: records_check.clock_set(config, now)),
        _one("zone", lambda: installation_check.zone(config, machine)),
    ]


def _network(config: Config, now: datetime, names: NameServer, machine: Machine) -> list[Look]:
    network = network_check.Network(config, names, machine)
    return [
        _one("network", network.route),
        *(_public(config, host, now, network, Name(host, names, machine), machine)
          if (host := network_check.public_name(config)) else
          [_not_asked("no public name in [site] url: for the LAN alone", "address", "cgnat", "ddns", "name",
                      "certificate", "outside")]),
        _one("web", lambda: site_check.web(config), ("database",), records=True),
        _one("site", lambda: site_check.url(config)),
    ]


def _public(config: Config, host: str, now: datetime, network: network_check.Network, name: Name,
            machine: Machine) -> list[Look]:
    front = site_check.Front(config, host, machine)

    def doors() -> Iterator[Finding]:
        if front.tls:
            yield certificate_check.certificate(front.inside(name.ipv4), now, machine)
        else:
            yield Finding("certificate", NOT_ASKED, "[site] url is without https")
        yield front.outside(name.ipv4, network.router, now)
    return [
        _one("address", network.address, ("network",)),
        _one("cgnat", network.cgnat, ("network", "address")),
        _one("ddns", name.updater),
        _one("name", lambda: name.name(network.own), ("network", "address")),
        Look(("certificate", "outside"), doors, ("database", "name"), records=True),
    ]


def _not_asked(why: str, *names: str) -> Look:
    return Look(names, lambda: [Finding(name, NOT_ASKED, why) for name in names])


def _mail(config: Config, now: datetime, password: str, names: NameServer, machine: Machine) -> list[Look]:
    # the relay may be this machine, or in the LAN: no way out says nothing of it
    mail = replace(config.mail, timeout=min(config.mail.timeout, _SECONDS))
    records = [Look(("spf", "dkim", "dmarc", "mx"), lambda: sender_check.findings(config, names))]
    return [
        _of_records("sender", lambda: sender_check.sender(config)),
        _one("relay", lambda: mail_check.relay(mail, password)),
        *(records if sender_check.is_asked(config) else []),
        _of_records("bounces", lambda: bounce_check.bounces(config, machine)),
        _of_records("plan", lambda: records_check.carries(config, now)),
    ]


def _day(config: Config, now: datetime) -> list[Look]:
    return [
        _of_records("blogs", records_check.blogs),
        _of_records("collect", lambda: records_check.collected(config, now)),
        _of_records("backup", lambda: backup_check.finding(config, now)),
        Look(("issue", "mailing", "hold", "jobs", "heartbeat"), lambda: day_check.findings(config, now),
             ("database",), records=True),
    ]

