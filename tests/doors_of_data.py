"""Files of data and weights: each whole, and how programs read it."""

from collections.abc import Callable
import csv
import io
import json
from pathlib import Path
import random
from typing import Any

import numpy as np
import tensorflow as tf

from agents import checkpoint
from agents.deployed import npz
from agents.deployed.policy import Snapshot
from datasets import arrays as array_files
from datasets.store import EpisodeStore
from datasets.validation import check_episode
from launchers.runs.run_directory import RunDirectory
from teachers import checks, registry, snapshot, untrained
from teachers.base import Task
from tests import mutants
from tests.agents.deployed import made
from tests.datasets import samples

_CARTPOLE = Task('cartpole-balance', 5, 1)


def episode(root: Path) -> Path:
  store = EpisodeStore(root)
  episode = samples.make_episode(with_advice=True, task=samples.TASK)
  store.commit(episode)
  (path,) = root.glob('*.npz')
  return path


def read_episode(path: Path) -> None:
  def check(episode: Any) -> None:
    check_episode(episode, samples.CHEETAH)

  list(EpisodeStore.open(path.parent).checked(check))


def of_episode(data: bytes, draw: random.Random) -> bytes:
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


def shipped(root: Path) -> Path:
  path = root / 'teacher.npz'
  path.write_bytes(snapshot.find('cartpole-balance/expert').read_bytes())
  return path


def read_teacher(path: Path) -> None:
  teacher = registry.load(str(path), _CARTPOLE)
  observations = np.zeros((2, 5), np.float32)
  if 'actions' in teacher.gives:
    checks.ask_actions(teacher, observations)
  if 'action_gradients' in teacher.gives:
    actions = np.zeros((2, 1), np.float32)
    checks.ask_action_gradients(teacher, observations, actions)


def of_form(form: str) -> Callable[[Path], Path]:
  """A policy of that form, with a critic."""

  def write(root: Path) -> Path:
    path = root / 'teacher.npz'
    made_one = made.make(form, *_CARTPOLE.spec, hidden=(8, 8)).of(_CARTPOLE)
    critic = dict(untrained.make(6, 1, 0, (8, 8)).arrays)
    path.write_bytes(Snapshot(made_one, critic, {'seed': 1}).to_bytes())
    return path

  return write


def policy(root: Path) -> Path:
  path = RunDirectory(root).policy_path(0)
  path.parent.mkdir(parents=True)
  expert = snapshot.load('cartpole-balance/expert').snapshot
  path.write_bytes(expert.policy.to_bytes())
  return path


def read_policy(path: Path) -> None:
  """A damaged one is set aside, and made again."""
  policy = RunDirectory(path.parents[2]).policy(0)
  if policy is None:
    raise ValueError(f'{path}: set aside')
  policy(np.zeros(policy.spec.observation_size, np.float32))


def of_npz(data: bytes, draw: random.Random) -> bytes:
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


def preferences(root: Path) -> Path:
  path = root / 'preferences.csv'
  random_numbers = np.random.default_rng(0)
  with path.open('w', newline='') as file:
    writer = csv.writer(file)
    states = [f's{i}' for i in range(5)]
    writer.writerow(['person', *states, 'a0', 'b0', 'magnitude'])
    for row in random_numbers.uniform(-1, 1, (9, 7)):
      writer.writerow(['ann', *row, 3])
  return path


def read_preferences(path: Path) -> None:
  read_teacher(Path(f'teachers.preference:make?path={path}&bandwidth=0.5'))


def manifest(root: Path) -> Path:
  for step in (3, 4):
    variable = tf.Variable(float(step))
    checkpoint.save({'it': variable}, root, step)
  return root / 'step_000000004/manifest.json'


def read_manifest(path: Path) -> None:
  """A damaged one is set aside for the one before it."""
  variable = tf.Variable(0.0)
  restored = checkpoint.restore_newest({'it': variable}, path.parents[1])
  assert restored.step == float(variable)
  if restored.step == 3:
    raise ValueError(f'{path}: set aside')
