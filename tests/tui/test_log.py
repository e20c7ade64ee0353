from __future__ import annotations

import os
from pathlib import Path

import pytest

from tui.log import stderr_aside


def test_what_is_written_to_stderr_goes_to_a_file_for_a_while(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "state" / "tui.log"
    with stderr_aside(log):
        os.write(2, b"noise\n")
    os.write(2, b"seen\n")
    assert log.read_bytes() == b"noise\n"
    assert capfd.readouterr().err == "seen\n"
