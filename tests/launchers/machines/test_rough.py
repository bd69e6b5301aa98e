"""A run among rough neighbours, on a rough network."""

import json
from pathlib import Path
import sys
from typing import Any

import pytest

from launchers.gateway.server import MAX_REFUSED
from tests.launchers import harness
from tests.launchers.machines import hosts, runs
from tests.launchers.machines.hosts import Command, Host, Lan
from tests.launchers.workers.test_join import Keys

pytestmark = [pytest.mark.processes, pytest.mark.long]

PORT = str(runs.PORT)


@pytest.fixture(autouse=True)
def _tools() -> None:
  if reason := hosts.check_tools():
    pytest.skip(reason)


class Stranger:
  """Commands of `tests.launchers.machines.strangers` on a host."""

  def __init__(self, host: Host, core: Host, keys: Keys):
    host.know(core.address)
    self._host, self._core = host, core
    self._keys = str(keys.token), str(keys.certificate), PORT

  def flood(self, trap: Path) -> Command:
    return self._start('flood', self._core.address, PORT, str(trap))

  def scan(self) -> Command:
    return self._start('scan', self._core.address)

  def join(self) -> Command:
    return self._start('join', self._core.address, *self._keys)

  def bring(self, episodes: Path) -> Command:
    return self._start('bring', self._core.address, *self._keys, str(episodes))

  def _start(self, *words: str) -> Command:
    module = 'tests.launchers.machines.strangers'
    return self._host.start(sys.executable, '-m', module, *words)


def said(command: Command, seconds: float = 120.0) -> Any:
  assert command.wait(seconds) == 0, command.output
  return json.loads(command.output.splitlines()[-1])


def fill(directory: Path, host: Host) -> None:
  """Makes it a disk on which there is no room."""
  directory.mkdir(exist_ok=True)
  text = f'mount -t tmpfs -o size=64k none {directory}; '
  text += f'cat /dev/zero > {directory}/full 2> /dev/null || true'
  host.run('sh', '-ec', text)


def slowed(host: Host, core: Host) -> Command:
  """Takes each byte to the core and back 200 ms."""
  host.know('127.0.0.1')
  module = 'tests.launchers.machines.slow'
  return host.start(
    sys.executable, '-m', module, PORT, f'{core.address}:{PORT}', '0.2'
  )


def test_a_rough_network_and_rough_neighbours_change_nothing(
  tmp_path: Path, lan: Lan, keys: Keys, teacher: Path, calm: harness.Run
) -> None:
  """One host loses packets and has no room; one is far off, its clock wrong."""
  core, one, two, three = map(lan.add, ('core', 'one', 'two', 'three'))
  stranger, trap = Stranger(three, core, keys), tmp_path / 'trap'
  run = runs.start_core(core, tmp_path, teacher, keys)
  one.know(core.address)
  one.lose(5)
  fill(runs.scratch(one), one)
  proxy = slowed(two, core)
  runs.wait_for((tmp_path / 'tiny/config.json').exists, run, proxy)
  late = runs.start_worker(three, keys, 1, hosts.wrong_clock('-2y'))
  assert late.wait(120) == 2, late.output
  assert 'look at the clock' in ' '.join(late.output.split())

  flood = stranger.flood(trap)
  runs.wait_for(lambda: '[500, ' in flood.output, run, flood)
  workers = [
    runs.start_worker(one, keys),
    runs.start_worker(two, keys, 2, hosts.wrong_clock('+1d')),
  ]
  crowd = stranger.join()
  bad = stranger.bring(tmp_path / 'tiny/cycles/001/episodes')
  runs.wait_for(lambda: runs.collected(tmp_path, 1), run, flood, *workers)
  scan = stranger.scan()
  check_answers(said(bad), run)
  assert said(scan) == [runs.PORT]
  # Of strangers' connections, and pickles sent inside of TLS.
  silent, poisonous, _ = json.loads(flood.output.splitlines()[-1])
  assert (silent, poisonous > 0) == (500, True)
  assert flood.is_up
  assert said(crowd) == 200

  assert run.wait(180) == 0, run.output
  for worker in workers:
    assert worker.wait(60) == 0, worker.output
  assert 'episodes are brought without being kept' in workers[0].output
  assert one.lost() > 0
  assert not trap.exists()
  runs.check(tmp_path, calm)
  assert runs.acted_by(tmp_path, 1).keys() == {'one', 'two'}
  assert (core.processes(), one.processes()) == ([], [])


def check_answers(answers: list[str], run: Command) -> None:
  """Of a host that brings what nothing should learn from."""
  again, other_copy, *refused, last = answers
  assert again == other_copy == ''
  wanted = (
    'An episode of bad/actor/0', 'An episode of bad/actor/0',
    'is none of this run', 'is none of this run', 'rewards', 'policy',
  )  # fmt: skip
  for reason, words in zip(refused[: len(wanted)], wanted, strict=True):
    assert words in reason
  assert len(refused) == MAX_REFUSED
  assert 'shut out' in last
  runs.wait_for(lambda: 'bad/actor/0 is shut out' in run.output, run)
