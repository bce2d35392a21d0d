"""A second loader, which shares no line with the reference loader, is right by the requirements alone.

With one positive control, a requirement can describe that control and nobody notices. Here it is the quick
tier, which has checks of every area, and the files about indices, modules, metadata and hostile keys in
full: the rules that are the loader's own work, and that a plain one could get right in another way. The
whole catalogue takes it some minutes: `--subjects plain`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.model import Verdict
from reports.mutants import told
from suites.selftest.conformance_run import CONFORMANCE, run

#: areas of the quick tier, and those of the files
AREAS = {"CACHE", "HEADER", "LIST", "LOAD", "META", "RESOURCE", "SECURITY", "URI", "WEIGHT"}
FILES = ("test_indices.py", "test_modules.py", "test_metadata.py", "test_hostile_keys.py")
LACKING = {"recorded_names: not implemented", "start: not implemented"}


@pytest.mark.parametrize(
    ("arguments", "areas", "lacking"),
    [
        ((CONFORMANCE, "-m", "quick"), AREAS, LACKING),
        (tuple(f"{CONFORMANCE}/{file}" for file in FILES), {"LOAD", "META", "SECURITY"}, set()),
    ],
    ids=["quick", "files"],
)
def test_the_plain_loader_keeps_what_it_claims(
    arguments: tuple[str, ...], areas: set[str], lacking: set[str], tmp_path: Path
) -> None:
    exit_code, report = run("plain", "disk,moto", tmp_path, *arguments)
    passed = {record.area for record in report.records if record.verdict is Verdict.PASS}
    refused = [record for record in report.records if record.verdict is Verdict.UNSUPPORTED]
    others = [told(record) for record in report.records if record.verdict is not Verdict.PASS]
    assert len(others) == len(refused), "\n".join(others)
    assert passed == areas
    assert {record.message for record in refused} == lacking
    assert exit_code == report.footer.exit_code == 0
