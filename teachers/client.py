"""A teacher that answers from other processes; `teachers.service` or anyone's.

teacher = connect(['grpc://127.0.0.1:50051', 'grpc://127.0.0.1:50052'])
actions = teacher.actions(observations)  # Waits while nobody answers.
"""

from collections.abc import Callable, Sequence
import logging
import os
from pathlib import Path
from typing import Any, Optional

import numpy as np

from teachers import checks, credentials, wire
from teachers import service_pb2 as pb
from teachers.base import Kind, Teacher
from teachers.endpoint import AbsentError, Description, Endpoint
from teachers.errors import AdviceRefusedError
from teachers.failover import Report, Services

TOKEN = 'UNDERSTUDY_TEACHER_TOKEN'
ROOT_CERTIFICATES = 'UNDERSTUDY_TEACHER_ROOT_CERTIFICATES'
DEADLINE = 'UNDERSTUDY_TEACHER_DEADLINE'
"""Environment variables: secrets have no place in config.json, where a run's
command line is written, and a deadline may change when a run goes on."""


class RemoteTeacher(Teacher):
  """Services of one teacher, which share the load; any thread may ask.

  Made by `connect`. Besides what a `Teacher` raises, both calls raise
  AdviceRefusedError (an answer that nothing may learn from, three times),
  TeacherFailedError (an answer that is an error), TeacherUnavailableError (the
  patience is at its end), TeacherStoppedError (the program stops) and
  WrongTeacherError (a service came back as another teacher).
  """

  def __init__(
    self, description: Description, services: Services, deadline: float
  ):
    super().__init__(*description[:4], description.task)
    self._description = description
    self._services = services
    self._deadline = deadline
    columns = self.observation_size + self.action_size
    # Half of what a message may hold: the rest is for its frame.
    self._rows = min(wire.BLOCK_ROWS, wire.MAX_BYTES // 2 // (4 * columns))

  @property
  def gives(self) -> frozenset[Kind]:
    """What its services say that they give."""
    kinds: list[Kind] = []
    kinds += ['actions'] * self._description.gives_actions
    kinds += ['action_gradients'] * self._description.gives_action_gradients
    return frozenset(kinds)

  def actions(self, observations: np.ndarray) -> np.ndarray:
    """See `Teacher.actions`."""
    if 'actions' not in self.gives:
      return super().actions(observations)
    self._check_width(observations)
    return self._in_pieces(
      'actions',
      len(observations),
      lambda rows: pb.ActionsRequest(
        observations=wire.encode(observations[rows])
      ),
    )

  def action_gradients(
    self, observations: np.ndarray, actions: np.ndarray
  ) -> np.ndarray:
    """See `Teacher.action_gradients`."""
    if 'action_gradients' not in self.gives:
      return super().action_gradients(observations, actions)
    self._check_width(observations)
    return self._in_pieces(
      'action_gradients',
      len(observations),
      lambda rows: pb.ActionGradientsRequest(
        observations=wire.encode(observations[rows]),
        actions=wire.encode(actions[rows]),
      ),
    )

  def close(self) -> None:
    """Closes the connections; no call may follow."""
    self._services.close()

  def _check_width(self, observations: np.ndarray) -> None:
    width = self.observation_size
    if observations.ndim != 2 or observations.shape[1] != width:
      raise ValueError(
        f'The observations have shape {observations.shape}; {self.name} takes '
        f'[B, {width}].'
      )

  def _in_pieces(
    self, kind: Kind, batch: int, request: Callable[[slice], Any]
  ) -> np.ndarray:
    advice = np.empty((batch, self.action_size), np.float32)
    for rows in wire.blocks(batch, self._rows):
      advice[rows] = self._ask(kind, request(rows), rows.stop - rows.start)
    return advice

  def _ask(self, kind: Kind, request: Any, batch: int) -> np.ndarray:
    def job(endpoint: Endpoint) -> np.ndarray:
      probe = self._services.probe_deadline(endpoint, self._deadline)
      endpoint.check(self._description, probe)
      data = endpoint.call(wire.METHODS[kind], request, self._deadline)
      return self._checked(kind, endpoint, data, batch)

    return self._services.run(job)

  def _checked(
    self, kind: Kind, endpoint: Endpoint, data: bytes, batch: int
  ) -> np.ndarray:
    try:
      reply = wire.parse(pb.Advice, data)
      if reply.version != self.version:
        # Whoever answers there now has to say first who it is.
        endpoint.description = None
        raise AdviceRefusedError(
          f'the advice is of version {wire.printable(reply.version)!r}, but '
          f'it described itself as {self.version!r}.'
        )
      values = wire.decode(f'The {kind} of {self.name}', reply.values)
      if kind == 'actions':
        checks.check_actions(self, values, batch)
      else:
        checks.check_gradients(self, values, batch)
    except (wire.MessageError, AdviceRefusedError) as error:
      raise AdviceRefusedError(f'{endpoint.address}: {error}') from error
    return values


def connect(
  addresses: Sequence[str],
  *,
  deadline: Optional[float] = None,
  patience: Optional[float] = None,
  on_trouble: Optional[Report] = None,
  is_stopping: Optional[Callable[[], bool]] = None,
  token: Optional[str] = None,
  root_certificates: Optional[Path] = None,
) -> RemoteTeacher:
  """The teacher behind one or several services, when one of them answers.

  Args:
    addresses: 'grpc://host:port', services of the same teacher.
    deadline: seconds for each call. None: those of the environment variable
      UNDERSTUDY_TEACHER_DEADLINE, else 10.
    patience: seconds for which nobody may answer; None: any time.
    on_trouble: called with what fails when advice is late, again at each
      further try, and with None when advice comes again; by whichever thread
      asks.
      None: it is logged as a warning.
    is_stopping: asked about every 0.1 s while a call waits.
    token: None: that of the environment variable UNDERSTUDY_TEACHER_TOKEN.
    root_certificates: a PEM file; all services are then asked over TLS. None:
      that of UNDERSTUDY_TEACHER_ROOT_CERTIFICATES.

  Raises:
    ExposedError: an address is not loopback; TLS or the token is missing.
    WrongTeacherError: the services are of different teachers.
    AdviceRefusedError, TeacherFailedError, TeacherUnavailableError,
    TeacherStoppedError: as the calls of RemoteTeacher.
    OSError, ValueError: no addresses, certificates or token.
  """
  if not addresses:
    raise ValueError('No address of a teacher service: give at least one.')
  if token is None:
    token = os.environ.get(TOKEN, '')
  if token:
    credentials.check_token(token, TOKEN)
  certificates = None
  if root_certificates is None and os.environ.get(ROOT_CERTIFICATES):
    root_certificates = Path(os.environ[ROOT_CERTIFICATES])
  if root_certificates is not None:
    certificates = credentials.read_certificates(
      root_certificates, ROOT_CERTIFICATES
    )
  if deadline is None:
    deadline = _deadline()
  stopping = is_stopping or (lambda: False)
  endpoints = [
    Endpoint(
      address.removeprefix('grpc://'),
      token=token,
      root_certificates=certificates,
      is_stopping=stopping,
    )
    for address in addresses
  ]
  services = Services(endpoints, patience, on_trouble or _log, stopping)
  return RemoteTeacher(_describe(services, deadline), services, deadline)


def _deadline() -> float:
  text = os.environ.get(DEADLINE) or '10'
  try:
    seconds = float(text)
  except ValueError:
    seconds = 0.0
  if not 0 < seconds < float('inf'):
    raise ValueError(f'{DEADLINE} is {text!r}; give seconds above 0.')
  return seconds


def _describe(services: Services, deadline: float) -> Description:
  """What one of them says; those that answer now say the same."""
  found = services.run(lambda endpoint: endpoint.describe(deadline))
  for endpoint in services.endpoints:
    try:
      endpoint.check(found, services.probe_deadline(endpoint, deadline))
    except AbsentError:
      continue  # It is asked again when its turn comes.
  return found


def _log(message: Optional[str]) -> None:
  logging.warning(message or 'The teacher answers again.')
