"""The teacher, its services and the episodes that both sides measure with."""

from collections.abc import Iterator
import contextlib
import os
import subprocess
import sys

import numpy as np

from agents.deployed.policy import Snapshot
from benchmarks import common
from datasets.types import Annotation, Episode, EpisodeId
from launchers.hosts.process import SINGLE_THREADED
from teachers import untrained
from teachers.base import Task
from teachers.snapshot import SnapshotTeacher

TASK = Task('cheetah-run', 17, 6)
LAYER_SIZES = (256, 256, 256)
NUM_ATOMS = 51
EPISODE_STEPS = 1_000


def make(task: Task) -> SnapshotTeacher:
  """A snapshot with random weights; a factory for --teacher."""
  size = task.observation_size
  policy = untrained.make(size, task.action_size, 0, LAYER_SIZES)
  # A critic is a policy's layers for [s, a], with the atoms' logits at the end.
  critic = untrained.make(size + task.action_size, NUM_ATOMS, 1, LAYER_SIZES)
  atoms = np.linspace(-150, 150, NUM_ATOMS, dtype=np.float32)
  return SnapshotTeacher(
    'random', Snapshot(policy, {**critic.arrays, 'atoms': atoms}, {})
  )


def episodes(count: int) -> list[Episode]:
  """Episodes of noise, with noise for advice."""
  random = np.random.default_rng(0)

  def normal(*shape: int) -> np.ndarray:
    return random.standard_normal(shape, dtype=np.float32)

  actions = (EPISODE_STEPS, TASK.action_size)
  return [
    Episode(
      EpisodeId('benchmark', 1, 0, i),
      'noise',
      normal(EPISODE_STEPS + 1, TASK.observation_size),
      np.tanh(normal(*actions)),
      normal(EPISODE_STEPS),
      np.ones(EPISODE_STEPS, np.float32),
      Annotation('noise', '1', np.tanh(normal(*actions))),
    )
    for i in range(count)
  ]


@contextlib.contextmanager
def services(count: int) -> Iterator[list[str]]:
  """Serves `make` from processes of their own; gives their addresses."""
  command = [
    sys.executable, '-m', 'launchers.teach',
    '--teacher', f'{__name__}:make', '--task', TASK.name, '--port', '0',
  ]  # fmt: skip
  processes: list[subprocess.Popen[str]] = []
  try:
    for _ in range(count):
      processes.append(
        subprocess.Popen(
          command,
          cwd=common.ROOT,
          env={**os.environ, **SINGLE_THREADED},
          stdin=subprocess.DEVNULL,
          stderr=subprocess.PIPE,
          text=True,
        )
      )
    yield [_address(process) for process in processes]
  finally:
    for process in processes:
      process.terminate()
    for process in processes:
      process.communicate()


def _address(process: subprocess.Popen[str]) -> str:
  """What the service prints once it answers."""
  assert process.stderr is not None
  before = []
  for line in process.stderr:
    if line.startswith('grpc://'):
      return line.split()[0]
    before.append(line)
  raise RuntimeError(f'A service ended before it served:\n{"".join(before)}')
