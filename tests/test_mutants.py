"""A changed file is read as what it is, or refused: one line that names it."""

from collections.abc import Callable
import csv
import io
import json
from pathlib import Path
import random
import time
from typing import Any, NamedTuple, Optional

import numpy as np
import pytest
from rich.console import Console
import tensorflow as tf

from agents import checkpoint
from agents.deployed import npz
from datasets import arrays as array_files
from datasets.store import EpisodeStore
from datasets.validation import check_episode
from launchers.nodes.evaluations import COLUMNS
from launchers.reports import cycles
from launchers.runs import frozen
from launchers.runs.config import GrowingBatchConfig
from launchers.runs.run_directory import RunDirectory
from launchers.runs.tables import Table
from launchers.studies import measures, results
from launchers.studies.config import StudyError
from teachers import checks, registry, snapshot
from teachers.base import Task
from tests import mutants
from tests.datasets import samples
from tests.launchers.studies import samples as studies

_QUICK, _LONG = 30, 400
ROOMS = ('agents', 'datasets', 'launchers', 'teachers')
_LONGEST = 3_000  # Of a message: many options may differ, a line each.
_SECONDS = 10.0  # In which any file is read or refused.
_CARTPOLE = Task('cartpole-balance', 5, 1)

Mutate = Callable[[bytes, random.Random], bytes]


class Door(NamedTuple):
  """A kind of file.

  Attributes:
    make: writes a whole one, and what is around it; returns its path.
    read: reads it as the programs do, from that path.
    mutate: besides `mutants.of_bytes`.
  """

  make: Callable[[Path], Path]
  read: Callable[[Path], Any]
  mutate: Mutate = mutants.of_bytes


def _config(root: Path) -> Path:
  config = GrowingBatchConfig(task='cartpole-balance')
  frozen.freeze(config, root)
  return root / 'config.json'


def _read_config(path: Path) -> None:
  frozen.check(GrowingBatchConfig(task='cartpole-balance'), path.parent)


def _in_run(name: str) -> Callable[[Path], Path]:
  def make(root: Path) -> Path:
    study = studies.load(studies.make(root))
    run = studies.run(root / 'runs', study.cells[0])
    metrics = 'cycle,step,phase,critic_loss,steps_per_second\n'
    metrics += ''.join(f'1,{i},learn,{i / 3},9.5\n' for i in range(20))
    (run / 'cycles/001/metrics.csv').write_text(metrics)
    return run / name

  return make


def _root(path: Path) -> Path:
  while not (path / 'cycles').is_dir():
    path = path.parent
  return path


def _read_run(path: Path) -> None:
  """As reports, studies and the table on the screen."""
  root = _root(path)
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


def _episode(root: Path) -> Path:
  store = EpisodeStore(root)
  episode = samples.make_episode(with_advice=True, task=samples.TASK)
  store.commit(episode)
  (path,) = root.glob('*.npz')
  return path


def _read_episode(path: Path) -> None:
  def check(episode: Any) -> None:
    check_episode(episode, samples.CHEETAH)

  list(EpisodeStore.open(path.parent).checked(check))


def _of_episode(data: bytes, draw: random.Random) -> bytes:
  """With a digest that fits."""
  content = array_files.decode(data, 'it')
  if draw.random() < 0.5:
    text = mutants.of_json(json.dumps(content.metadata), draw)
    try:
      tree = json.loads(text)
      return array_files.encode(content.arrays, tree)[0]
    except (ValueError, RecursionError):
      return data[:-9]
  changed = mutants.of_arrays(content.arrays, draw)
  return array_files.encode(changed, content.metadata)[0]


def _shipped(root: Path) -> Path:
  path = root / 'teacher.npz'
  path.write_bytes(snapshot.find('cartpole-balance/expert').read_bytes())
  return path


def _read_teacher(path: Path) -> None:
  teacher = registry.load(str(path), _CARTPOLE)
  observations = np.zeros((2, 5), np.float32)
  if 'actions' in teacher.gives:
    checks.ask_actions(teacher, observations)
  if 'action_gradients' in teacher.gives:
    actions = np.zeros((2, 1), np.float32)
    checks.ask_action_gradients(teacher, observations, actions)


def _policy(root: Path) -> Path:
  path = RunDirectory(root).policy_path(0)
  path.parent.mkdir(parents=True)
  expert = snapshot.load('cartpole-balance/expert').snapshot
  path.write_bytes(expert.policy.to_bytes())
  return path


def _read_policy(path: Path) -> None:
  """A damaged one is set aside, and made again."""
  policy = RunDirectory(path.parents[2]).policy(0)
  if policy is None:
    raise ValueError(f'{path}: set aside')
  policy(np.zeros(policy.spec.observation_size, np.float32))


def _of_npz(data: bytes, draw: random.Random) -> bytes:
  with np.load(io.BytesIO(data)) as file:
    arrays = dict(file)
  header = json.loads(arrays.pop('metadata').tobytes())
  if draw.random() < 0.3:
    text = mutants.of_json(json.dumps(header), draw)
    buffer = io.BytesIO()
    np.savez(buffer, metadata=np.frombuffer(text, np.uint8), **arrays)
    return buffer.getvalue()
  changed = mutants.of_arrays(arrays, draw)
  return npz.pack(changed, header['metadata'], header['kind'])


def _table(root: Path) -> Path:
  path = root / 'evaluation.csv'
  table = Table(path, COLUMNS, ('step', 'kind'))
  for step in range(9):
    row = dict.fromkeys(COLUMNS, 1.5)
    table.add({**row, 'step': step, 'kind': 'interval'})
  return path


def _read_table(path: Path) -> None:
  Table(path, COLUMNS, ('step', 'kind')).add(
    {**dict.fromkeys(COLUMNS, 2.5), 'step': 99, 'kind': 'final'}
  )


def _study(root: Path) -> Path:
  return studies.make(root)


def _read_study(path: Path) -> None:
  measures.check(studies.load(path))


def _cell(root: Path) -> Path:
  study = studies.load(studies.make(root))
  archive = studies.archive(root)
  studies.run(root / 'runs', study.cells[0])
  archive.keep(study.cells[0], 'python -m it')
  return archive.file(study.cells[0])


def _read_cell(path: Path) -> None:
  root = path.parents[1]
  study = studies.load(root / 'figure0.toml')
  studies.archive(root).kept(study.cells[0])


def _expert(root: Path) -> Path:
  study = studies.load(_hopper(root))
  summary = {'task': 'hopper-hop', 'policy': 'hopper-hop/expert'}
  experts = studies.archive(root).experts
  experts.keep(study, 'hopper-hop', {**summary, 'return_mean': 250})
  return root / 'kept/experts/hopper-hop.json'


def _hopper(root: Path) -> Path:
  grid = {**studies.GRID, 'task': ['hopper-hop'], 'tier': ['mid']}
  return studies.make(root, grid=grid)


def _read_expert(path: Path) -> None:
  root = path.parents[2]
  study = studies.load(root / 'figure0.toml')
  studies.archive(root).experts.find(study, 'hopper-hop')


def _preferences(root: Path) -> Path:
  path = root / 'preferences.csv'
  random_numbers = np.random.default_rng(0)
  with path.open('w', newline='') as file:
    writer = csv.writer(file)
    states = [f's{i}' for i in range(5)]
    writer.writerow(['person', *states, 'a0', 'b0', 'magnitude'])
    for row in random_numbers.uniform(-1, 1, (9, 7)):
      writer.writerow(['ann', *row, 3])
  return path


def _read_preferences(path: Path) -> None:
  _read_teacher(Path(f'teachers.preference:make?path={path}&bandwidth=0.5'))


def _manifest(root: Path) -> Path:
  for step in (3, 4):
    variable = tf.Variable(float(step))
    checkpoint.save({'it': variable}, root, step)
  return root / 'step_000000004/manifest.json'


def _read_manifest(path: Path) -> None:
  """A damaged one is set aside for the one before it."""
  variable = tf.Variable(0.0)
  restored = checkpoint.restore_newest({'it': variable}, path.parents[1])
  assert restored.step == float(variable)
  if restored.step == 3:
    raise ValueError(f'{path}: set aside')


DOORS = {
  'config.json': Door(_config, _read_config, mutants.of_json),
  'cycle.json': Door(
    _in_run('cycles/001/cycle.json'), _read_run, mutants.of_json
  ),
  'teacher.json': Door(_in_run('teacher.json'), _read_run, mutants.of_json),
  'demonstrator.json': Door(
    _in_run('demonstrator.json'), _read_run, mutants.of_json
  ),
  'study.json': Door(_in_run('study.json'), _read_run, mutants.of_json),
  'reported config.json': Door(
    _in_run('config.json'), _read_run, mutants.of_json
  ),
  'reported evaluation.csv': Door(
    _in_run('cycles/001/evaluation.csv'), _read_run
  ),
  'reported metrics.csv': Door(_in_run('cycles/001/metrics.csv'), _read_run),
  'evaluation.csv': Door(_table, _read_table),
  'episode': Door(_episode, _read_episode, _of_episode),
  'policy': Door(_policy, _read_policy, _of_npz),
  'snapshot': Door(_shipped, _read_teacher, _of_npz),
  'study': Door(_study, _read_study),
  'cell': Door(_cell, _read_cell, mutants.of_json),
  'expert': Door(_expert, _read_expert, mutants.of_json),
  'preferences.csv': Door(_preferences, _read_preferences),
  'manifest.json': Door(_manifest, _read_manifest, mutants.of_json),
}


def refusal(door: Door, path: Path) -> Optional[Exception]:
  """Why a file is not read, if so."""
  try:
    door.read(path)
  except Exception as error:
    return error
  return None


def try_mutants(door: Door, root: Path, number: int) -> dict[str, int]:
  """Reads so many; returns how many were read and how many refused."""
  found = {'read': 0, 'refused': 0}
  for seed in range(number):
    draw = random.Random(seed)
    place = root / str(seed)
    place.mkdir()
    path = door.make(place)
    data = path.read_bytes()
    mutate = draw.choice((door.mutate, mutants.of_bytes))
    path.write_bytes(mutate(data, draw))
    began = time.monotonic()
    error = refusal(door, path)
    found['refused' if error else 'read'] += 1
    if error is not None:
      message = str(error)
      room = type(error).__module__.partition('.')[0]
      assert room in ROOMS or type(error) is ValueError, (seed, repr(error))
      names = (path.name, f'{path.parent} ', f'{path.stem}:')
      assert any(name in message for name in names), (seed, message)
      assert len(message) < _LONGEST, (seed, message)
    assert time.monotonic() - began < _SECONDS, seed
  return found


@pytest.mark.parametrize('kind', DOORS)
def test_a_few_mutants(kind: str, tmp_path: Path) -> None:
  door = DOORS[kind]
  door.read(door.make(tmp_path))  # What is whole is read.
  found = try_mutants(door, tmp_path, _QUICK)
  assert found['refused']


@pytest.mark.long
@pytest.mark.parametrize('kind', DOORS)
def test_many_mutants(kind: str, tmp_path: Path) -> None:
  assert try_mutants(DOORS[kind], tmp_path, _LONG)['refused']
