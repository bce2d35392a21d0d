"""What a fork server reads of botocore's data, its workers share; a loader of other data doesn't."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from suites.selftest.conformance_run import ROOT

CODE = """
import sys
import fixtures.subjects.botocore_data
from botocore.loaders import Loader, create_loader

model = ("s3", "service-2")
assert Loader().load_service_model(*model) is create_loader().load_service_model(*model)
other = create_loader(sys.argv[1])
assert other._cache == {}
assert other.load_service_model("made-up", "service-2") == {"made": "up"}
assert "made-up" not in Loader().list_available_services("service-2")
"""


def test_the_default_loaders_share_and_others_do_not(tmp_path: Path) -> None:
    folder = tmp_path / "made-up" / "2026-01-01"
    folder.mkdir(parents=True)
    (folder / "service-2.json").write_text('{"made": "up"}')
    config = tmp_path / "config"
    config.write_text("[broken")  # a user's file that can't be read must not end the server
    environment = {"AWS_CONFIG_FILE": str(config), "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-c", CODE, str(tmp_path)]
    done = subprocess.run(words, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
