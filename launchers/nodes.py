"""The nodes that act: Reverb's server, the actors, the curator, the evaluator.

Each is a function that runs until the program stops. It asks the conductor
what to do and never waits for longer than it takes to notice a stop.
"""

from collections.abc import Callable
import sys
from typing import Any, Optional

from agents.policy import Policy
from datasets import replay
from datasets.types import Annotation, Episode, EpisodeId
from datasets.validation import EpisodeRefused, check_episode
from launchers import acting
from launchers.config import GrowingBatchConfig
from launchers.environments import Environment
from launchers.run_directory import RunDirectory

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


def run_curator(
  config: GrowingBatchConfig,
  directory: RunDirectory,
  conductor: Any,
  replay_address: str,
  incarnation: str,
  wait_for_stop: WaitForStop,
) -> None:
  """Checks each collected episode, makes it durable, hands it to the learner.

  Before that it restores: it puts what the store holds back into Reverb, and
  sets damaged files aside so that their identities are collected again.
  """
  spec = Environment(config.task).spec
  writer = replay.EpisodeWriter(replay_address, 'replay', incarnation)
  reader = replay.EpisodeReader(replay_address, 'collected', incarnation)
  for cycle in conductor.open_cycles():
    _restore(directory, cycle, conductor, writer, wait_for_stop)
  conductor.restored()
  while not wait_for_stop(0):
    episodes = reader.read(_BATCH)
    if not episodes:
      wait_for_stop(_PAUSE)
    for episode in episodes:
      if not _is_wanted(config, conductor, episode.identity):
        print(f'Ignored {episode.identity}: not of this run.', flush=True)
        continue
      try:
        digest = conductor.policy_digest(episode.identity.cycle)
        check_episode(episode, spec, digest, _length(config, episode))
      except EpisodeRefused as error:
        print(f'Refused {episode.identity}: {error}', flush=True)
        conductor.refused(tuple(episode.identity), str(error))
        continue
      _commit(directory, conductor, writer, episode)


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


def _restore(
  directory: RunDirectory,
  cycle: int,
  conductor: Any,
  writer: replay.EpisodeWriter,
  wait_for_stop: WaitForStop,
) -> None:
  store = directory.store(cycle)
  for name, reason in store.quarantine():
    print(f'Set aside {name}: {reason}', file=sys.stderr, flush=True)
  digests = store.digests()
  for episode in store:
    if wait_for_stop(0):
      return
    writer.write(episode)
    digest = digests[episode.identity]
    _announce(conductor, episode, digest, is_new=False)


def _is_wanted(
  config: GrowingBatchConfig, conductor: Any, identity: EpisodeId
) -> bool:
  run, cycle, actor, episode = identity
  return (
    run == config.run_name
    and cycle in conductor.open_cycles()
    and 0 <= episode < config.episodes_in(cycle)
    and actor == episode % config.num_actors
  )


def _length(config: GrowingBatchConfig, episode: Episode) -> Optional[int]:
  """What its length must be: any, where it ended by a true termination."""
  has_end = len(episode.discounts) and episode.discounts[-1] == 0
  return None if has_end else config.episode_steps


def _commit(
  directory: RunDirectory,
  conductor: Any,
  writer: replay.EpisodeWriter,
  episode: Episode,
) -> None:
  store = directory.store(episode.identity.cycle)
  is_new = episode.identity not in store
  digest = store.commit(episode)
  if is_new:
    writer.write(episode)
  _announce(conductor, episode, digest, is_new)


def _announce(
  conductor: Any, episode: Episode, digest: str, is_new: bool
) -> None:
  conductor.committed(
    tuple(episode.identity),
    digest,
    episode.episode_return,
    episode.num_steps,
    is_new,
  )


def _check_sizes(
  policy: Policy, environment: Environment, config: GrowingBatchConfig
) -> None:
  if policy.spec != environment.spec:
    raise ValueError(
      f'The policy is for {policy.spec}, but {config.task} has '
      f'{environment.spec}: choose a teacher of this task.'
    )
