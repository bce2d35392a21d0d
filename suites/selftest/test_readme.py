"""The README is true: its commands run, what they print is what it shows, and what it names exists."""

from __future__ import annotations

import configparser
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from fixtures.stores import STORES
from reports.catalogue import read_catalogue
from reports.matrix import WORDS
from reports.run import DEFAULT_SUBJECTS

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TOX = ".venv/bin/tox"
CONFORMANCE = f"{TOX} -e conformance"
TOOLING = ".tox/conformance/bin/python -m tooling "
SECONDS = 300
"""For one command; the longest takes a few."""


def blocks(language: str, text: str = README) -> list[str]:
    """The fenced blocks of this language, without their indentation."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", block, flags=re.MULTILINE).strip("\n") for indent, block in found]


COMMANDS = [line for block in blocks("sh") for line in block.splitlines()]
CHECKS = [line for line in COMMANDS if line.startswith(f"{CONFORMANCE} -- ")]
TIERS = [line for line in CHECKS if not re.search(r"\.py\b", line)]
"""Minutes long; what they select is checked instead."""
SINGLE = [line for line in CHECKS if line not in TIERS]


#: environments that a plain `tox` leaves out
LEFT_OUT = ("nightly", "false-alarms", "automatic-mutants")


def tox_ini() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "tox.ini")
    return parser


def pytest_arguments(command: str) -> list[str]:
    """What tox hands to pytest for this line of the README."""
    return shlex.split(command.removeprefix(f"{CONFORMANCE} -- "))


def run(arguments: Sequence[str], tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """As the tox environment runs it, with a report of its own."""
    command = [sys.executable, "-m", "pytest", *arguments, f"--report={tmp_path / 'report.jsonl'}"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)


def test_the_readme_has_the_commands_that_these_tests_are_about() -> None:
    assert len(CHECKS) == 6
    assert sum(line.startswith(TOOLING) for line in COMMANDS) == 4
    assert COMMANDS[0].endswith(f"&& {CONFORMANCE}")
    assert TOX in COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_of_a_kind_that_is_checked(command: str) -> None:
    bare = re.sub(r"^([A-Z_]+=\S+ )+", "", command)
    starts = ("python3 -m venv ", TOX, "python3 -m tooling ", TOOLING)
    assert bare.startswith(starts), f"no test here knows what to do with {command!r}"


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_tox_environments_exist(document: str) -> None:
    ini = tox_ini()
    listed = {name.strip() for name in ini["tox"]["env_list"].split(",")}
    named = re.findall(rf"{TOX} -e ([\w-]+)", (ROOT / document).read_text(encoding="utf-8"))
    assert named
    for name in named:
        assert f"testenv:{name}" in ini and (name in listed or name in LEFT_OUT)


def test_the_main_job_is_pytest_with_what_follows_the_dashes() -> None:
    fixed = "-c {tox_root}/tox.ini --rootdir {tox_root} -n auto"
    assert tox_ini()["testenv:conformance"]["commands"] == f"python -m pytest {fixed} {{posargs}}"


def test_variables_of_the_readme_reach_pip_and_uv() -> None:
    passed = tox_ini()["testenv"]["pass_env"].split()
    for name in set(re.findall(r"\b((?:UV|PIP|LOADPROOF)_[A-Z_]+)", README)):
        assert f"{name.partition('_')[0]}_*" in passed


def test_ci_runs_the_same_two_commands() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    setup = COMMANDS[0].removesuffix(f" && {CONFORMANCE}")
    assert setup in script
    assert re.search(rf"^{re.escape(TOX)}( \|\||$)", script, re.MULTILINE)


@pytest.mark.parametrize("command", SINGLE)
def test_checks_run(command: str, tmp_path: Path) -> None:
    done = run(pytest_arguments(command), tmp_path)
    wrong = "mutants/" in command
    assert done.returncode == int(wrong), done.stdout + done.stderr
    assert f"loadproof: {'red' if wrong else 'green'}: " in done.stdout.splitlines()[-1]
    if wrong:
        (shown,) = [block for block in blocks("text") if "FAIL WEIGHT-010" in block]
        assert told(shown) == told(done.stdout)


def told(text: str) -> dict[str, str]:
    """A failure's block by its words; versions may differ from those of the README's run."""
    lines = re.findall(r"^ {0,12}([a-z][a-z ]+[a-z])  (\S.*)$", text, re.MULTILINE)
    found = dict(lines)
    assert {"requirement", "expected", "actual", "first differs", "catches", "run it again"} <= set(found)
    return {name: value for name, value in found.items() if name not in ("subject", "store")}


def test_the_known_failure_is_shown_in_full_without_its_record(tmp_path: Path) -> None:
    (command,) = [line for line in CHECKS if "[streamer-" in line]
    assert "`--expectations none`" in README
    done = run([*pytest_arguments(command), "--expectations", "none"], tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "FAIL WEIGHT-003" in done.stdout


def test_tooling_commands_exist() -> None:
    starts = ("python3 -m tooling ", TOOLING)
    commands = [line for line in COMMANDS if line.startswith(starts)]
    commands += re.findall(r"`(python -m tooling [a-z ]+)", README)
    assert len(commands) > 4
    for command in commands:
        words = [sys.executable, *shlex.split(command)[1:4], "--help"]
        subprocess.run(words, cwd=ROOT, capture_output=True, timeout=SECONDS, check=True)


def test_the_tiers_of_the_readme_hold_checks_of_every_area() -> None:
    controls = ["--subjects", "reference,plain"]
    assert [pytest_arguments(line) for line in TIERS] == [["-m", "quick"], ["--long"], controls]
    areas = {requirement.area for requirement in read_catalogue(ROOT / "suites" / "requirements").values()}
    words = [sys.executable, "-m", "pytest", "-q", "--collect-only", *pytest_arguments(TIERS[0])]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=True)
    files = {line.partition("::")[0] for line in done.stdout.splitlines() if "::" in line}
    text = "".join((ROOT / file).read_text(encoding="utf-8") for file in files)
    quick = re.findall(r"pytest\.mark\.quick\n(?:@.*\n)*?@requirement\(\"([A-Z]+)-", text)
    assert set(quick) == areas


def test_options_of_the_readme_exist() -> None:
    words = [sys.executable, "-m", "pytest", "--help"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=True)
    options = set(re.findall(r"`(--[a-z]+)", README))
    assert options
    for option in options:
        assert re.search(rf"^  {option}[ =\n]", done.stdout, re.MULTILINE), option


def test_the_matrix_has_every_area_subject_and_store() -> None:
    (shown,) = [block for block in blocks("text") if block.startswith("area ")]
    rows = [
        line for line in shown.splitlines()[2:] if line.strip() and not line.startswith(("─", "loadproof"))
    ]
    assert shown.splitlines()[0].replace("no store", "none").split() == [
        "area",
        "subject",
        "none",
        *sorted(STORES, key=["disk", "moto", "minio"].index),
    ]
    areas = {requirement.area for requirement in read_catalogue(ROOT / "suites" / "requirements").values()}
    assert {line.split()[0] for line in rows if not line.startswith(" ")} == areas
    subjects = DEFAULT_SUBJECTS.split(",")
    assert [word for line in rows for word in line.split() if word in subjects] == subjects * len(areas)
    assert set(re.findall(r"\d+ ([A-Za-z-]+)", "\n".join(rows))) <= set(WORDS.values())
    assert shown.splitlines()[-1].startswith("loadproof: green: ")


def test_the_shown_subject_is_the_file() -> None:
    (shown,) = blocks("python")
    (file,) = {pytest_arguments(line)[2] for line in CHECKS if "/adapters/" in line}
    assert f"[{file}]({file})" in README
    assert shown == (ROOT / file).read_text(encoding="utf-8").strip("\n")


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_links_lead_to_files(document: str) -> None:
    links = re.findall(r"\]\(([^)]+)\)", (ROOT / document).read_text(encoding="utf-8"))
    assert links
    for link in links:
        assert link.startswith("https://") or (ROOT / link).exists(), link


def test_paths_in_the_text_exist() -> None:
    roots = "suites|fixtures|reports|tooling"
    named = set(re.findall(rf"(?<![\w/])((?:{roots})/[\w./-]+\w)", README))
    left_by_runs = ("reports/out/", "reports/history")
    named = {name for name in named if not name.startswith(left_by_runs)}
    assert len(named) > 5
    for path in named:
        assert (ROOT / path).exists(), path
