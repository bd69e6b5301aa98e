"""The gateway: workers on other hosts ask it for orders and bring episodes.

It serves from a thread of the curator's process, with one event loop: a
thousand workers that wait for orders are a thousand coroutines. What comes in
is handed to the curator, whose answer goes back as the receipt: nothing is
acknowledged before it is durable.
"""

import asyncio
import collections
from collections.abc import Callable
import concurrent.futures
import json
import threading
from typing import Any, Optional

import grpc

from datasets.types import EpisodeId
from launchers.environments.base import Description
from launchers.gateway import door, wire
from launchers.gateway import gateway_pb2 as pb
from launchers.gateway.intake import Arrival, Intake
from launchers.gateway.line import Line
from launchers.runs.config import GrowingBatchConfig
from teachers.credentials import ServerKeys
from teachers.wire import MessageError

MAX_REFUSED = 16
"""Episodes that nothing may learn from, after which a worker is shut out."""

_LAST_SECONDS = 2.0  # For which a run that is done tells whoever asks.
_ASKING = 8  # Threads that ask the conductor.
_NOTHING = pb.Nothing()


class Gateway:
  """Serves one run.

  The loop that uses it:

      gateway = Gateway(config, description, conductor, is_done)
      gateway.serve('127.0.0.1:50060', keys)
      while not wait_for_stop(0):
        for arrival in gateway.take(0.2):
          arrival.answer(check_and_commit(arrival.episode))
      gateway.close()
  """

  def __init__(
    self,
    config: GrowingBatchConfig,
    environment: Description,
    conductor: Any,
    is_done: Callable[[], bool],
    demonstrator: Optional[tuple[str, bytes]] = None,
  ):
    """Serves nobody yet.

    Args:
      config: of the run.
      environment: what is acted in.
      conductor: is asked for orders, and told who lives and who has gone.
      is_done: whether nothing will be ordered any more.
      demonstrator: name and file of the snapshot that acts in cycle 0; None:
        another teacher does, which stays with the run.
    """
    self._config = config
    self._environment = environment
    self._conductor = conductor
    self._is_done = is_done
    self._demonstrator = demonstrator
    self._actors = Line(self._next_order, self._gone)
    self._evaluators = Line(self._next_evaluations, self._gone)
    self._refused: collections.Counter[str] = collections.Counter()
    self._policies: dict[int, bytes] = {}
    self._loop = asyncio.new_event_loop()
    self._intake = Intake(self._loop)
    self._pool = concurrent.futures.ThreadPoolExecutor(_ASKING, 'gateway')
    self._server: Any = None

  def serve(self, address: str, keys: ServerKeys) -> int:
    """Begins; returns the port.

    Args:
      address: host:port, or unix:PATH.
      keys: for TLS and the token.

    Raises:
      OSError: nothing can listen there.
    """
    threading.Thread(target=self._run, name='gateway', daemon=True).start()
    self._server, port = self._await(
      door.opened(address, keys, self._handlers())
    )
    for line in (self._actors, self._evaluators):
      asyncio.run_coroutine_threadsafe(line.serve(), self._loop)
    return port

  def take(self, seconds: float) -> list[Arrival]:
    """What has come in; waits so long for the first of it."""
    return self._intake.take(seconds)

  def close(self) -> None:
    """Tells whoever waits if the run is done, and ends."""
    self._await(self._end())
    self._loop.call_soon_threadsafe(self._loop.stop)
    self._pool.shutdown()

  def _await(self, coroutine: Any) -> Any:
    return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

  def _run(self) -> None:
    asyncio.set_event_loop(self._loop)
    self._loop.run_forever()

  # --- What follows is the loop's. ---

  async def _end(self) -> None:
    if self._is_done():
      await asyncio.sleep(_LAST_SECONDS)
    await self._server.stop(1.0)

  def _handlers(self) -> dict[str, tuple[type, door.Handler]]:
    return {
      'Join': (pb.JoinRequest, self._join),
      'Orders': (pb.OrdersRequest, self._orders),
      'Policy': (pb.PolicyRequest, self._policy),
      'Deliver': (pb.Delivery, self._deliver),
      'Failed': (pb.FailedEpisode, self._failed),
      'EvaluationOrders': (pb.OrdersRequest, self._evaluation_orders),
      'Evaluated': (pb.EvaluationResult, self._evaluated),
      'Status': (pb.Nothing, self._status),
      'Alive': (pb.Worker, self._alive),
      'Leave': (pb.Worker, self._leave),
    }

  async def _ask(self, function: Callable[..., Any], *args: Any) -> Any:
    return await self._loop.run_in_executor(self._pool, function, *args)

  def _cycles(self) -> list[int]:
    return list(self._conductor.open_cycles())

  async def _join(self, request: Any, context: Any) -> Any:
    wire.check_name(request.worker)
    differences = wire.differences(request)
    if differences:
      await context.abort(
        grpc.StatusCode.FAILED_PRECONDITION,
        f'The worker is of another version ({"; ".join(differences)}): give '
        'it the sources and requirements of the run.',
      )
    # Of an earlier process of this name, which does not act any more.
    await self._ask(self._conductor.left, request.worker)
    config = self._config
    return pb.Assignment(
      run=config.run_name,
      seed=config.seed,
      task=config.task,
      description=json.dumps(self._environment.to_json()),
      episode_steps=config.episode_steps,
      has_action_bound=config.action_bound is not None,
      action_bound=config.action_bound or 0.0,
      is_same_cpu=request.cpu == wire.cpu(),
    )

  async def _orders(self, request: Any, context: Any) -> Any:
    order = await self._await_order(self._actors, request, context)
    return order or pb.Order()

  async def _evaluation_orders(self, request: Any, context: Any) -> Any:
    order = await self._await_order(self._evaluators, request, context)
    return order or pb.EvaluationOrder()

  async def _await_order(self, line: Line, request: Any, context: Any) -> Any:
    await self._check_welcome(request.worker, context)
    most = min(max(request.most, 1), wire.MAX_LANES)
    order = await line.wait(request.worker, most)
    if order is None:
      await self._ask(self._conductor.alive, request.worker)
    return order

  async def _gone(self, worker: str) -> None:
    await self._ask(self._conductor.left, worker)

  async def _next_evaluations(self, worker: str, _: int) -> Optional[Any]:
    if self._is_done():
      return pb.EvaluationOrder(is_done=True)
    found = await self._ask(
      self._conductor.evaluation_order, worker, self._demonstrator is not None
    )
    return None if found is None else wire.evaluation_order(found)

  async def _evaluated(self, request: Any, context: Any) -> Any:
    await self._check_welcome(request.worker, context)
    key, returns, failures = wire.evaluation_result(request)
    wanted = self._config.evaluation.episodes_of(key[0])
    if len(returns) + len(failures) != wanted:
      raise MessageError(
        f'{key} takes {wanted} episodes; {len(returns)} returns came, and '
        f'{len(failures)} failures.'
      )
    # It took nothing of this host's time.
    await self._ask(self._conductor.evaluated, key, returns, failures, 0.0)
    return _NOTHING

  async def _status(self, request: Any, context: Any) -> Any:
    status = await self._ask(self._conductor.status)
    return pb.RunStatus(
      run=self._config.run_name,
      cycles=self._config.cycles,
      status=json.dumps(status),
    )

  async def _next_order(self, worker: str, most: int) -> Optional[Any]:
    if self._is_done():
      return pb.Order(is_done=True)
    first_cycle = 0 if self._demonstrator else 1
    found = await self._ask(
      self._conductor.act_order, worker, most, first_cycle
    )
    if found is None:
      return None
    return pb.Order(
      cycle=found['cycle'],
      attempts=[pb.Attempt(episode=e, number=n) for e, n in found['episodes']],
      noise=found['noise'],
    )

  async def _policy(self, request: Any, context: Any) -> Any:
    if request.cycle == 0 and self._demonstrator:
      name, data = self._demonstrator
      return pb.PolicyFile(name=name, data=data)
    # Also one that is over by now, for whoever was given its last order.
    if not 1 <= request.cycle <= max(await self._ask(self._cycles)):
      raise MessageError(f'No policy acts in cycle {request.cycle}.')
    if request.cycle not in self._policies:
      data = await self._ask(self._conductor.policy, request.cycle)
      self._policies = {request.cycle: data}
    return pb.PolicyFile(data=self._policies[request.cycle])

  async def _deliver(self, request: Any, context: Any) -> Any:
    await self._check_welcome(request.worker, context)
    if self._intake.is_full:
      await context.abort(
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        'Too many episodes are being brought; bring it again later.',
      )
    reason = await self._intake.hand_in(request.worker, request.episode)
    if reason:
      await self._note_refusal(request.worker, reason)
    return pb.Receipt(refused=reason)

  async def _failed(self, request: Any, context: Any) -> Any:
    await self._check_welcome(request.worker, context)
    run, episode = self._config.run_name, request.attempt.episode
    identity = EpisodeId(run, request.cycle, 0, episode)
    if not self._config.wants(identity):
      raise MessageError(f'{identity} is none of this run.')
    # One that comes late, after another worker's, is of no use to anybody.
    if request.cycle in await self._ask(self._cycles):
      reason, number = request.reason[:1_000], request.attempt.number
      await self._ask(self._conductor.refused, tuple(identity), reason, number)
    return _NOTHING

  async def _alive(self, request: Any, context: Any) -> Any:
    await self._check_welcome(request.name, context)
    await self._ask(self._conductor.alive, request.name)
    return _NOTHING

  async def _leave(self, request: Any, context: Any) -> Any:
    await self._check_welcome(request.name, context)
    await self._ask(self._conductor.left, request.name)
    return _NOTHING

  async def _check_welcome(self, worker: str, context: Any) -> None:
    wire.check_name(worker)
    if self._refused[worker] >= MAX_REFUSED:
      await context.abort(
        grpc.StatusCode.PERMISSION_DENIED,
        f'{worker} is shut out: {MAX_REFUSED} of its episodes were refused.',
      )

  async def _note_refusal(self, worker: str, reason: str) -> None:
    self._refused[worker] += 1
    print(f'Refused, of {worker}: {reason}', flush=True)
    # It will not bring it again, and may live for long: others get what it has.
    await self._ask(self._conductor.left, worker)
    if self._refused[worker] == MAX_REFUSED:
      await self._ask(
        self._conductor.warn,
        f'{worker} is shut out: {MAX_REFUSED} of its episodes were refused. '
        f'The last: {reason}',
      )
