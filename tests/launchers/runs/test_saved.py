"""What somebody who stops a run is told of it."""

from pathlib import Path

import pytest

from launchers.runs import saved
from launchers.runs.config import GrowingBatchConfig
from launchers.runs.run_directory import RunDirectory


@pytest.mark.parametrize(
  ('finished', 'said'),
  [
    (0, '0 whole cycles; of cycle 0, '),
    (1, '1 whole cycle; of cycle 1, '),
    (2, '2 whole cycles; of cycle 2, '),
  ],
)
def test_cycles_are_counted(
  tmp_path: Path, monkeypatch: pytest.MonkeyPatch, finished: int, said: str
) -> None:
  monkeypatch.setattr(RunDirectory, 'finished_cycles', lambda *_: finished)
  directory = RunDirectory(tmp_path)
  assert said in saved.describe(GrowingBatchConfig(), directory)
