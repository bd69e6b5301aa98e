"""What workers on other hosts bring to the curator."""

from collections.abc import Callable, Iterator
import contextlib
import socket
from typing import Any

from datasets import files, relays
from launchers.gateway.server import Arrival, Gateway
from launchers.hosts.process import WaitForStop
from launchers.nodes import tasks
from launchers.runs.config import GrowingBatchConfig
from launchers.runs.launch_config import GatewayOptions
from launchers.runs.run_directory import RunDirectory
from teachers import credentials

Take = Callable[[float], list[Arrival]]
"""Gives what has come in; waits so many seconds for the first of it."""


@contextlib.contextmanager
def opened(
  options: GatewayOptions,
  config: GrowingBatchConfig,
  directory: RunDirectory,
  conductor: Any,
  wait_for_stop: WaitForStop,
) -> Iterator[Take]:
  """Serves while the curator goes on; without an address, nothing comes in.

  Args:
    options: where, and with which keys.
    config: of the run.
    directory: of the run.
    conductor: of the run.
    wait_for_stop: what there is to wait by where nothing comes in.
  """
  if not options.address:

    def wait(seconds: float) -> list[Arrival]:
      wait_for_stop(seconds)
      return []

    yield wait
    return
  snapshot = directory.teacher_file('demonstrator')
  gateway = Gateway(
    config,
    tasks.load(config, directory),
    conductor,
    lambda: directory.policy_path(config.cycles).exists(),
    (config.demonstrator, snapshot.read_bytes()) if snapshot.exists() else None,
  )
  # In a network of its own, a relay leads from the port to a socket.
  ways = relays.announced() or {}
  path = ways.get(relays.way_in(options.address))
  gateway.serve(f'unix:{path}' if path else options.address, options.keys())
  try:
    with _announced(options):
      yield gateway.take
  finally:
    gateway.close()


@contextlib.contextmanager
def _announced(options: GatewayOptions) -> Iterator[None]:
  """Tells workers where the gateway is; by a run that has its directory."""
  if options.announce is None:
    yield
    return
  _, port = credentials.split_address(options.address)
  files.write_text(options.announce, f'{socket.gethostname()}:{port}\n')
  try:
    yield
  finally:
    options.announce.unlink(missing_ok=True)
