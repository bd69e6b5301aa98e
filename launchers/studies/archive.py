"""Where the finished runs of studies are: files of cells, and run directories.

Files of cells travel: they are committed, or lie where several machines reach
them. A run directory is where one machine runs a cell. Where a cell's file is,
the cell is finished and its run directory is not looked at.
"""

import os
from pathlib import Path
import shutil
from typing import Optional

from datasets import files
from launchers.runs.frozen import differences
from launchers.runs.run_directory import RunDirectory
from launchers.studies import cell_file, results
from launchers.studies.cell_check import CellFileError
from launchers.studies.config import Cell, Study, directory
from launchers.studies.experts import Experts
from launchers.studies.results import Result

_OLDER = 'older'


class Archive:
  """The results of all studies.

  Attributes:
    runs: the directory of the run directories.
    experts: the returns of experts that no cell measures.
  """

  def __init__(self, runs: Path, cells: Path):
    """Names two directories, which need not exist yet.

    Args:
      runs: that of the run directories.
      cells: that of the files.
    """
    self.runs = runs
    self.experts = Experts(cells)
    self._cells = cells

  def make_directories(self) -> None:
    """Makes both directories, so that no run is for nothing.

    Raises:
      OSError: one cannot be made.
    """
    for place in (self.runs, self._cells):
      files.make_directory(place)

  def file(self, cell: Cell) -> Path:
    """The cell's file."""
    return self._cells / f'{cell.name}.json'

  def root(self, cell: Cell) -> Path:
    """The cell's run directory."""
    return directory(self.runs, 'cells') / cell.name

  def start(self, cell: Cell) -> Path:
    """The run directory of the cycle 0, or the log, that the cell shares."""
    return directory(self.runs, 'starts') / cell.start.run_name

  def kept(self, cell: Cell) -> Optional[Result]:
    """The result in the cell's file, or None where there is no file.

    Raises:
      CellFileError: the file is damaged, or is of another configuration.
    """
    path = self.file(cell)
    if not path.exists():
      return None
    result = cell_file.read(path)
    _check_configuration(path, result, cell)
    return result

  def find(self, cell: Cell) -> tuple[Optional[Result], str]:
    """A finished run, or why there is none.

    Raises:
      CellFileError: the cell's file is damaged, or of another configuration.
    """
    kept = self.kept(cell)
    if kept is not None:
      return kept, ''
    return results.find(cell, self.root(cell), self.start(cell))

  def keep(self, cell: Cell, command: str) -> str:
    """Writes the file of a cell whose run directory is finished.

    A file that is there already stays.

    Args:
      cell: the cell.
      command: that runs it again, alone.

    Returns:
      How the file that was there differs from the run; as a rule, ''.

    Raises:
      CellFileError: the run cannot be kept, or the file there is damaged.
    """
    path = self.file(cell)
    result, reason = results.find(cell, self.root(cell), self.start(cell))
    if result is None:
      raise CellFileError(path, '', f'its run is {reason}')
    _check_configuration(self.root(cell) / 'config.json', result, cell)
    if self.kept(cell) is None:
      cell_file.write(path, result, command)
      return ''
    return cell_file.compare(path, result)

  def set_aside_older(self, cell: Cell) -> list[str]:
    """Makes room where sources that gave other results have run a cell.

    Its file goes to `older/` beside it; its run directory, and that of its
    start, to `older/` of the studies. Of each name the last one stays there.

    Returns:
      What was set aside: the names of the cell or of its start.

    Raises:
      CellFileError: the cell's file is damaged, or is of another configuration.
      NotARunError: a run directory cannot be read.
    """
    names: dict[str, None] = {}
    kept = self.kept(cell)
    if kept is not None and results.is_older(kept.run):
      path = self.file(cell)
      files.make_directory(path.parent / _OLDER)
      os.replace(path, path.parent / _OLDER / path.name)
      names[cell.name] = None
    for root in (self.root(cell), self.start(cell)):
      if not (root / 'config.json').exists() or RunDirectory(root).is_live:
        continue
      if results.is_older_directory(root):
        older = self.runs / 'studies' / _OLDER / root.parent.name / root.name
        older.parent.mkdir(parents=True, exist_ok=True)
        _remove(older)
        os.replace(root, older)
        names[root.name] = None
    return [*names]

  def discard(self, study: Study, cell: Cell) -> None:
    """Removes the run directory of a cell that is kept in its file.

    That of its start goes with the last of the study's cells that need it.
    """
    _remove(self.root(cell))
    sharing = [c for c in study.cells if c.start == cell.start]
    if all(self.file(c).exists() for c in sharing):
      _remove(self.start(cell))


def _check_configuration(path: Path, result: Result, cell: Cell) -> None:
  changes = list(differences(result.run.config, cell.configuration))
  if changes:
    raise CellFileError(
      path, 'configuration', 'another one than the study gives a run of this '
      f'name: {"; ".join(changes)}',
    )  # fmt: skip


def _remove(root: Path) -> None:
  """Removes a directory; what a kill leaves of it is no run directory."""
  aside = root.with_name(f'.{root.name}.discarded')
  shutil.rmtree(aside, ignore_errors=True)
  if root.exists():
    os.replace(root, aside)
    shutil.rmtree(aside)
