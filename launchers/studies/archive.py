"""Where the finished runs of studies are: files of cells, and run directories.

Files of cells travel: they are committed, or lie where several machines reach
them. A run directory is where one machine runs a cell. Where a cell's file is,
the cell is finished and its run directory is not looked at.
"""

import os
from pathlib import Path
import shutil
from typing import Optional

from launchers.runs.frozen import differences
from launchers.studies import cell_file, results
from launchers.studies.cell_check import CellFileError
from launchers.studies.config import Cell, Study, directory
from launchers.studies.results import Result


class Archive:
  """The results of all studies."""

  def __init__(self, runs: Path, cells: Path):
    """Names two directories, which need not exist yet.

    Args:
      runs: that of the run directories.
      cells: that of the files.
    """
    self.runs = runs
    self._cells = cells

  def file(self, cell: Cell) -> Path:
    """The cell's file."""
    return self._cells / f'{cell.name}.json'

  def root(self, cell: Cell) -> Path:
    """The cell's run directory."""
    return directory(self.runs, 'cells') / cell.name

  def start(self, cell: Cell) -> Path:
    """The run directory of the cycle 0 that the cell shares."""
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
    return results.from_directory(self.root(cell), self.start(cell))

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
    result, reason = results.from_directory(self.root(cell), self.start(cell))
    if result is None:
      raise CellFileError(path, '', f'its run is {reason}')
    _check_configuration(self.root(cell) / 'config.json', result, cell)
    if self.kept(cell) is None:
      cell_file.write(path, result, command)
      return ''
    return cell_file.compare(path, result)

  def discard(self, study: Study, cell: Cell) -> None:
    """Removes the run directory of a cell that is kept in its file.

    That of its start goes with the last of the study's cells that need it.
    """
    _remove(self.root(cell))
    sharing = [c for c in study.cells if c.start == cell.start]
    if all(self.file(c).exists() for c in sharing):
      _remove(self.start(cell))


def _check_configuration(path: Path, result: Result, cell: Cell) -> None:
  changes = list(differences(result.run.config, cell.config.to_json()))
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
