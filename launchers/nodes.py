"""The nodes that act: Reverb's server, the actors and the evaluator.

Each is a function that runs until the program stops. It asks the conductor
what to do and never waits for longer than it takes to notice a stop.
"""

from collections.abc import Callable, Iterator, Sequence
import functools
import os
import threading
from typing import Any, Optional

import numpy as np

from agents.policy import Policy
from datasets import replay
from datasets.types import Annotation, Episode, EpisodeId
from launchers import acting, advice
from launchers.config import GrowingBatchConfig
from launchers.environments import Environment
from launchers.run_directory import RunDirectory
from launchers.teacher_options import behaviour_of
from teachers.base import Teacher

WaitForStop = Callable[[float], bool]
_PAUSE = 0.2  # Seconds between two questions to the conductor.
_BATCH = 16  # Episodes that the curator takes at a time.
_EVALUATED = 32  # Episodes that the evaluator runs side by side, at most.


def run_replay(port: int, incarnation: str, wait_for_stop: WaitForStop) -> None:
  """Serves the Reverb tables until the program stops."""
  server = replay.make_server(port, incarnation)
  while not wait_for_stop(1.0):
    pass
  server.stop()


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
  teacher = advice.load(config, directory, role)
  server = service.serve(teacher, address.replace('localhost', '127.0.0.1'))
  while not wait_for_stop(1.0):
    pass
  server.stop()


def run_actor(
  config: GrowingBatchConfig,
  directory: RunDirectory,
  conductor: Any,
  replay_address: str,
  incarnation: str,
  services: Sequence[str],
  actor: int,
  wait_for_stop: WaitForStop,
) -> None:
  """Collects the episodes of `actor`, cycle by cycle, and sends them whole."""
  notify = functools.partial(conductor.trouble, f'actor/{actor}')
  most = max(map(config.episodes_in, range(config.cycles + 1)))
  environments = acting.make_environments(config.task, most)
  writer = replay.EpisodeWriter(replay_address, 'collected', incarnation)
  # Of this cycle alone: what acts, its digest, who demonstrates.
  behaviours: dict[int, tuple[Any, ...]] = {}
  sent: set[tuple[int, int, int]] = set()
  while not wait_for_stop(_PAUSE):
    order = conductor.act_order(actor)
    if order is None:
      continue
    cycle = order['cycle']
    if cycle not in behaviours:
      if cycle == 0:
        teacher = advice.load(
          config, directory, 'demonstrator', services, notify, wait_for_stop
        )
        names = (teacher.name, teacher.version)
        behaviours = {0: (behaviour_of(teacher), teacher.version, names)}
      else:
        policy = Policy.from_bytes(conductor.policy(cycle))
        behaviours = {cycle: (policy, policy.digest, None)}
    due = [
      (EpisodeId(config.run_name, cycle, actor, episode), attempt)
      for episode, attempt in order['episodes']
      if (cycle, episode, attempt) not in sent
    ]
    for first in range(0, len(due), len(environments)):
      some = due[first : first + len(environments)]
      behaviour, *who = behaviours[cycle]
      for episode in act(config, environments, behaviour, some, *who):
        writer.write(episode)
      sent.update((cycle, i.episode, attempt) for i, attempt in some)
      if wait_for_stop(0):
        return


def act(
  config: GrowingBatchConfig,
  environments: Sequence[Environment],
  behaviour: acting.Behaviour,
  orders: Sequence[tuple[EpisodeId, int]],
  digest: str,
  demonstrator: Optional[tuple[str, str]] = None,
) -> Iterator[Episode]:
  """Runs episodes side by side; demonstrations carry clean labels.

  Args:
    config: of the run.
    environments: at least one for each episode.
    behaviour: the one policy of the episodes' cycle, or a teacher's actions.
    orders: identities of one cycle, each with the number of its attempt.
    digest: names the behaviour in its episodes.
    demonstrator: name and version of the teacher that acts; None: no teacher
      does, and the episodes carry no labels.

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
    environments, behaviour, config.episode_steps, noise, seeds
  )
  for (identity, _), rollout in zip(orders, rollouts, strict=True):
    annotation = None
    if demonstrator is not None:
      annotation = Annotation(*demonstrator, rollout.proposed)
    yield Episode(
      identity,
      digest,
      rollout.observations,
      rollout.actions,
      rollout.rewards,
      rollout.discounts,
      annotation,
    )


def run_evaluator(
  config: GrowingBatchConfig,
  directory: RunDirectory,
  conductor: Any,
  services: Sequence[str],
  wait_for_stop: WaitForStop,
) -> None:
  """Measures policies without noise, all of an order side by side."""
  yield_to_others()
  notify = functools.partial(conductor.trouble, 'evaluator')
  load_teacher = functools.partial(
    advice.load, config, directory, 'demonstrator', services, notify,
    wait_for_stop,
  )  # fmt: skip
  environments = [Environment(config.task)]
  while not wait_for_stop(0):
    order = conductor.evaluation_order()
    if order is None:
      wait_for_stop(_PAUSE)
      continue
    evaluations = [
      (_evaluated(evaluation, load_teacher), _seeds(config.seed, evaluation))
      for evaluation in order['evaluations']
    ]
    wanted = min(_EVALUATED, sum(len(seeds) for _, seeds in evaluations))
    while len(environments) < wanted:
      environments.append(Environment(config.task))
    returns = acting.evaluate_all(
      environments, evaluations, config.episode_steps
    )
    for evaluation, some in zip(order['evaluations'], returns, strict=True):
      conductor.evaluated(evaluation['key'], some)


def _evaluated(
  evaluation: dict[str, Any], load_teacher: Callable[[], Teacher]
) -> acting.Behaviour:
  if evaluation['key'][0] == 'teacher':
    return behaviour_of(load_teacher())
  return Policy.from_bytes(evaluation['policy'])


def _seeds(
  run: int, evaluation: dict[str, Any]
) -> list[np.random.SeedSequence]:
  kind, _, step = evaluation['key']
  return [
    acting.seed_for(run, acting.EVALUATE, kind == 'final', step, episode)
    for episode in range(evaluation['episodes'])
  ]


def yield_to_others() -> None:
  """Has this process give way to the others, the learner first.

  A process of niceness 10 gets what time the others leave, and besides a tenth
  of what one of them gets: a cycle ends when its last evaluation is there, so
  beside other runs the evaluator must get a turn, too.
  A thread does not give way: whoever wants the interpreter would wait for it.
  """
  if threading.current_thread() is threading.main_thread():
    os.nice(10)
