"""The search for leaked secrets finds them wherever it looks, and never repeats one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from suites.conformance.leaks import Leaks, Listing

SECRET = "planted0123456789abcdef"


def test_a_command_line() -> None:
    leaks = Leaks({"the password": SECRET})
    with Listing(leaks):
        subprocess.run([sys.executable, "-c", "import time; time.sleep(0.5)", SECRET], check=True)
    assert leaks.found == ["a process's command line holds the password"]


def test_files_and_their_names(tmp_path: Path) -> None:
    leaks = Leaks({"the password": SECRET})
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "harmless").write_bytes(b"\xff\x00 nothing")
    leaks.look_into_files(tmp_path)
    assert leaks.found == []
    (tmp_path / "deep" / "binary").write_bytes(b"\xff\x00" + SECRET.encode() + b"\xfe")
    (tmp_path / f"named-{SECRET}").touch()
    leaks.look_into_files(tmp_path)
    assert leaks.found == ["the file binary holds the password", "a file's name holds the password"]
    assert SECRET not in str(leaks.found)


def test_a_text() -> None:
    leaks = Leaks({"the password": SECRET, "the token": "another-planted-text"})
    leaks.look("the log", f"http://me:{SECRET}@host")
    assert leaks.found == ["the log holds the password"]
