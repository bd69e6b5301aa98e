"""How far a run of a study is, whatever it is a run of."""

import functools
from pathlib import Path
from typing import Union

from launchers.runs.config import GrowingBatchConfig
from launchers.runs.offline_config import OfflineConfig
from launchers.runs.run_directory import RunDirectory
from launchers.studies.offline import LogConfig

LOG = 'log.json'
"""Of a log: what it holds. That it exists means: it is made."""

FOUND = 'found.json'
"""In the directory of a training from files: that it exists means: it is done,
and all is here that a study needs to know besides its tables."""

Config = Union[GrowingBatchConfig, OfflineConfig, LogConfig]


@functools.singledispatch
def is_finished(config: Config, root: Path) -> bool:
  """Whether all that a run is for is there."""
  raise TypeError(f'There are no runs of {type(config).__name__}.')


@functools.singledispatch
def progress(config: Config, root: Path) -> float:
  """The part of a run's learner steps that is logged, 0 to 1."""
  del config, root
  return 0.0


@is_finished.register
def _(config: GrowingBatchConfig, root: Path) -> bool:
  return RunDirectory(root).finished_cycles(config.cycles) > config.cycles


@is_finished.register
def _(config: OfflineConfig, root: Path) -> bool:
  del config
  return (root / FOUND).exists()


@is_finished.register
def _(config: LogConfig, root: Path) -> bool:
  del config
  return (root / LOG).exists()


@progress.register
def _(config: GrowingBatchConfig, root: Path) -> float:
  tables = sorted((root / 'cycles').glob('*/metrics.csv'))
  if not tables or not config.total_learner_steps:
    return 0.0
  phase, _, rest = _last_line(tables[-1]).partition(b',')
  return _share(rest, config.total_learner_steps) if phase == b'learn' else 0.0


@progress.register
def _(config: OfflineConfig, root: Path) -> float:
  table = root / 'metrics.csv'
  if not table.exists():
    return 0.0
  return _share(_last_line(table), config.learner_steps)


def _last_line(table: Path) -> bytes:
  """The last line but an unfinished one, which is none."""
  whole, _, _ = table.read_bytes().rpartition(b'\n')
  return whole.rpartition(b'\n')[2]


def _share(row: bytes, total: int) -> float:
  """Of a row that begins with its step."""
  step = row.partition(b',')[0]
  return int(step) / total if step.isdigit() else 0.0
