"""How far a job is, whatever a kill has left of its table."""

from pathlib import Path

import pytest

from launchers.runs.config import GrowingBatchConfig
from launchers.studies.jobs import Job

HEADER = b'phase,step,loss\n'


@pytest.mark.parametrize(
  ('table', 'progress'),
  [
    (b'', 0.0),
    (b'phase,st', 0.0),
    (HEADER, 0.0),
    (HEADER + b'clone,40,1.5\n', 0.0),
    (HEADER + b'learn,40,1.5\n', 0.4),
    (HEADER + b'learn,40,1.5\nlearn,9', 0.4),
    (HEADER + b'learn,40,1.5\n\n', 0.0),
    (HEADER + b'learn\n', 0.0),
    (b'\xff\xfe\n', 0.0),
  ],
)
def test_an_unfinished_line_is_no_line(
  tmp_path: Path, table: bytes, progress: float
) -> None:
  cycle = tmp_path / 'cycles' / '001'
  cycle.mkdir(parents=True)
  (cycle / 'metrics.csv').write_bytes(table)
  config = GrowingBatchConfig(cycles=1, learner_steps=100)
  assert Job(config, tmp_path, '', None).progress == progress
