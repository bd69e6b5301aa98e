"""Real runs as real processes, small enough for tests."""

from collections.abc import Callable, Iterator
import contextlib
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import time
from typing import Any, Optional

import numpy as np
import psutil

from agents.deployed.policy import Policy, Snapshot
from teachers import untrained

ROOT = Path(__file__).resolve().parents[2]
NODES = ('conductor', 'replay', 'curator', 'learner', 'actor/0', 'evaluator')

# cartpole: 3 demonstrations, 2 cycles of 2 episodes, 40 steps each.
TINY = {
  'name': 'tiny',
  'task': 'cartpole-swingup',
  'cycles': 2,
  'actor_steps': 160,
  'learner_steps': 80,
  'episode_steps': 40,
  'critic_pretrain_steps': 20,
  'checkpoint_interval': 20,
  'agent.policy_layer_sizes': (8, 8),
  'agent.critic_layer_sizes': (8, 8),
  'agent.batch_size': 8,
  'cloning.steps': 20,
  'cloning.evaluation_interval': 10,
  'cloning.batch_size': 8,
  'demonstrations.episodes': 3,
  'demonstrations.noise': 0.1,
  'evaluation.interval': 20,
  'evaluation.final_episodes': 2,
}


def random_policy(seed: int) -> Policy:
  """An untrained policy for cartpole, exported."""
  return untrained.make(5, 1, seed, (8, 8))


def write_teacher(path: Path) -> Path:
  """A snapshot of an untrained policy and an untrained critic."""
  # A critic has the arrays of a policy whose inputs and outputs are others.
  critic = {**untrained.make(6, 3, 0, (8, 8)).arrays}
  critic['atoms'] = np.array([-1, 0, 1], np.float32)
  snapshot = Snapshot(random_policy(0), critic, {'task': 'cartpole-swingup'})
  path.write_bytes(snapshot.to_bytes())
  return path


def arguments(runs: Path, **changes: Any) -> list[str]:
  """The command line of a tiny run below `runs`."""
  teacher = write_teacher(runs / 'teacher.npz')
  options = {
    **TINY,
    'teacher': str(teacher),
    'runs': str(runs),
    'no-report': True,
    **{key.replace('__', '.'): value for key, value in changes.items()},
  }
  words: list[str] = []
  for key, value in options.items():
    if value is None:
      continue
    values = value if isinstance(value, tuple) else (value,)
    values = () if value is True else values  # A switch.
    words += [f'--{key}', *map(str, values)]
  return words


class Run:
  """A launched command and its nodes."""

  def __init__(self, runs: Path, words: list[str]):
    self.directory = runs / 'tiny'
    self._output = runs / f'output-{time.monotonic_ns()}'
    with self._output.open('wb') as output:
      self.process = subprocess.Popen(
        [sys.executable, '-m', 'launchers.growing_batch', *words],
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd=ROOT,
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
      )

  @property
  def output(self) -> str:
    """What it printed so far."""
    return self._output.read_text(errors='replace')

  def node(self, name: str) -> Optional[psutil.Process]:
    """The process of a node."""
    with contextlib.suppress(psutil.NoSuchProcess):
      children = psutil.Process(self.process.pid).children(recursive=True)
      for child in children:
        with contextlib.suppress(psutil.NoSuchProcess):
          if child.name() == name:
            return child
    return None

  def nodes(self) -> list[psutil.Process]:
    """All the nodes' processes that are up."""
    found = [self.node(name) for name in NODES]
    return [process for process in found if process is not None]

  def kill(self, name: str) -> None:
    """Kill -9 of a node."""
    process = self.node(name)
    assert process is not None, f'{name} is not up\n{self.output}'
    process.send_signal(signal.SIGKILL)

  def wait_for(
    self, condition: Callable[[], Any], seconds: float = 90.0
  ) -> None:
    """Waits until `condition` holds while the command runs."""
    deadline = time.monotonic() + seconds
    while not condition():
      assert self.process.poll() is None, f'it ended early\n{self.output}'
      assert time.monotonic() < deadline, f'timed out\n{self.output}'
      time.sleep(0.02)

  def wait(self, seconds: float = 120.0) -> int:
    """Waits for the end; returns the exit code."""
    return self.process.wait(seconds)

  def metrics(self, cycle: int) -> int:
    """Rows of metrics that a cycle has."""
    path = self.directory / f'cycles/{cycle:03d}/metrics.csv'
    return max(0, path.read_text().count('\n') - 1) if path.exists() else 0

  def result(self) -> dict[str, Any]:
    """The JSON object on the last line."""
    return json.loads(self.output.strip().splitlines()[-1])


@contextlib.contextmanager
def launched(runs: Path, **changes: Any) -> Iterator[Run]:
  """A tiny run that leaves no process behind."""
  run = Run(runs, arguments(runs, **changes))
  try:
    yield run
  finally:
    nodes = run.nodes()
    if run.process.poll() is None:
      run.process.kill()
    run.process.wait()
    for node in nodes:
      with contextlib.suppress(psutil.NoSuchProcess):
        node.kill()


def complete(runs: Path, **changes: Any) -> Run:
  """Runs the command to its end, which must be good."""
  with launched(runs, **changes) as run:
    assert run.wait() == 0, run.output
    return run


def final_policies(directory: Path) -> list[bytes]:
  """The bytes of every policy that a run published."""
  paths = sorted(directory.glob('cycles/*/policy.npz'))
  return [path.read_bytes() for path in paths]


def check_counts(directory: Path) -> None:
  """Every cycle has exactly its episodes, and no partial file is around."""
  assert len(list((directory / 'demonstrations').glob('*.npz'))) == 3
  for cycle in (1, 2):
    episodes = directory / f'cycles/{cycle:03d}/episodes'
    assert len(list(episodes.glob('*.npz'))) == 2
    batch = json.loads(
      (directory / f'cycles/{cycle:03d}/batch.json').read_text()
    )
    assert (batch['episodes'], batch['steps']) == (2, 80)
