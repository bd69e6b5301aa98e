"""The examples that are Python of this repository run as they stand."""

import os
from pathlib import Path
import re
import subprocess
import sys

import numpy as np

from agents.deployed.policy import Policy
from datasets.store import EpisodeStore
from tests.tree import ROOT


def test_the_library_learns_from_own_arrays(tmp_path: Path) -> None:
  result = subprocess.run(
    [sys.executable, str(ROOT / 'examples/library.py'), str(tmp_path)],
    cwd=tmp_path,
    env={**os.environ, 'PYTHONPATH': str(ROOT)},
    capture_output=True,
    text=True,
    timeout=120,
  )
  assert result.returncode == 0, result.stderr
  assert len(EpisodeStore(tmp_path / 'episodes').digests()) == 20
  assert ': 1000 transitions\n' in result.stdout
  away = np.array([0.5, -0.5, 0.0], np.float32)
  for kind in ('bc', 'd4pg'):
    policy = Policy.from_bytes((tmp_path / f'{kind}.npz').read_bytes())
    said = re.search(rf'{kind}\.npz: acts \[(.+)\]', result.stdout)
    assert said, result.stdout
    shown = np.array(said[1].split(), float)
    np.testing.assert_allclose(policy(away), shown, atol=0.006)
    if kind == 'bc':  # It has learned to steer back, as the operator does.
      np.testing.assert_allclose(policy(away), -away[:2], atol=0.3)
