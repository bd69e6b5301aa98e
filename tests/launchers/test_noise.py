"""What libraries say of their own affairs is not shown to a person."""

import subprocess
import sys

from tests.tree import ROOT


def test_a_model_of_the_suite_warns_of_nothing() -> None:
  result = subprocess.run(
    [
      sys.executable, '-m', 'launchers.evaluate', '--policy',
      'cheetah-run/expert', '--episodes', '1', '--episode-steps', '2',
    ],
    cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
  )  # fmt: skip
  assert 'WARN' not in result.stderr.upper()
  assert 'settotalmass' not in result.stderr
