"""What ran: the lines above a rendered report that make it comparable with another."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from reports.matrix import Order
from reports.model import Footer
from reports.outcome import counted
from reports.reader import Report


def facts(report: Report) -> list[tuple[str, str]]:
    """Title and text: subjects and stores with versions, tier, seed, time, machine, arguments."""
    header, footer = report.header, report.footer
    machine = header.machine
    size = f"{machine.get('cpus')} CPUs, {machine.get('memory_gib')} GiB"
    found = [
        *(("subject", _versions(name, footer.subjects.get(name, {}))) for name in header.subjects),
        *(("store", f"{name}: {footer.stores.get(name, 'did not run')}") for name in header.stores),
        ("tier", tier(report)),
        ("seed", str(header.seed)),
        ("began", header.started),
        ("took", f"{footer.seconds:.1f} s"),
        ("oracle", "; ".join(oracle(footer))),
        ("machine", f"{size}, {machine.get('platform')}"),
        ("versions", ", ".join(f"{name} {version}" for name, version in header.versions.items())),
    ]
    if arguments := header.configuration.get("arguments"):
        found.append(("arguments", shlex.join(map(str, arguments))))
    return [(title, text) for title, text in found if text]


def oracle(footer: Footer) -> list[str]:
    """How many checkpoints rest on a second reading besides the suite's own; no line where none was made."""
    known = [f"safetensors reads {counted(footer.proven, 'checkpoint')} as expected"] * bool(footer.proven)
    return known + [
        f"{counted(number, 'checkpoint')} unproven: {why}" for why, number in footer.unreadable.items()
    ]


def tier(report: Report) -> str:
    """Such as "main, all checks" or "main, 12 of the tier's checks only"."""
    name = report.header.configuration.get("tier", "unknown")
    whole = "all of its checks" if report.footer.full else f"narrowed to {len(report.records)} checks"
    return f"{name}, {whole}"


def is_long(report: Report) -> bool:
    """Whether the long tier was run: its checks need the same option to run again."""
    return report.header.configuration.get("tier") == "long"


def order_of(report: Report) -> Order:
    """Subjects and stores as they were asked for."""
    return Order(report.header.subjects, report.header.stores)


def _versions(name: str, versions: Mapping[str, str]) -> str:
    parts = ", ".join(f"{part} {version}" for part, version in versions.items())
    return f"{name}: {parts or 'never said its version'}"
