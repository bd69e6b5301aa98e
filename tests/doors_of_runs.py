"""Files of runs and of studies: each whole, and how programs read it."""

from collections.abc import Callable
import io
from pathlib import Path

from rich.console import Console

from launchers.nodes.evaluations import COLUMNS
from launchers.reports import cycles
from launchers.runs import frozen
from launchers.runs.config import GrowingBatchConfig
from launchers.runs.run_directory import RunDirectory
from launchers.runs.tables import Table
from launchers.studies import measures, results
from launchers.studies.config import StudyError
from tests.launchers.studies import samples as studies
from tests.launchers.studies import trainings


def config(root: Path) -> Path:
  config = GrowingBatchConfig(task='cartpole-balance')
  frozen.freeze(config, root)
  return root / 'config.json'


def read_config(path: Path) -> None:
  frozen.check(GrowingBatchConfig(task='cartpole-balance'), path.parent)


def in_run(name: str) -> Callable[[Path], Path]:
  def make(root: Path) -> Path:
    study = studies.load(studies.make(root))
    run = studies.run(root / 'runs', study.cells[0])
    metrics = 'cycle,step,phase,critic_loss,steps_per_second\n'
    metrics += ''.join(f'1,{i},learn,{i / 3},9.5\n' for i in range(20))
    (run / 'cycles/001/metrics.csv').write_text(metrics)
    return run / name

  return make


def root_of(path: Path) -> Path:
  while not (path / 'cycles').is_dir():
    path = path.parent
  return path


def read_run(path: Path) -> None:
  """As reports, studies and the table on the screen."""
  root = root_of(path)
  study = studies.load(root.parents[3] / 'figure0.toml')
  result, reason = results.from_directory(root, root)
  if result is None and reason != 'not begun':
    # Reasons stand beside the name of the run.
    raise StudyError(f'{root}/{reason}')
  directory = RunDirectory(root)
  config = study.cells[0].config
  console = Console(file=io.StringIO(), width=80)
  console.print(cycles.cycle_table(config, directory, width=80))
  if directory.teacher_record('demonstrator').exists():
    directory.teacher_identity('demonstrator')


def table(root: Path) -> Path:
  path = root / 'evaluation.csv'
  table = Table(path, COLUMNS, ('step', 'kind'))
  for step in range(9):
    row = dict.fromkeys(COLUMNS, 1.5)
    table.add({**row, 'step': step, 'kind': 'interval'})
  return path


def read_table(path: Path) -> None:
  Table(path, COLUMNS, ('step', 'kind')).add(
    {**dict.fromkeys(COLUMNS, 2.5), 'step': 99, 'kind': 'final'}
  )


def study(root: Path) -> Path:
  return studies.make(root)


def read_study(path: Path) -> None:
  measures.check(studies.load(path))


def cell(root: Path) -> Path:
  study = studies.load(studies.make(root))
  archive = studies.archive(root)
  studies.run(root / 'runs', study.cells[0])
  archive.keep(study.cells[0], 'python -m it')
  return archive.file(study.cells[0])


def read_cell(path: Path) -> None:
  root = path.parents[1]
  study = studies.load(root / 'figure0.toml')
  studies.archive(root).kept(study.cells[0])


def of_training(name: str) -> Callable[[Path], Path]:
  def make(root: Path) -> Path:
    cell = trainings.load(root).cells[1]
    return trainings.train(root / 'runs', cell) / name

  return make


def read_training(path: Path) -> None:
  root = path.parents[4]
  cell = trainings.load(root).cells[1]
  result, reason = studies.archive(root).find(cell)
  if result is None:
    raise StudyError(f'{path.parent}/{reason}')


def log(root: Path) -> Path:
  cell = trainings.load(root).cells[1]
  trainings.train(root / 'runs', cell)
  return studies.archive(root).start(cell) / 'log.json'


def study_of_logs(root: Path) -> Path:
  trainings.load(root)
  return root / 'logs0.toml'


def cell_of_logs(root: Path) -> Path:
  archive, cell = studies.archive(root), trainings.load(root).cells[1]
  trainings.train(root / 'runs', cell)
  archive.keep(cell, 'python -m it')
  return archive.file(cell)


def read_cell_of_logs(path: Path) -> None:
  root = path.parents[1]
  studies.archive(root).kept(trainings.load(root).cells[1])


def expert(root: Path) -> Path:
  study = studies.load(hopper(root))
  summary = {'task': 'hopper-hop', 'policy': 'hopper-hop/expert'}
  experts = studies.archive(root).experts
  experts.keep(study, 'hopper-hop', {**summary, 'return_mean': 250})
  return root / 'kept/experts/hopper-hop.json'


def hopper(root: Path) -> Path:
  grid = {**studies.GRID, 'task': ['hopper-hop'], 'tier': ['mid']}
  return studies.make(root, grid=grid)


def read_expert(path: Path) -> None:
  root = path.parents[2]
  study = studies.load(root / 'figure0.toml')
  studies.archive(root).experts.find(study, 'hopper-hop')
