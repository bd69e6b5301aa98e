"""A worker's process that dies is started again, but not for ever."""

from pathlib import Path
import time

import psutil
import pytest

from launchers import join
from tests.launchers.gateway.test_server import TOKEN, Program
from tests.launchers.workers.test_join import Joined

pytestmark = [pytest.mark.processes, pytest.mark.long]


def test_a_worker_that_dies_again_and_again_is_given_up(tmp_path: Path) -> None:
  (tmp_path / 'token').write_text(TOKEN)
  program = Program()
  _, port = program.address.split(':')
  command = Joined(
    int(port), tmp_path / 'scratch', '--actors', '1',
    '--token-file', str(tmp_path / 'token'), host='127.0.0.1',
  )  # fmt: skip
  try:
    for death in range(join._RESTARTS + 1):
      deadline = time.monotonic() + 60
      # It has joined, which ends what an earlier process of its name had.
      while sum(told[0] == 'left' for told in program.conductor.told) <= death:
        assert command.process.poll() is None, command.output
        assert time.monotonic() < deadline, command.output
        time.sleep(0.05)
      (worker,) = psutil.Process(command.process.pid).children()
      worker.kill()
    assert command.process.wait(20) == 1, command.output
    assert command.output.count('/actor/0 ended with -9') == death + 1
  finally:
    command.process.kill()
    program.close()
