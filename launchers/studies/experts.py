"""Experts by whose return a study divides, where none of its cells measures it.

They are measured once, before the study begins, and kept beside its cells'
files, with which they travel.
"""

import json
from pathlib import Path
from typing import Any, Optional

from datasets import files, records
from datasets.schema import WrongError, number, shortened
from launchers.environments import names
from launchers.studies.config import Study, StudyError

EPISODES = 20
"""Over which an expert is measured, as those that are shipped were."""

SHIPPED = {
  'cartpole-balance': 997.0,
  'cartpole-swingup': 864.0,
  'cheetah-run': 868.0,
  'finger-spin': 851.0,
  'pendulum-swingup': 813.0,
  'walker-run': 734.0,
}
"""Their returns, over 20 episodes: teachers/snapshots/README.md. Their metadata
hold less: 5 or 8 episodes, by which the snapshots were chosen."""

_REMEDY = 'Remove the file, and the expert is measured again.'


class Experts:
  """What is kept of the experts of studies."""

  def __init__(self, cells: Path):
    """Names the directory of the cells' files; it need not exist yet."""
    self._directory = cells / 'experts'

  def missing(self, study: Study) -> dict[str, str]:
    """The tasks whose expert is to be measured, each with its address.

    Raises:
      StudyError: the file of an expert is damaged; says which.
    """
    measured = {cell.task for cell in study.cells if cell.tier == 'expert'}
    return {
      task: study.teacher(task, 'expert')
      for task in dict.fromkeys(cell.task for cell in study.cells)
      if task not in measured and self.find(study, task) is None
    }

  def find(self, study: Study, task: str) -> Optional[float]:
    """The return of a task's expert; None: nobody has measured it.

    Raises:
      StudyError: the file of an expert is damaged, or of another one.
    """
    address = study.teacher(task, 'expert')
    if address == f'{task}/expert' and task in SHIPPED:
      return SHIPPED[task]
    path = self._path(task)
    if not path.exists():
      return None
    try:
      tree = records.read(path)
    except files.DamagedFileError as error:
      raise StudyError(f'{error}. {_REMEDY}') from error
    if (tree.get('task'), tree.get('policy')) != (task, address):
      raise StudyError(
        f'{path} is of {shortened(tree.get("policy"))}, and the '
        f"study's expert of {task} is {address!r}. {_REMEDY}"
      )
    try:
      return _divisor(tree.get('return_mean'))
    except StudyError as error:
      raise StudyError(f'{path}: {error} {_REMEDY}') from error

  def keep(self, study: Study, task: str, summary: dict[str, Any]) -> None:
    """Keeps what launchers.evaluate found of an expert.

    Raises:
      StudyError: its return is nothing that one could divide by.
    """
    try:
      _divisor(summary['return_mean'])
    except StudyError as error:
      address = study.teacher(task, 'expert')
      raise StudyError(f'The expert of {task}, {address}: {error}') from error
    path = self._path(task)
    files.remove_aside(files.make_directory(path.parent))
    files.write_text(path, json.dumps(summary, indent=2) + '\n')

  def _path(self, task: str) -> Path:
    return self._directory / f'{names.slug(task)}.json'


def _divisor(value: Any) -> float:
  """A return that scores can be divided by.

  Raises:
    StudyError: it is none.
  """
  try:
    number(value, '')
    if value > 0:
      return float(value)
  except WrongError:
    pass
  raise StudyError(
    f'its return is {shortened(value)}, and scores are divided by it: it must '
    'be positive and finite.'
  )
