"""The node that serves Reverb's tables."""

from datasets import replay
from launchers.hosts.process import WaitForStop


def run_replay(port: int, incarnation: str, wait_for_stop: WaitForStop) -> None:
  """Serves the Reverb tables until the program stops."""
  server = replay.make_server(port, incarnation)
  while not wait_for_stop(1.0):
    pass
  server.stop()
