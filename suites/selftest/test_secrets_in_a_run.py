"""A subject that says its secrets in every way is red, and no output of any command repeats them."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd
import pytest

from reports.model import Verdict
from reports.reader import read_report
from reports.redaction import HIDDEN
from suites.selftest.made_report import write
from tooling import smoke
from tooling.__main__ import main
from tooling.finding import Finding, State

ROOT = Path(__file__).parents[2]
#: seconds; a tenth is enough on two cores
DEADLINE = 240
#: where it stands -> the secret; each is another, so that a leak names its way
SECRETS = {
    "key id": "AKIA" + "PLANTEDKEYID0123",
    "password": "plantedPassword0123456789",
    "signature of S3": "plantedSignatureOfS30123456789",
    "credential of S3": "plantedCredentialOfS30123456789",
    "token of S3": "plantedTokenOfS30123456789",
    "signature of GCS": "plantedSignatureOfGCS0123456789",
    "signature of Azure": "plantedSignatureOfAzure0123456789",
    "account key": "plantedAccountKey0123456789==",
    "bearer token": "plantedBearerToken0123456789",
    "assignment": "plantedAssignment0123456789",
    "private key": "plantedPrivateKey0123456789",
    "hugging face": "hf_plantedHuggingFace0123456789",
    "environment": "plantedEnvironment0123456789",
    "session token": "plantedSessionToken0123456789",
    "proxy": "plantedProxy0123456789",
    "prefixed token": "plantedPrefixedToken0123456789",
    "token in JSON": "plantedJsonToken0123456789",
    "token in a literal": "plantedLiteralToken0123456789",
    "prefixed password": "plantedDbPassword0123456789",
    "prefixed secret key": "plantedMinioSecretKey0123456789",
    "prefixed access key": "plantedS3AccessKey0123456789",
    "prefixed API key": "plantedApiKey0123456789",
    "dotted name": "plantedDottedName0123456789",
    "token scheme": "plantedTokenScheme0123456789",
    "HMAC id": "GOOG1E" + "PLANTEDHMACID" + "ABCDEFGH" * 5,
    "token of Google": "ya29." + "plantedGoogle-Token_0123456789",
}
SAID = " and\n".join(
    (
        f"denied for {SECRETS['key id']}",
        f"can't reach http://me:{SECRETS['password']}@store:9000/",
        f"403 for https://store/b/k?X-Amz-Signature={SECRETS['signature of S3']}&x=1"
        f"&X-Amz-Credential={SECRETS['credential of S3']}&X-Amz-Security-Token={SECRETS['token of S3']}",
        f"403 for https://storage/b/k?X-Goog-Signature={SECRETS['signature of GCS']}",
        f"403 for https://acc.blob/c/k?sv=2024&sig={SECRETS['signature of Azure']}",
        f"AccountName=me;AccountKey={SECRETS['account key']}",
        f"Authorization: Bearer {SECRETS['bearer token']}",
        f"AWS_SECRET_ACCESS_KEY={SECRETS['assignment']}",
        SECRETS["hugging face"],
        f"hf_token={SECRETS['prefixed token']}",
        f'"token": "{SECRETS["token in JSON"]}"',
        f"{{'token': '{SECRETS['token in a literal']}'}}",
        f"db_password={SECRETS['prefixed password']}",
        f"minio_secret_key='{SECRETS['prefixed secret key']}'",
        f"s3_secret_access_key: {SECRETS['prefixed access key']}",
        f"my_api_key={SECRETS['prefixed API key']}",
        f"fs.s3a.secret.key={SECRETS['dotted name']}",
        f"Authorization: token {SECRETS['token scheme']}",
        f"denied for {SECRETS['HMAC id']}",
        f"sent {SECRETS['token of Google']}",
        f"what the run's own environment holds: {SECRETS['environment']}",
        f"-----BEGIN PRIVATE KEY-----\n{SECRETS['private key']}\n-----END PRIVATE KEY-----",
    )
)
ENVIRONMENT = {
    "AWS_SECRET_ACCESS_KEY": SECRETS["environment"],
    "AWS_SESSION_TOKEN": SECRETS["session token"],
    "AWS_ENDPOINT_URL": f"http://me:{SECRETS['proxy']}@127.0.0.1:9",
}
ADAPTER = """
import os

SAID = {said!r}

class Subject:
    name = "leaking"
    capabilities = {{"list": "full", "tensors": "full", "uri": "full"}}

    def versions(self):
        return {{"leaking": "1.0 " + SAID, "library": SAID}}

    def list_weights(self, uri):
        raise RuntimeError(SAID)

    def is_object_uri(self, value):
        return [SAID * 9]

    def tensors(self, files, settings):
        print(SAID)
        os.write(2, b"x" * 500 + SAID.encode())
        os._exit(3)
"""
BROKEN = ADAPTER.replace('return {{"leaking"', 'raise OSError(SAID); return {{"leaking"')
CHECKS = [
    "suites/conformance/test_listing.py::test_exactly_the_weight_files",
    "suites/conformance/test_uri.py::test_the_three_schemes",
    "suites/conformance/test_weights.py::test_names",
]


@dataclasses.dataclass(frozen=True)
class Leaky:
    """A run of two subjects that say their secrets, and all that it printed and wrote."""

    exit_code: int
    report: Path
    terminal: str
    junit: str


@pytest.fixture(scope="module")
def leaky(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Leaky]:
    folder = tmp_path_factory.mktemp("leaky")
    (folder / "leaking.py").write_text(ADAPTER.format(said=SAID))
    (folder / "broken.py").write_text(BROKEN.format(said=SAID))
    report, junit = folder / "report.jsonl", folder / "pytest.xml"
    command = [sys.executable, "-m", "pytest", *CHECKS, "-p", "no:cacheprovider", "-n", "0", "-v", "-rA"]
    command += ["--subjects", f"{folder / 'leaking.py'},{folder / 'broken.py'}", "--stores", "disk"]
    command += [f"--report={report}", f"--junitxml={junit}"]
    # what a user might hand over: arguments stand in the report's header
    command += ["-W", f"ignore:b/k?X-Amz-Signature={SECRETS['signature of S3']}"]
    command += ["-W", f"ignore:{SECRETS['environment']}"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **ENVIRONMENT},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=DEADLINE,
    )
    yield Leaky(done.returncode, report, done.stdout, junit.read_text())


def assert_clean(where: str, text: str) -> None:
    """None of the secrets is in the text, and so much of it as shows that they were taken out."""
    __tracebackhide__ = True
    found = [name for name, secret in SECRETS.items() if secret in text or secret[:-3] in text]
    assert found == [], f"{where} repeats: {', '.join(found)}"
    parts = [name for name, secret in SECRETS.items() if secret[-12:] in text or secret[4:16] in text]
    assert parts == [], f"{where} repeats parts of: {', '.join(parts)}"


def test_every_way_was_taken(leaky: Leaky) -> None:
    records = read_report(leaky.report).records
    assert leaky.exit_code == 1, leaky.terminal
    by_area = {(Path(one.subject).stem, one.area): one for one in records if one.verdict is not Verdict.PASS}
    assert {key: one.verdict for key, one in by_area.items()} == {
        **{("leaking", area): Verdict.FAIL for area in ("LIST", "URI", "WEIGHT")},
        **{("broken", area): Verdict.ERROR for area in ("LIST", "URI", "WEIGHT")},
    }
    raised, answered, died = (by_area["leaking", area] for area in ("LIST", "URI", "WEIGHT"))
    for text in (raised.message, answered.actual, died.message, died.version, by_area["broken", "URI"].trace):
        assert text is not None and HIDDEN in text
    assert "its log ends" in (died.message or "")


def test_neither_report_nor_terminal_repeats_them(leaky: Leaky) -> None:
    assert_clean("the report", leaky.report.read_text())
    assert_clean("the terminal", leaky.terminal)
    assert_clean("pytest's own JUnit file", leaky.junit)
    header = read_report(leaky.report).header
    assert header.environment["AWS_SECRET_ACCESS_KEY"] == HIDDEN
    assert header.environment["AWS_ENDPOINT_URL"] == f"http://{HIDDEN}@127.0.0.1:9"
    assert f"ignore:{HIDDEN}" in header.configuration["arguments"]


def test_no_form_of_the_report_repeats_them(leaky: Leaky, tmp_path: Path) -> None:
    assert main(["report", str(leaky.report), "--out", str(tmp_path)]) == 0
    forms = sorted(path.suffix for path in tmp_path.iterdir())
    assert forms == [".csv", ".html", ".md", ".parquet", ".xml"]
    for path in tmp_path.iterdir():
        assert_clean(path.name, path.read_bytes().decode(errors="replace"))
        if path.suffix == ".parquet":
            assert_clean("the table", pd.read_parquet(path).to_csv())
        else:
            assert HIDDEN in path.read_text(), path.name


def test_no_command_repeats_them(leaky: Leaky, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = read_report(leaky.report)
    fine = [dataclasses.replace(one, verdict=Verdict.PASS, comparisons=1) for one in report.records]
    counts: Mapping[str, int] = {"PASS": len(fine)}
    footer = dataclasses.replace(report.footer, counts=counts, exit_code=0, reasons=())
    before = write(tmp_path / "before.jsonl", dataclasses.replace(report, records=tuple(fine), footer=footer))
    assert (
        main(["diff", str(before), str(leaky.report), "--only-common", "--json", str(tmp_path / "d.json")])
        == 1
    )
    assert main(["explain", report.records[0].requirement, "--report", str(leaky.report)]) == 0
    said = capsys.readouterr()
    assert "regressed" in said.out and report.records[0].requirement in said.out
    assert_clean("diff and explain", said.out + said.err)
    assert_clean("diff's file", (tmp_path / "d.json").read_text())


def test_smoke_does_not_repeat_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    lines = smoke.lines("a probe", Finding(State.BROKEN, SAID, f"look at {SAID}"))
    assert HIDDEN in lines[0] and HIDDEN in lines[1]
    assert_clean("smoke", "\n".join(lines))
