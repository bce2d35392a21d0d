"""A subject that prints its secrets is red, and neither the report nor the terminal repeats them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHECK = "suites/conformance/test_listing.py"
SECRET = "planted0123456789abcdef"
#: seconds; a tenth is enough on two cores
DEADLINE = 120
SAID = " and ".join(
    (
        f"can't reach http://me:{SECRET}@store:9000/",
        f"403 for https://store/b/k?X-Amz-Signature={SECRET}&x=1",
        f"AWS_SECRET_ACCESS_KEY={SECRET}",
        f"a secret of the run's own environment: {SECRET}",
    )
)
ADAPTER = """
class Subject:
    name = "leaking"
    capabilities = {{"list": "full"}}

    def versions(self):
        return {{"leaking": "1.0"}}

    def list_weights(self, uri):
        {leak}
"""


@pytest.mark.parametrize(
    "way", ["raise RuntimeError({said!r})", "return [{said!r}]"], ids=["error", "answer"]
)
def test_neither_report_nor_terminal_repeats_it(tmp_path: Path, way: str) -> None:
    adapter = tmp_path / "leaking.py"
    adapter.write_text(ADAPTER.format(leak=way.format(said=SAID)))
    report = tmp_path / "report.jsonl"
    arguments = [
        "--subjects",
        str(adapter),
        "--stores",
        "disk",
        f"--report={report}",
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", CHECK, "-k", "weight_files or sorted", *arguments],
        cwd=ROOT,
        env={**os.environ, "LOADPROOF_TRIAL_SECRET": SECRET},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=DEADLINE,
    )
    lines = report.read_text()
    assert done.returncode == 1, done.stdout
    assert '"verdict": "FAIL"' in lines or '"verdict":"FAIL"' in lines, lines
    assert SECRET not in lines
    assert SECRET not in done.stdout
