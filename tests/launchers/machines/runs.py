"""A tiny run whose core and workers are on hosts of their own."""

from collections.abc import Callable, Mapping
import json
from pathlib import Path
import sys
import time
from typing import Any, Optional

from tests.launchers import harness
from tests.launchers.machines.hosts import NAME, Command, Host
from tests.launchers.workers.test_join import SLOW, Keys

PORT = 50060
EPISODES = 8  # Of a cycle, each of 40 steps of 30 ms.


def start_core(
  host: Host, runs: Path, teacher: Path, keys: Keys, **changes: Any
) -> Command:
  """Starts or goes on with the run below `runs`; hosts alone act in it."""
  words = harness.arguments(
    runs,
    **{**SLOW, 'teacher': teacher, 'num_actors': 0, **changes},
    **keys.of_the_run(PORT),
  )
  return host.start(sys.executable, '-m', 'launchers.growing_batch', *words)


def start_worker(
  host: Host,
  keys: Keys,
  actors: int = 2,
  variables: Optional[Mapping[str, str]] = None,
) -> Command:
  """Joins the run from a host, by the core's name."""
  return host.start(
    sys.executable, '-m', 'launchers.join', f'{NAME}:{PORT}',
    '--scratch', str(scratch(host)), '--actors', str(actors),
    *keys.of_a_worker(), **(variables or {}),
  )  # fmt: skip


def scratch(host: Host) -> Path:
  """Where its worker keeps episodes."""
  return host.directory / 'scratch'


def kept(host: Host) -> list[Path]:
  """Episodes that its worker has yet to bring."""
  return list(scratch(host).rglob('*.npz'))


def collected(runs: Path, cycle: int) -> int:
  """Episodes of a cycle that are durable."""
  folder = f'cycles/{cycle:03d}/episodes' if cycle else 'demonstrations'
  return len(list((runs / 'tiny' / folder).glob('*.npz')))


def is_finished(runs: Path, cycle: int) -> bool:
  return (runs / f'tiny/cycles/{cycle:03d}/policy.npz').exists()


def acted_by(runs: Path, cycle: int) -> dict[str, int]:
  """Hosts and how many episodes of a cycle each has brought."""
  record = runs / f'tiny/cycles/{cycle:03d}/cycle.json'
  by_worker = json.loads(record.read_text())['acted_by']
  return {name.rpartition('-')[0]: n for name, n in by_worker.items()}


def wait_for(
  condition: Callable[[], Any], *commands: Command, seconds: float = 120.0
) -> None:
  """Waits until `condition` holds, while the commands run."""
  deadline = time.monotonic() + seconds
  while not condition():
    outputs = '\n---\n'.join(command.output for command in commands)
    assert all(command.is_up for command in commands), outputs
    assert time.monotonic() < deadline, outputs
    time.sleep(0.05)


def check(runs: Path, calm: harness.Run) -> None:
  """It has what an undisturbed run has: exact counts, the same policies."""
  directory = runs / 'tiny'
  for cycle, episodes in enumerate((3, EPISODES, EPISODES)):
    assert collected(runs, cycle) == episodes
    record = directory / f'cycles/{cycle:03d}/batch.json'
    assert json.loads(record.read_text())['episodes'] == episodes
  assert harness.final_policies(directory) == (
    harness.final_policies(calm.directory)
  )
