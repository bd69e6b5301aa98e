"""The Launchpad program: which nodes there are and who talks to whom.

   ┌──────────────────────── π_k, orders ────────────────────────┐
   ▼                                                             │
actor/0 … actor/n ──episodes──▶ replay ──▶ curator ──▶ replay ──▶ learner
                             `collected`  │ (store)  `replay`    │
                              teacher/i ◀─┤ actions               ├─▶ teacher/i
                                          └──▶ conductor ◀───────┤ ∇a at π(s)
                                                   ▲             │ π
                                               evaluator ◀───────┘
"""

from pathlib import Path
import threading
import time
from typing import Any

import launchpad as lp
from launchpad import address as lp_address
import tree

from datasets.files import DamagedFileError
from launchers.acting.outcomes import ActingStoppedError
from launchers.hosts.heartbeat import Heart, heart_path
from launchers.hosts.process import enter_node, import_function, refusing
from launchers.nodes.conductor import Conductor
from launchers.nodes.ledger import RunFailedError
from launchers.runs.config import GrowingBatchConfig
from launchers.runs.launch_config import GatewayOptions
from launchers.runs.run_directory import RunDirectory
from teachers.errors import (
  AdviceRefusedError,
  TeacherFailedError,
  TeacherStoppedError,
  WrongTeacherError,
)

_REFUSALS = (
  AdviceRefusedError,
  DamagedFileError,
  RunFailedError,
  TeacherFailedError,
  WrongTeacherError,
)
# Seconds; Courier's own default is for ever. Longer than the supervisor takes
# to find out that it is the conductor that hangs, and not who waits for it.
_CALL_TIMEOUT = 120.0
_THREADS_GRACE = 3.0  # Seconds that a server outlives its clients.


def make_program(
  config: GrowingBatchConfig,
  directory: RunDirectory,
  incarnation: str,
  port: int,
  hearts: Path,
  gateway: GatewayOptions,
) -> tuple[lp.Program, lp.Address]:
  """Builds the program; every arrow of the diagram is an argument here.

  Args:
    config: what the run is.
    directory: where it is.
    incarnation: a name for this launch's Reverb server, unlike any other's.
    port: the conductor's port; Reverb's and the teachers' follow. 0: free ones.
    hearts: the directory where each node shows that it lives.
    gateway: where workers on other hosts join.

  Returns:
    The program, and the conductor's address for the display.
  """
  program = lp.Program('understudy')

  conductor_node = _ConductorNode(_conductor, config, directory, hearts)
  conductor_node.port = port
  conductor = program.add_node(conductor_node, 'conductor')
  conductor.set_client_kwargs(call_timeout=_CALL_TIMEOUT)

  replay_address = lp.Address('replay')
  replay_node = _PyNode(_replay, replay_address, incarnation, hearts)
  replay_node.allocate_address(replay_address)
  replay_node.port = port and port + 1
  program.add_node(replay_node, 'replay')

  def add(function: str, name: str, *args: Any) -> _PyNode:
    node = _PyNode(_run, function, name, hearts, *args)
    program.add_node(node, name.split('/')[0])
    return node

  run = (config, directory, conductor)
  services = [lp.Address(f'teacher{i}') for i in range(config.num_teachers)]
  for i, address in enumerate(services):
    node = add(
      'launchers.nodes.teacher:run_teacher', f'teacher/{i}', *run, address
    )
    node.allocate_address(address)
    node.port = port and port + 2 + i
  data = (*run, replay_address, incarnation)
  add(
    'launchers.nodes.curator:run_curator', 'curator', *data, services, gateway
  )
  add('launchers.nodes.learner:run_learner', 'learner', *data, services)
  for actor in range(config.num_actors):
    add(
      'launchers.nodes.actor:run_actor',
      f'actor/{actor}',
      *data,
      services,
      actor,
    )
  if config.has_simulator:
    add('launchers.nodes.evaluator:run_evaluator', 'evaluator', *run, services)
  return program, conductor_node.courier_address


class _PortMixin:
  """A node that listens on a chosen port; Launchpad picks one for port 0."""

  port = 0
  addresses: list[lp.Address]

  def bind_addresses(self, **kwargs: Any) -> None:
    """Called by Launchpad when it launches the program."""
    if self.port:
      self.addresses[0].bind(_FixedAddress(self.port))
    else:
      super().bind_addresses(**kwargs)  # type: ignore[misc]  # The node has it.


class _ConductorNode(_PortMixin, lp.CourierNode):
  pass


class _PyNode(_PortMixin, lp.PyNode):
  pass


class _FixedAddress(lp_address.AbstractAddressBuilder):
  def __init__(self, port: int):
    self._port = port

  def build(self) -> str:
    return f'localhost:{self._port}'


class _Conductor(Conductor):
  """A conductor that is a node."""

  def run(self) -> None:
    with refusing(*_REFUSALS):
      super().run()


def _conductor(
  config: GrowingBatchConfig, directory: RunDirectory, hearts: Path
) -> Conductor:
  enter_node('conductor')
  heart = Heart(heart_path(hearts, 'conductor'), _wait_for_stop_of_servers)
  with refusing(*_REFUSALS):
    return _Conductor(config, directory, heart)


def _replay(address: lp.Address, incarnation: str, hearts: Path) -> None:
  enter_node('replay')
  heart = Heart(heart_path(hearts, 'replay'), _wait_for_stop_of_servers)
  port = lp_address.get_port_from_address(address.resolve())
  from launchers.nodes import replay  # Reverb, which the others do without.

  replay.run_replay(port, incarnation, heart)


def _wait_for_stop_of_servers(seconds: float) -> bool:
  """Servers outlive their clients, which end with a call or two.

  Processes are stopped in that order. Threads all stop at one event, so that
  a server's thread gives the others a moment.
  """
  stopping = lp.wait_for_stop(seconds)
  if stopping and threading.current_thread() is not threading.main_thread():
    time.sleep(_THREADS_GRACE)
  return stopping


def _run(function: str, name: str, hearts: Path, *args: Any) -> None:
  """Runs 'module:function' as the node of this name.

  Each process imports only its own: TensorFlow, which the learner alone needs,
  takes seconds and some 400 MB.
  """
  enter_node(name)
  # The event, for `lp.wait_for_stop` works in the node's own thread alone.
  heart = Heart(heart_path(hearts, name), lp.stop_event().wait)
  resolved = tree.map_structure(
    lambda x: x.resolve() if isinstance(x, lp.Address) else x, args
  )
  try:
    with refusing(*_REFUSALS):
      import_function(function)(*resolved, heart)
  except TeacherStoppedError:
    print('Stopped while it waited for the teacher.', flush=True)
  except ActingStoppedError:
    print('Stopped amid episodes, which are acted again.', flush=True)
