"""What a growing-batch learner does in which cycle, on which networks.

cycle 0   clone     imitate the demonstrations until it stops improving
          pretrain  fit the critic to pi_0 by policy evaluation
cycle k   learn     improve the policy on the data of cycles 1 … k
"""

from collections.abc import Callable, Mapping
import functools
from typing import Any, Optional

import numpy as np
import tensorflow as tf

from agents import registry
from agents.base import Agent
from agents.bc.early_stopping import EarlyStopping, clone
from agents.bc.update import BC
from agents.learner import Learner
from datasets.memory import Memory
from datasets.sampler import UniformSampler
from datasets.types import EnvironmentSpec
from launchers.nodes.batches import sampler_for
from launchers.nodes.teacher_gradients import TeacherGradients
from launchers.runs.config import GrowingBatchConfig
from teachers.base import Teacher

# (phase, step in the phase, last step of the phase, metrics)
OnProgress = Callable[[str, int, int, Mapping[str, float]], None]
_LEARN = 3  # The role of the sampling seeds.
_LOG_INTERVAL = 100  # Learner steps from one report to the next.


class Curriculum:
  """Networks, learners and samplers of a run, resumable from a checkpoint."""

  def __init__(
    self,
    config: GrowingBatchConfig,
    spec: EnvironmentSpec,
    load_advisor: Callable[[], Teacher],
    is_stopping: Callable[[], bool] = lambda: False,
  ):
    """Starts before cycle 0.

    Args:
      config: of the run.
      spec: the sizes of its task.
      load_advisor: gives the teacher whose gradients the objective follows;
        called when they are first needed, if ever.
      is_stopping: asked amid a stretch of updates; `LearningStoppedError` then
        ends whatever learns.
    """
    self._config = config
    self.networks = registry.make_networks(config.agent, spec, config.seed)
    self._gradients = TeacherGradients(load_advisor)
    self._agent = registry.make_agent(
      config.agent,
      self.networks,
      config.objective,
      config.decay_steps,
      self._gradients,
    )
    make = functools.partial(
      Learner, sample=self._sample, is_stopping=is_stopping
    )
    self._cloning = make(BC(config.cloning, self.networks))
    self._stopping = EarlyStopping(self.networks.policy)
    self._pretrainer = self._agent.pretraining()
    self._pretraining = make(self._pretrainer)
    self._improvement = make(self._agent)
    self._sampler: Optional[UniformSampler[Any]] = None

  @property
  def trackables(self) -> Mapping[str, Any]:
    """Everything that training changes, for a checkpoint."""
    return {
      'networks': self.networks,
      'cloning': self._cloning,
      'stopping': self._stopping,
      'pretraining': self._pretraining,
      'improvement': self._improvement,
    }

  def step(self, cycle: int) -> int:
    """Learner steps done: of cycle 0, or of all later cycles."""
    if cycle == 0:
      return self._cloning.steps + self._pretraining.steps
    return self._improvement.steps

  def is_finished(self, cycle: int) -> bool:
    """Whether the networks are at the end of `cycle`, or beyond it."""
    if cycle == 0:
      return self._pretraining.steps >= self._config.critic_pretrain_steps
    end = cycle * self._config.learner_steps_per_cycle
    return self._improvement.steps >= end

  def learn_demonstrations(
    self, memory: Memory, episode_steps: list[int], report: OnProgress
  ) -> None:
    """Clones the teacher, then evaluates the clone.

    Args:
      memory: the demonstrations alone.
      episode_steps: the length of each of its episodes, in order.
      report: called after each stretch of updates; it may save a checkpoint
        and may raise, and this goes on from there.
    """
    if self._pretraining.steps == 0:
      if 'clone' in registry.find(self._config.agent.kind).phases:
        self._clone(memory, episode_steps, report)
      self.networks.begin_reinforcement()
    self._sampler = self._sampler_for(self._pretrainer, memory, 1)
    self._run(
      'pretrain', self._pretraining, self._config.critic_pretrain_steps, report
    )
    self._sampler = None

  def improve(self, cycle: int, memory: Memory, report: OnProgress) -> None:
    """Does the updates of `cycle` that are not done yet."""
    if self._config.objective.uses_teacher_gradients:
      self._gradients.prepare()
    self._sampler = self._sampler_for(self._agent, memory, 2)
    end = cycle * self._config.learner_steps_per_cycle
    self._run('learn', self._improvement, end, report)
    self._sampler = None

  def _clone(
    self, memory: Memory, episode_steps: list[int], report: OnProgress
  ) -> None:
    cloning = self._config.cloning
    count = len(episode_steps)
    held_out = int(np.ceil(count * cloning.held_out_fraction))
    if count == 1:
      held_out = 0  # A single episode is all there is to learn from.
    kept = sum(episode_steps[: count - held_out])
    self._sampler = UniformSampler(
      memory.demonstrations, kept, cloning.batch_size, self._seed(0)
    )
    first = kept if held_out else 0
    clone(
      cloning,
      self._cloning,
      self._stopping,
      memory.demonstrations(np.arange(first, memory.num_transitions)),
      lambda metrics: report(
        'clone', self._cloning.steps, cloning.steps, metrics
      ),
    )

  def _run(
    self, phase: str, learner: Learner, end: int, report: OnProgress
  ) -> None:
    """Runs to `end`, in stretches that stop where something is due."""
    intervals = [_LOG_INTERVAL, self._config.checkpoint_interval]
    if phase == 'learn' and self._config.evaluation.interval:
      intervals.append(self._config.evaluation.interval)
    while learner.steps < end:
      step = learner.steps
      due = min((step // i + 1) * i for i in intervals)
      try:
        metrics = learner.run(min(due, end) - step)
      except tf.errors.OpError:
        self._gradients.reraise()
        raise
      report(phase, learner.steps, end, metrics)

  def _sampler_for(
    self, agent: Agent, memory: Memory, phase: int
  ) -> UniformSampler[Any]:
    return sampler_for(self._config.agent, agent, memory, self._seed(phase))

  def _seed(self, phase: int) -> int:
    sequence = np.random.SeedSequence([self._config.seed, _LEARN, phase])
    return int(sequence.generate_state(1)[0])

  def _sample(self, first_step: int, num_steps: int) -> Any:
    assert self._sampler is not None
    return self._sampler(first_step, num_steps)
