from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from operators.claimed_directory import ClaimedDirectory, remove_abandoned

CLAIM_AND_DIE = """
import os, sys
from operators.claimed_directory import ClaimedDirectory
claimed = ClaimedDirectory(sys.argv[1], "spill")
(claimed.path / "left").write_text("over")
print(claimed.path.name, flush=True)
os._exit(9)
"""


def test_is_empty_and_goes_when_closed(tmp_path: Path) -> None:
    claimed = ClaimedDirectory(tmp_path / "state", "spill")
    assert claimed.path.is_dir()
    (claimed.path / "file").write_text("x")
    claimed.close()
    claimed.close()
    assert list((tmp_path / "state").iterdir()) == []


def test_what_a_dead_process_left_is_cleared_away(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    dead = subprocess.run([sys.executable, "-c", CLAIM_AND_DIE, str(tmp_path)], cwd=root, capture_output=True, text=True, check=False)
    name = dead.stdout.strip()
    assert (tmp_path / name / "left").exists()
    other = tmp_path / "results-1-x"
    other.mkdir()
    claimed = ClaimedDirectory(tmp_path, "spill")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted([other.name, claimed.path.name])
    claimed.close()


def test_what_a_living_owner_has_is_left_alone(tmp_path: Path) -> None:
    living = ClaimedDirectory(tmp_path, "spill")
    assert remove_abandoned(tmp_path, "spill") == []
    second = ClaimedDirectory(tmp_path, "spill")
    assert living.path.is_dir()
    second.close()
    living.close()
