"""The run, as a worker on another host sees it: the other end of the gateway.

It may be away: then a call waits, with longer and longer pauses, and says so
once. What it refuses for good is for a person to mend.
"""

from collections.abc import Callable
import json
import random
from typing import Any, Optional

import grpc

from agents.deployed.policy import Snapshot
from launchers.acting.outcomes import ActingStoppedError
from launchers.environments.base import Description
from launchers.gateway import gateway_pb2 as pb
from launchers.gateway import wire
from launchers.hosts.process import WaitForStop
from launchers.nodes.actor import Assignment
from launchers.workers import remedies
from launchers.workers.options import Keys
from teachers import credentials
from teachers import wire as messages
from teachers.snapshot import SnapshotTeacher

_CALL_SECONDS = 30.0  # Beyond what the gateway itself waits.
_LEAVE_SECONDS = 2.0
_PAUSES = 0.25, 15.0  # Seconds between two tries: the first, the longest.
_LOOK_SECONDS = 0.2  # Between two looks whether the worker is to stop.
_AWAY = (
  grpc.StatusCode.UNAVAILABLE,
  grpc.StatusCode.RESOURCE_EXHAUSTED,
  grpc.StatusCode.DEADLINE_EXCEEDED,
  grpc.StatusCode.CANCELLED,
  grpc.StatusCode.UNKNOWN,
)
_OPTIONS = (
  *messages.OPTIONS,
  ('grpc.keepalive_time_ms', 10_000),
  ('grpc.keepalive_timeout_ms', 5_000),
  ('grpc.max_reconnect_backoff_ms', 5_000),
)


class RunDoneError(Exception):
  """Nothing will be ordered any more."""


class TurnedAwayError(Exception):
  """The run does not take this worker; the message says what would do."""


class Core:
  """A run behind its gateway; what `nodes.actor.Actor` takes for a conductor.

  All calls but `leave` wait for a run that is away, and raise
  ActingStoppedError if the worker is to stop meanwhile, or TurnedAwayError.
  """

  def __init__(
    self,
    address: str,
    keys: Keys,
    worker: str,
    wait_for_stop: WaitForStop,
    tell: Callable[[str], None],
  ):
    """Connects when the first call is made.

    Args:
      address: host:port of the gateway.
      keys: of the worker.
      worker: its name, unlike all others'.
      wait_for_stop: waits that many seconds; whether the worker is to stop.
      tell: shows a line to a person.

    Raises:
      credentials.ExposedError: another host is to be asked without keys.
    """
    credentials.check_exposure(
      address, bool(keys.certificates), bool(keys.token),
      'Give --ca and --token-file.',
    )  # fmt: skip
    self._address = address
    self._worker = worker
    self._wait_for_stop = wait_for_stop
    self._tell = tell
    self._metadata = credentials.bearer(keys.token)
    self._keys = keys
    self._is_away = False
    if keys.certificates:
      trusted = grpc.ssl_channel_credentials(
        keys.certificates, keys.own.key or None, keys.own.certificate or None
      )
      names = (('grpc.ssl_target_name_override', keys.server_name),)
      options = (*_OPTIONS, *names) if keys.server_name else _OPTIONS
      self._channel = grpc.secure_channel(address, trusted, options)
    else:
      self._channel = grpc.insecure_channel(address, _OPTIONS)

  def join(self) -> tuple[Assignment, Description]:
    """What the worker is to act for, and in what."""
    request = pb.JoinRequest(
      worker=self._worker,
      protocol=wire.PROTOCOL,
      versions=wire.versions(),
      cpu=wire.cpu(),
    )
    answer = self._call('Join', request, pb.Assignment)
    if not answer.is_same_cpu:
      self._tell(
        'The run is on another kind of processor: episodes acted here may '
        'differ from those acted there in the last bit.'
      )
    bound = answer.action_bound if answer.has_action_bound else None
    assignment = Assignment(
      answer.run, answer.seed, answer.task, bound, answer.episode_steps
    )
    return assignment, wire.description(answer.description)

  def act_order(self, worker: str, most: int) -> Optional[dict[str, Any]]:
    """See `Collecting.act_order`; None: nothing yet.

    Raises:
      RunDoneError: nothing will be ordered any more.
    """
    request = pb.OrdersRequest(worker=worker, most=most)
    order = self._call('Orders', request, pb.Order)
    if order.is_done:
      raise RunDoneError
    if not order.attempts:
      return None
    return {
      'cycle': order.cycle,
      'noise': order.noise,
      'episodes': [(a.episode, a.number) for a in order.attempts],
    }

  def evaluation_order(self, evaluator: str) -> Optional[dict[str, Any]]:
    """See `Conductor.evaluation_order`; None: nothing yet.

    Raises:
      RunDoneError: nothing will be ordered any more.
    """
    request = pb.OrdersRequest(worker=evaluator)
    order = self._call('EvaluationOrders', request, pb.EvaluationOrder)
    if order.is_done:
      raise RunDoneError
    evaluations = [
      {
        'key': wire.evaluation_key(wanted.evaluation),
        'policy': wanted.policy,
        'episodes': wanted.episodes,
      }
      for wanted in order.wanted
    ]
    return {'evaluations': evaluations} if evaluations else None

  def evaluated(
    self,
    key: wire.EvaluationKey,
    returns: list[float],
    failures: list[str],
    core_seconds: float,
  ) -> None:
    """See `Conductor.evaluated`."""
    del core_seconds  # Of this host, which the run does not count.
    request = pb.EvaluationResult(
      worker=self._worker,
      evaluation=wire.evaluation(key),
      returns=returns,
      failures=failures,
    )
    self._call('Evaluated', request, pb.Nothing)

  def status(self) -> tuple[str, int, dict[str, Any]]:
    """The run's name, its cycles, and where it is: `Conductor.status`."""
    answer = self._call('Status', pb.Nothing(), pb.RunStatus)
    status = json.loads(answer.status)
    for name in ('collected', 'steps', 'returns'):  # JSON's keys are texts.
      status[name] = {int(cycle): x for cycle, x in status[name].items()}
    return answer.run, answer.cycles, status

  def policy(self, cycle: int) -> bytes:
    """See `Collecting.policy`."""
    request = pb.PolicyRequest(cycle=cycle)
    return self._call('Policy', request, pb.PolicyFile).data

  def demonstrator(self) -> SnapshotTeacher:
    """Who acts in cycle 0."""
    file = self._call('Policy', pb.PolicyRequest(cycle=0), pb.PolicyFile)
    return SnapshotTeacher(file.name, Snapshot.from_bytes(file.data))

  def deliver(self, episode: bytes) -> str:
    """Brings an episode's file; returns why it is refused, or ''."""
    request = pb.Delivery(worker=self._worker, episode=episode)
    return self._call('Deliver', request, pb.Receipt).refused

  def refused(
    self, identity: tuple[Any, ...], reason: str, attempt: int
  ) -> None:
    """See `Collecting.refused`."""
    _, cycle, _, episode = identity
    request = pb.FailedEpisode(
      worker=self._worker,
      cycle=cycle,
      attempt=pb.Attempt(episode=episode, number=attempt),
      reason=reason,
    )
    self._call('Failed', request, pb.Nothing)

  def alive(self, worker: str) -> None:
    """Shows that the worker lives; one that is away hears of it later."""
    request = pb.Worker(name=worker)
    self._start('Alive', request, pb.Nothing, _CALL_SECONDS)

  def leave(self) -> None:
    """Gives back what the worker holds, if the run is there."""
    request = pb.Worker(name=self._worker)
    try:
      self._start('Leave', request, pb.Nothing, _LEAVE_SECONDS).result()
    except grpc.RpcError as error:
      self._tell(
        f'The run does not hear that this worker leaves ({error.code().name}): '
        'its episodes go to others after a minute.'
      )

  def close(self) -> None:
    """Ends the connection."""
    self._channel.close()

  def _start(
    self, name: str, request: Any, answer: type, seconds: float
  ) -> Any:
    call = self._channel.unary_unary(
      wire.method(name),
      request_serializer=lambda message: message.SerializeToString(),
      response_deserializer=lambda data: wire.parse(answer, data),
    )
    return call.future(request, timeout=seconds, metadata=self._metadata)

  def _call(self, name: str, request: Any, answer: type) -> Any:
    pause, longest = _PAUSES
    while True:
      call = self._start(name, request, answer, _CALL_SECONDS)
      try:
        result = self._await(call)
      except grpc.RpcError as error:
        details = str(error.details())
        wrong = remedies.of_tls(details)
        if wrong or error.code() not in _AWAY:
          message = f'{self._address}: {wrong or details}'
          raise TurnedAwayError(message) from error
        self._note(f'{self._address} does not answer ({details}).')
      else:
        self._note('')
        return result
      if self._wait_for_stop(pause * random.uniform(0.5, 1)):
        raise ActingStoppedError
      pause = min(2 * pause, longest)

  def _await(self, call: Any) -> Any:
    """A call's answer, unless the worker is to stop first."""
    while True:
      try:
        return call.result(timeout=_LOOK_SECONDS)
      except grpc.FutureTimeoutError:
        if self._wait_for_stop(0):
          call.cancel()
          raise ActingStoppedError from None

  def _note(self, trouble: str) -> None:
    if trouble and not self._is_away:
      advice = remedies.of_silence(trouble, self._keys)
      self._tell(f'{trouble} This worker waits for it.{advice}')
    elif self._is_away and not trouble:
      self._tell(f'{self._address} answers again.')
    self._is_away = bool(trouble)
