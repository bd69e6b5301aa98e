"""The nodes that act: Reverb's server, the actors and the evaluator.

Each is a function that runs until the program stops. It asks the conductor
what to do and never waits for longer than it takes to notice a stop.
"""

from collections.abc import Callable, Iterator, Sequence
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
  most = max(map(config.episodes_in, range(config.cycles + 1)))
  environments = acting.make_environments(config.task, most)
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
      _check_sizes(policies[cycle], environments[0], config)
    due = [
      (EpisodeId(config.run_name, cycle, actor, episode), attempt)
      for episode, attempt in order['episodes']
      if (cycle, episode, attempt) not in sent
    ]
    for first in range(0, len(due), len(environments)):
      some = due[first : first + len(environments)]
      for episode in act(config, environments, policies[cycle], some):
        writer.write(episode)
      sent.update((cycle, i.episode, attempt) for i, attempt in some)
      if wait_for_stop(0):
        return


def act(
  config: GrowingBatchConfig,
  environments: Sequence[Environment],
  policy: Policy,
  orders: Sequence[tuple[EpisodeId, int]],
) -> Iterator[Episode]:
  """Runs episodes side by side; demonstrations carry clean labels.

  Args:
    config: of the run.
    environments: at least one for each episode.
    policy: the one policy of the episodes' cycle.
    orders: identities of one cycle, each with the number of its attempt.

  Yields:
    The episodes, in that order.
  """
  is_demonstration = orders[0][0].cycle == 0
  noise = (
    config.demonstrations.noise if is_demonstration else config.acting_noise
  )
  seeds = [
    acting.seed_for(config.seed, acting.ACT, *identity[1:], attempt)
    for identity, attempt in orders
  ]
  rollouts = acting.run_episodes(
    environments, policy, config.episode_steps, noise, seeds
  )
  for (identity, _), rollout in zip(orders, rollouts, strict=True):
    annotation = None
    if is_demonstration:
      annotation = Annotation(config.teacher, policy.digest, rollout.proposed)
    yield Episode(
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
  evaluation = config.evaluation
  environments = acting.make_environments(
    config.task, max(evaluation.episodes, evaluation.final_episodes)
  )
  while not wait_for_stop(0):
    order = conductor.evaluation_order()
    if order is None:
      wait_for_stop(_PAUSE)
      continue
    kind, _, step = order['key']
    seeds = [
      acting.seed_for(
        config.seed, acting.EVALUATE, kind == 'final', step, episode
      )
      for episode in range(order['episodes'])
    ]
    policy = Policy.from_bytes(order['policy'])
    returns = acting.evaluate(environments, policy, config.episode_steps, seeds)
    conductor.evaluated(order['key'], returns)


def _check_sizes(
  policy: Policy, environment: Environment, config: GrowingBatchConfig
) -> None:
  if policy.spec != environment.spec:
    raise ValueError(
      f'The policy is for {policy.spec}, but {config.task} has '
      f'{environment.spec}: choose a teacher of this task.'
    )
