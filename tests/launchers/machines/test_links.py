"""Links that are cut, and mended or not."""

from pathlib import Path
import signal

import pytest

from tests.launchers import harness
from tests.launchers.machines import runs
from tests.launchers.machines.hosts import Lan
from tests.launchers.workers.test_join import Keys

pytestmark = [pytest.mark.processes, pytest.mark.long]


def test_links_are_cut_for_a_minute_and_for_good(
  tmp_path: Path, lan: Lan, keys: Keys, teacher: Path, calm: harness.Run
) -> None:
  core, one, two = (lan.add(name) for name in ('core', 'one', 'two'))
  for host in (one, two):
    host.know(core.address)
  run = runs.start_core(core, tmp_path, teacher, keys)
  workers = [runs.start_worker(host, keys) for host in (one, two)]
  runs.wait_for(lambda: runs.collected(tmp_path, 1), run, *workers)

  # For a minute: what it has acted meanwhile comes late, and changes nothing.
  one.set_link('down')
  runs.wait_for(lambda: runs.kept(one), run, *workers)
  kept = runs.kept(one)
  assert runs.collected(tmp_path, 1) < runs.EPISODES, 'It was cut too late.'
  runs.wait_for(lambda: runs.is_finished(tmp_path, 1), run, *workers)
  assert 'does not answer' in workers[0].output
  one.set_link('up')
  runs.wait_for(lambda: 'answers again' in workers[0].output, run, *workers)
  runs.wait_for(lambda: not any(p.exists() for p in kept), run, *workers)

  # For good, and it is told to stop: nobody hears that it leaves.
  runs.wait_for(lambda: runs.collected(tmp_path, 2), run, *workers)
  two.set_link('down')
  assert runs.collected(tmp_path, 2) < runs.EPISODES, 'It was cut too late.'
  runs.wait_for(lambda: 'does not answer' in workers[1].output, *workers)
  workers[1].send_signal(signal.SIGTERM)
  assert workers[1].wait(15) == 128 + signal.SIGTERM, workers[1].output
  assert 'The same command joins again' in workers[1].output
  assert run.wait(150) == 0, run.output
  assert workers[0].wait(30) == 0, workers[0].output
  runs.check(tmp_path, calm)
  assert [h.processes() for h in (core, one, two)] == [[], [], []]
