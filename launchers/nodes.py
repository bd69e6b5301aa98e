"""The nodes that act: Reverb's server, the actors and the evaluator.

Each is a function that runs until the program stops. It asks the conductor
what to do and never waits for longer than it takes to notice a stop.
"""

from collections.abc import Callable
from typing import Any

from agents.policy import Policy
from datasets import replay
from datasets.types import Annotation, Episode, EpisodeId
from launchers import acting
from launchers.config import GrowingBatchConfig
from launchers.environments import Environment

WaitForStop = Callable[[float], bool]
_PAUSE = 0.2  # Seconds between two questions to the conductor.
_BATCH = 16  # Episodes that the curator takes at a time.


def run_replay(port: int, incarnation: str, wait_for_stop: WaitForStop) -> None:
  """Serves the Reverb tables until the program stops."""
  server = replay.make_server(port, incarnation)
  while not wait_for_stop(1.0):
    pass
  server.stop()


def run_actor(
  config: GrowingBatchConfig,
  actor: int,
  conductor: Any,
  replay_address: str,
  incarnation: str,
  wait_for_stop: WaitForStop,
) -> None:
  """Collects the episodes of `actor`, cycle by cycle, and sends them whole."""
  environment = Environment(config.task)
  writer = replay.EpisodeWriter(replay_address, 'collected', incarnation)
  policies: dict[int, Policy] = {}  # At most the one of this cycle.
  sent: set[tuple[int, int, int]] = set()
  while not wait_for_stop(_PAUSE):
    order = conductor.act_order(actor)
    if order is None:
      continue
    cycle = order['cycle']
    if cycle not in policies:
      policies = {cycle: Policy.from_bytes(conductor.policy(cycle))}
      _check_sizes(policies[cycle], environment, config)
    for episode, attempt in order['episodes']:
      if (cycle, episode, attempt) in sent:
        continue
      if wait_for_stop(0):
        return
      identity = EpisodeId(config.run_name, cycle, actor, episode)
      writer.write(act(config, environment, policies[cycle], identity, attempt))
      sent.add((cycle, episode, attempt))


def act(
  config: GrowingBatchConfig,
  environment: Environment,
  policy: Policy,
  identity: EpisodeId,
  attempt: int = 0,
) -> Episode:
  """Runs the episode of one identity; demonstrations carry clean labels."""
  is_demonstration = identity.cycle == 0
  noise = (
    config.demonstrations.noise if is_demonstration else config.acting_noise
  )
  _, cycle, actor, episode = identity
  rollout = acting.run_episode(
    environment,
    policy,
    config.episode_steps,
    noise,
    acting.seed_for(config.seed, acting.ACT, cycle, actor, episode, attempt),
  )
  annotation = None
  if is_demonstration:
    annotation = Annotation(config.teacher, policy.digest, rollout.proposed)
  return Episode(
    identity,
    policy.digest,
    rollout.observations,
    rollout.actions,
    rollout.rewards,
    rollout.discounts,
    annotation,
  )


def run_evaluator(
  config: GrowingBatchConfig, conductor: Any, wait_for_stop: WaitForStop
) -> None:
  """Measures policies without noise, one order of the conductor at a time."""
  environment = Environment(config.task)
  while not wait_for_stop(0):
    order = conductor.evaluation_order()
    if order is None:
      wait_for_stop(_PAUSE)
      continue
    kind, _, step = order['key']
    policy = Policy.from_bytes(order['policy'])
    returns: list[float] = []
    while len(returns) < order['episodes'] and not wait_for_stop(0):
      seed = acting.seed_for(
        config.seed, acting.EVALUATE, kind == 'final', step, len(returns)
      )
      rollout = acting.run_episode(
        environment, policy, config.episode_steps, 0.0, seed
      )
      returns.append(float(rollout.rewards.sum(dtype='float64')))
    if len(returns) == order['episodes']:
      conductor.evaluated(order['key'], returns)


def _check_sizes(
  policy: Policy, environment: Environment, config: GrowingBatchConfig
) -> None:
  if policy.spec != environment.spec:
    raise ValueError(
      f'The policy is for {policy.spec}, but {config.task} has '
      f'{environment.spec}: choose a teacher of this task.'
    )
