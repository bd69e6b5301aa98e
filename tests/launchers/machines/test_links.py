"""Links that are cut, and mended or not."""

from pathlib import Path
import signal
import time

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
  workers[0].forget()
  one.set_link('down')
  runs.wait_for(lambda: runs.kept(one), run, *workers)
  kept = runs.kept(one)
  assert runs.collected(tmp_path, 1) < runs.EPISODES, 'It was cut too late.'
  runs.wait_for(lambda: runs.is_finished(tmp_path, 1), run, *workers)
  assert 'does not answer' in workers[0].output
  workers[0].forget()
  one.set_link('up')

  # For good, amid its episodes; told to stop, it says that nobody hears of it.
  time.sleep(1)  # Of some five that the episodes of its orders take.
  workers[1].forget()
  two.set_link('down')
  assert runs.collected(tmp_path, 2) < runs.EPISODES, 'It was cut too late.'
  runs.wait_for(lambda: 'answers again' in workers[0].output, run, *workers)
  runs.wait_for(lambda: not any(p.exists() for p in kept), run, *workers)
  runs.wait_for(lambda: runs.kept(two), run, *workers)
  runs.wait_for(lambda: 'does not answer' in workers[1].output, *workers)
  workers[1].send_signal(signal.SIGTERM)
  assert workers[1].wait(15) == 128 + signal.SIGTERM, workers[1].output
  assert 'does not hear that this worker leaves' in workers[1].output
  assert 'The same command joins again' in workers[1].output
  assert runs.kept(two)
  assert run.wait(150) == 0, run.output
  assert workers[0].wait(30) == 0, workers[0].output
  runs.check(tmp_path, calm)
  assert runs.acted_by(tmp_path, 2).keys() >= {'one'}
  assert [h.processes() for h in (core, one, two)] == [[], [], []]
