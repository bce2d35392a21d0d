"""A second loader, which takes nothing from the reference loader, is right by the requirements alone.

With one positive control, a requirement can describe that control and nobody notices. Here the whole
catalogue is asked of the plain one, on the stores that need no container engine.
"""

from __future__ import annotations

from pathlib import Path

from reports.catalogue import read_catalogue
from reports.model import Verdict
from reports.mutants import told
from suites.selftest.conformance_run import CONFORMANCE, ROOT, run

#: what a plain and slow loader leaves to others, and says so
LACKING = {
    f"{capability}: not implemented"
    for capability in ("recorded_names", "reuse", "concurrency", "start", "config", "bounded_wait")
}


def test_the_plain_loader_keeps_what_it_claims(tmp_path: Path) -> None:
    exit_code, report = run("plain", "disk,moto", tmp_path, CONFORMANCE, "-n", "auto")
    refused = [record for record in report.records if record.verdict is Verdict.UNSUPPORTED]
    others = [told(record) for record in report.records if record.verdict is not Verdict.PASS]
    assert len(others) == len(refused), "\n".join(others)
    assert {record.message for record in refused} == LACKING
    assert exit_code == report.footer.exit_code == 0
    assert report.footer.full
    areas = {requirement.area for requirement in read_catalogue(ROOT / "suites" / "requirements").values()}
    passed = {record.area for record in report.records if record.verdict is Verdict.PASS}
    assert passed == areas - {"START"}


def test_it_imports_neither_the_reference_loader_nor_the_streamer() -> None:
    for file in (ROOT / "fixtures" / "plain").glob("*.py"):
        text = file.read_text(encoding="utf-8")
        assert "fixtures.reference" not in text, file
        assert "runai_model_streamer" not in text, file
