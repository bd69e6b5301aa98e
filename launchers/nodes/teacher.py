"""The node that serves the advising teacher to the others."""

from typing import Any

from launchers.hosts.process import WaitForStop
from launchers.nodes import advice
from launchers.runs.config import GrowingBatchConfig
from launchers.runs.run_directory import RunDirectory


def run_teacher(
  config: GrowingBatchConfig,
  directory: RunDirectory,
  conductor: Any,
  address: str,
  wait_for_stop: WaitForStop,
) -> None:
  """Serves the advising teacher to the other nodes."""
  from teachers import service

  del conductor  # Nobody's orders are needed.
  role: advice.Role = 'advisor' if config.uses_advice else 'demonstrator'
  teacher = advice.load(config, directory, role, wait_for_stop=wait_for_stop)
  server = service.serve(teacher, address.replace('localhost', '127.0.0.1'))
  while not wait_for_stop(1.0):
    pass
  server.stop()
