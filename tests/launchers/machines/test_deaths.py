"""Hosts whose power fails, and a core that comes back elsewhere."""

from pathlib import Path

import pytest

from tests.launchers import harness
from tests.launchers.machines import runs
from tests.launchers.machines.hosts import Lan
from tests.launchers.workers.test_join import Keys

pytestmark = [pytest.mark.processes, pytest.mark.long]


def test_hosts_die_and_the_core_comes_back_at_another_address(
  tmp_path: Path, lan: Lan, keys: Keys, teacher: Path, calm: harness.Run
) -> None:
  """A worker asks for the core by name again and again, wherever it is."""
  core, one, two = (lan.add(name) for name in ('core', 'one', 'two'))
  for host in (one, two):
    host.know(core.address)
  run = runs.start_core(core, tmp_path, teacher, keys)
  runs.start_worker(one, keys)
  worker = runs.start_worker(two, keys)
  runs.wait_for(lambda: runs.collected(tmp_path, 1), run, worker)
  one.kill()
  assert runs.collected(tmp_path, 1) < runs.EPISODES, 'It was killed too late.'
  runs.wait_for(lambda: runs.is_finished(tmp_path, 1), run, worker)
  worker.forget()
  core.kill()
  runs.wait_for(lambda: 'does not answer' in worker.output, worker)

  core = lan.add('core')
  two.know(core.address)
  run = runs.start_core(core, tmp_path, teacher, keys)
  assert run.wait(120) == 0, run.output
  assert worker.wait(60) == 0, worker.output
  assert 'core.example:50060 answers again' in worker.output
  assert 'The run is done' in worker.output
  runs.check(tmp_path, calm)
  assert set(runs.acted_by(tmp_path, 2)) == {'two'}
  assert (core.processes(), two.processes()) == ([], [])
