"""The learner node: gathers exactly the data of a cycle and learns from it."""

from collections.abc import Callable, Mapping, Sequence
import functools
import time
from typing import Any, Optional

from agents import checkpoint
from agents.learner import LearningStoppedError
from datasets import replay
from datasets.memory import Memory
from datasets.packed import digest_of_episode
from datasets.store import digest_of
from datasets.types import Episode, EpisodeId
from launchers.nodes import advice, estimating, tasks
from launchers.nodes.curriculum import Curriculum
from launchers.nodes.ledger import RunFailedError
from launchers.runs import deployments
from launchers.runs.config import GrowingBatchConfig
from launchers.runs.run_directory import RunDirectory
from launchers.runs.tables import Events, Table

_PAUSE = 0.1  # Seconds between two questions to the conductor or to Reverb.
_BATCH = 64  # Episodes taken from Reverb at a time.
_PATIENCE = 3.0  # Seconds that a stretch has for its end, when all stops.


def run_learner(*args: Any) -> None:
  """The node; see `LearnerNode` for its arguments."""
  LearnerNode(*args).run()


class _Stopped(Exception):
  """The program stops; what was learned is saved."""


class LearnerNode:
  """Learns one cycle after the other, each from a checkpoint of itself."""

  def __init__(
    self,
    config: GrowingBatchConfig,
    directory: RunDirectory,
    conductor: Any,
    replay_address: str,
    incarnation: str,
    services: Sequence[str],
    wait_for_stop: Callable[[float], bool],
  ):
    self._config = config
    self._directory = directory
    self._conductor = conductor
    self._wait_for_stop = wait_for_stop
    self._reader = replay.EpisodeReader(replay_address, 'replay', incarnation)
    self._received: dict[EpisodeId, Episode] = {}
    self._digests: dict[EpisodeId, str] = {}
    self._memory: Optional[Memory] = None
    self._episode_steps: list[int] = []
    self._events = Events(directory.events, 'learner')
    load_advisor = functools.partial(
      advice.load, config, directory, 'advisor', services,
      functools.partial(conductor.trouble, 'learner'), wait_for_stop,
    )  # fmt: skip
    self._task = tasks.load(config, directory).task
    self._curriculum = Curriculum(
      config, self._task.spec, load_advisor, self._is_hurried
    )
    self._asked_to_stop = float('inf')  # When.
    self._cycle = -1  # The cycle that the networks are in.
    self._saved_step = -1
    self._due_step = 0  # When the next checkpoint is due.
    self._reported = time.monotonic(), '', 0

  def run(self) -> None:
    """Follows the conductor's orders until the program stops."""
    try:
      while not self._wait_for_stop(_PAUSE):
        self._receive()
        order = self._conductor.learn_order()
        if order is not None:
          self._learn(order['cycle'], order['digests'])
    except _Stopped:
      pass
    except LearningStoppedError:
      step, cycle = max(self._saved_step, 0), self._cycle
      text = f'those after step {step} of cycle {cycle} are done again.'
      print(f'Stopped amid updates: {text}', flush=True)
    finally:
      self._events.close()

  def _learn(self, cycle: int, wanted: dict[tuple[Any, ...], str]) -> None:
    digests = {EpisodeId(*key): digest for key, digest in wanted.items()}
    memory = self._gather(digests)
    self._enter(cycle)
    self._reported = time.monotonic(), '', 0
    if cycle == 0:
      self._curriculum.learn_demonstrations(
        memory, self._episode_steps, self._report
      )
      # Without pretraining the last checkpoint is of this step, too, but from
      # before pi_0 was frozen.
      self._saved_step = -1
    else:
      self._curriculum.improve(cycle, memory, self._report)
    self._save()
    estimates = estimating.estimates(
      self._config, self._directory, cycle,
      self._curriculum.networks.export(), digests.keys(), self._tick,
      self._report_gate,
    )  # fmt: skip
    self._conductor.learned(cycle, self._policy(), estimates)

  # --- The data of a cycle. ---

  def _receive(self) -> None:
    for episode in self._reader.read(_BATCH):
      self._received[episode.identity] = episode
      self._digests[episode.identity] = digest_of_episode(episode)

  def _gather(self, wanted: dict[EpisodeId, str]) -> Memory:
    """Waits for the episodes; remembers them in the order of identities."""
    while not wanted.keys() <= self._digests.keys():
      self._receive()
      if self._wait_for_stop(_PAUSE):
        raise _Stopped
    if digest_of({i: self._digests[i] for i in wanted}) != digest_of(wanted):
      raise RuntimeError(
        'Episodes from Reverb differ from those of the store. Start again: '
        'Reverb is filled anew from the store.'
      )
    agent = self._config.agent
    leaves_cycle_0 = self._cycle == 0 and not self._config.mix_demonstrations
    if self._memory is None or leaves_cycle_0:
      with_labels = self._config.objective.uses_teacher_actions or any(
        identity.cycle == 0 for identity in wanted
      )
      self._memory = Memory(agent.n_step, agent.discount, with_labels)
    new = sorted(i for i in wanted if i in self._received)
    episodes = [self._received.pop(identity) for identity in new]
    self._memory.extend(episodes)
    self._episode_steps += [episode.num_steps for episode in episodes]
    return self._memory

  # --- The state of the networks. ---

  def _enter(self, cycle: int) -> None:
    """Brings the networks to where the learning of `cycle` goes on."""
    self._metrics = Table(
      self._directory.cycle(cycle) / 'metrics.csv',
      ('phase', 'step', 'steps_per_second'),
      ('phase', 'step'),
    )
    came_from_here = self._cycle >= 0  # Else this process has just started.
    if not came_from_here and self._restore(cycle):
      self._cycle = cycle
      self._plan_checkpoint()
      return
    if self._metrics.rows:
      print(
        f'{self._directory.learner(cycle)} holds no checkpoint, though cycle '
        f'{cycle} was at step {self._metrics.rows[-1]["step"]}: it is learned '
        'again from its start, with the same result.',
        flush=True,
      )
    if cycle:
      if not came_from_here:
        self._restore_end_of(cycle - 1)
      self._begin_cycle(cycle)
    self._cycle, self._saved_step = cycle, -1
    self._plan_checkpoint()

  def _begin_cycle(self, cycle: int) -> None:
    """Freezes what acts in the cycle: the networks' policy, or another one."""
    networks = self._curriculum.networks
    networks.begin_cycle()
    deployed = deployments.policy_in(self._directory, cycle)
    if deployed.digest != networks.export().digest:
      networks.deploy(deployed)

  def _restore(self, cycle: int) -> bool:
    restored = checkpoint.restore_newest(
      self._curriculum.trackables, self._directory.learner(cycle)
    )
    for damaged in restored.damaged:
      print(f'A damaged checkpoint was set aside: {damaged}', flush=True)
    if restored.step is None:
      return False
    self._saved_step = restored.step
    print(f'Restored cycle {cycle} at step {restored.step}.', flush=True)
    return True

  def _restore_end_of(self, cycle: int) -> None:
    if not (self._restore(cycle) and self._curriculum.is_finished(cycle)):
      raise RunFailedError(
        f'{self._directory.learner(cycle)} holds no whole checkpoint of the '
        f'end of cycle {cycle}. Put it back, or remove '
        f'{self._directory.policy_path(cycle)} to have that cycle finished '
        'again (with the same result).'
      )

  def _policy(self) -> bytes:
    """The present policy, with its task, as `Policy.from_bytes` reads it."""
    return self._curriculum.networks.export().of(self._task).to_bytes()

  def _save(self) -> None:
    step = self._curriculum.step(self._cycle)
    if step != self._saved_step:
      checkpoint.save(
        self._curriculum.trackables, self._directory.learner(self._cycle), step
      )
      self._saved_step = step
    self._plan_checkpoint()

  def _plan_checkpoint(self) -> None:
    interval = self._config.checkpoint_interval
    step = self._curriculum.step(self._cycle)
    self._due_step = (step // interval + 1) * interval

  # --- Progress. ---

  def _is_hurried(self) -> bool:
    """Whether the program stops, and the stretch of updates takes too long."""
    if not self._wait_for_stop(0):
      return False
    now = time.monotonic()
    self._asked_to_stop = min(self._asked_to_stop, now)
    return now - self._asked_to_stop > _PATIENCE

  def _tick(self) -> None:
    """Ends the gate's estimates where the program stops."""
    if self._wait_for_stop(0):
      raise _Stopped

  def _report_gate(self, step: int, end: int) -> None:
    self._conductor.progress({'phase': 'gate', 'step': step, 'end': end})

  def _report(
    self, phase: str, step: int, end: int, metrics: Mapping[str, float]
  ) -> None:
    """Logs, asks for an evaluation, saves: each when it is due."""
    now, (then, phase_then, before) = time.monotonic(), self._reported
    self._reported = now, phase, step
    row = dict(metrics)
    # At a phase's first report it would be the rate of preparing, too.
    if phase_then == phase and before < step:
      row['steps_per_second'] = (step - before) / (now - then)
    self._metrics.add({'phase': phase, 'step': step, **row})
    self._events.scalars(step, {f'{phase}/{k}': v for k, v in row.items()})
    self._conductor.progress({
      'phase': phase, 'step': step, 'end': end,
      'steps_per_second': None, **row,
    })  # fmt: skip
    interval = self._config.evaluation.interval
    if phase == 'learn' and interval and step % interval == 0:
      self._conductor.evaluate(step, self._policy())
    stopping = self._wait_for_stop(0)
    if stopping or self._curriculum.step(self._cycle) >= self._due_step:
      self._save()
    if stopping:
      raise _Stopped
