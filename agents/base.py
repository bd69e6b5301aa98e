"""The learner, written once: batches, targets, updates, counters, metrics.

The loop that calls it, which can be stopped and started at any checkpoint:

  learner = Learner(agent, sample)
  checkpoint.restore_newest({'learner': learner}, directory)
  while learner.steps < total_steps:
    metrics = learner.run(1_000)
    checkpoint.save({'learner': learner}, directory, learner.steps)
"""

import abc
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import sonnet as snt
import tensorflow as tf
import tree

from agents.config import ObjectiveConfig
from agents.deployed.policy import Policy, Snapshot
from agents.parts import networks as networks_lib
from agents.parts import optimizers
from agents.parts.optimizers import Group

# A NamedTuple of arrays: NumPy outside the graph, tensors inside.
Batch = Any
# (first step, number of steps) to a batch with leading axes [steps, B].
Sampler = Callable[[int, int], Batch]


class Networks(tf.Module, abc.ABC):
  """All networks of an agent: those that learn, and their frozen copies.

  A class of networks is made from an agent's config and the sizes of a task,
  with every variable there from the start.

  Attributes:
    policy: the one that is trained; from observations [B, S] to actions [B, A],
      or to a distribution of them.
    seed: the run's, of the numbers that updates draw; the registry sets it.
  """

  policy: snt.Module
  seed: int = 0

  def __init__(self) -> None:
    super().__init__(name='networks')

  @abc.abstractmethod
  def export(self) -> Policy:
    """The present policy, as it acts in NumPy alone."""

  @abc.abstractmethod
  def snapshot(self, metadata: Mapping[str, Any]) -> Snapshot:
    """The present policy with its critic, if there is one, for a teacher."""

  def begin_reinforcement(self) -> None:
    """Called after cloning: freezes pi_0 and makes targets equal."""

  def begin_cycle(self) -> None:
    """Called at the start of a cycle: freezes the policy that acts in it."""


class Agent(tf.Module, abc.ABC):
  """What an algorithm supplies: losses, targets and groups of variables.

  A class of agents is made of (config, networks, objective, total_steps,
  teacher_gradient), as `agents.registry.make_agent` says. Every variable that
  training changes must hang on the agent, because the agent is what a
  checkpoint holds.

  Attributes:
    networks: what it trains.
    objective: what its policy minimises.
  """

  def __init__(
    self,
    name: str,
    networks: Networks,
    groups: Sequence[Group] = (),
    objective: ObjectiveConfig = ObjectiveConfig('none'),
  ):
    """Creates an optimizer for each group, fresh.

    Args:
      name: of the agent.
      networks: trained in place.
      groups: the variables that `apply` trains.
      objective: what the policy minimises.
    """
    super().__init__(name=name)
    self.networks = networks
    self.objective = objective
    for group in groups:
      setattr(self, f'{group.name}_optimizer', optimizers.Adam(*group[1:]))

  @property
  def targets(self) -> Sequence[tuple[snt.Module, snt.Module]]:
    """Pairs (online, target) of networks, which the targets follow."""
    return ()

  @property
  def target_update_period(self) -> int:
    """Learner steps from one copy of the targets to the next."""
    return 1

  @property
  def target_rate(self) -> float:
    """Share of the way that targets go; below 1, they go after each update."""
    return 1.0

  @abc.abstractmethod
  def update(self, batch: Batch, step: tf.Tensor) -> Mapping[str, tf.Tensor]:
    """One update of the variables; traced into a graph.

    Args:
      batch: a NamedTuple of tensors with leading axis B.
      step: scalar int64, updates done before this one.

    Returns:
      Scalar metrics by name, the same at every step.
    """

  def pretraining(self) -> 'Agent':
    """An agent that fits this one's critics to pi_0, for cycle 0.

    Only of agents whose entry has the phase 'pretrain'.
    """
    raise NotImplementedError(f'{self.name} has no critic to pretrain.')

  def anchor_actions(self, batch: Batch) -> tf.Tensor:
    """What the objective's anchor does where the policy is improved, [B, A].

    Only of agents that have objectives with an anchor.
    """
    raise NotImplementedError(f'{self.name} has no anchor.')

  def parameters(self, group: str) -> Sequence[tf.Variable]:
    """The variables of a group, in the order of its gradients."""
    return self._optimizer_of(group).parameters

  def apply(self, **gradients: Sequence[tf.Tensor]) -> dict[str, tf.Tensor]:
    """Takes one step down the gradients of some groups.

    Args:
      **gradients: by the group's name, in the order of `parameters`.

    Returns:
      The global norm of each group's gradients before clipping, as metrics.
    """
    return {
      f'{group}_gradient_norm': self._optimizer_of(group).apply(values)
      for group, values in gradients.items()
    }

  def descend(
    self, tape: tf.GradientTape, **losses: tf.Tensor
  ) -> dict[str, tf.Tensor]:
    """Takes one step of some groups, each down a loss of its own.

    All gradients are of the weights before this step; what another group's
    loss would do to a group's variables is not looked at.

    Args:
      tape: persistent; it has recorded the losses.
      **losses: scalars by the group's name.

    Returns:
      The losses, and what `apply` gives, as metrics.
    """
    gradients = {
      group: tape.gradient(loss, self.parameters(group))
      for group, loss in losses.items()
    }
    metrics = {f'{group}_loss': loss for group, loss in losses.items()}
    return {**metrics, **self.apply(**gradients)}

  def random_seed(self, step: tf.Tensor, purpose: int) -> tf.Tensor:
    """A seed for TensorFlow's stateless randomness, the same in every run.

    Args:
      step: scalar int64, of the update.
      purpose: whatever is drawn in an update for another has another.

    Returns:
      [2] int32.
    """
    first = np.random.SeedSequence([self.networks.seed, purpose])
    key = first.generate_state(1, np.uint32).view(np.int32)[0]
    return tf.stack([tf.constant(key), tf.cast(step, tf.int32)])

  def _optimizer_of(self, group: str) -> optimizers.Adam:
    return getattr(self, f'{group}_optimizer')


class LearningStoppedError(Exception):
  """Whoever learns was asked to stop amid a stretch of updates.

  Its metrics are lost: do not save the learner, but go on from its last
  checkpoint, with the same result as if it had not been stopped.
  """


class Learner(tf.Module):
  """Runs an agent's updates, many in one call of a graph.

  The state after n steps is the same, bit for bit, however the steps were
  divided into calls.
  """

  def __init__(
    self,
    agent: Agent,
    sample: Sampler,
    steps_per_call: int = 20,
    is_stopping: Callable[[], bool] = lambda: False,
  ):
    """Starts at step 0.

    Args:
      agent: what learns.
      sample: gives the batches of a range of steps. It should depend on
        nothing but the steps, so that a restored learner sees them again.
      steps_per_call: most updates in one call of the graph.
      is_stopping: asked between two calls of the graph.
    """
    super().__init__(name='learner')
    if steps_per_call < 1:
      raise ValueError(f'steps_per_call is {steps_per_call}; it must be >= 1.')
    self.agent = agent
    self._sample = sample
    self._steps_per_call = steps_per_call
    self._is_stopping = is_stopping
    self._step = tf.Variable(0, trainable=False, dtype=tf.int64, name='steps')
    self._graph: Callable[[Batch, tf.Tensor], tf.Tensor] | None = None
    self._names: tuple[str, ...] = ()

  @property
  def steps(self) -> int:
    """Updates done, over all calls and restarts."""
    return int(self._step.numpy())

  def run(self, num_steps: int) -> dict[str, float]:
    """Does exactly this many further updates.

    Args:
      num_steps: at least 1.

    Returns:
      The mean of each metric over these updates.

    Raises:
      FloatingPointError: a metric is not finite: the learner has diverged.
      LearningStoppedError: it was asked to stop before the last of them.
    """
    if num_steps < 1:
      raise ValueError(f'num_steps is {num_steps}; it must be at least 1.')
    rows: list[np.ndarray] = []
    first = self.steps
    end = first + num_steps
    while first < end:
      count = min(self._steps_per_call, end - first)
      if self.agent.targets and self.agent.target_rate == 1:
        # A call ends where targets are due: in the graph, the question alone
        # would cost 1 % of an update.
        since = first % self.agent.target_update_period
        count = min(count, self.agent.target_update_period - since)
        if since == 0:
          self._update_targets()
      rows.append(self._call(self._sample(first, count), count))
      self._check_finite(rows[-1], first)
      first += count
      if first < end and self._is_stopping():
        raise LearningStoppedError
    means = np.concatenate(rows).mean(axis=0, dtype=np.float64)
    return dict(zip(self._names, means.tolist(), strict=True))

  def _call(self, batch: Batch, count: int) -> np.ndarray:
    batch = tree.map_structure(tf.convert_to_tensor, batch)
    for array in tree.flatten(batch):
      if len(array) != count:
        raise ValueError(
          f'The sampler gave {len(array)} steps of a batch of shape '
          f'{array.shape}; it was asked for {count} steps.'
        )
    if self._graph is None:
      specs = tree.map_structure(
        lambda x: tf.TensorSpec([None, *x.shape[1:]], x.dtype), batch
      )
      signature = [specs, tf.TensorSpec([], tf.int32)]
      graph = tf.function(
        self._updates, input_signature=signature, autograph=False
      )
      # A checkpoint would list a graph that hangs on a module, so that files
      # of equal weights would differ by what their processes had traced.
      self._graph = lambda *arguments: graph(*arguments)
    return self._graph(batch, tf.constant(count)).numpy()

  def _updates(self, batches: Batch, count: tf.Tensor) -> tf.Tensor:
    """Returns the metrics of each step, [steps, metrics]."""

    def body(
      i: tf.Tensor, rows: tf.TensorArray
    ) -> tuple[tf.Tensor, tf.TensorArray]:
      step = self._step.read_value()
      batch = tree.map_structure(lambda x: tf.gather(x, i), batches)
      metrics = self.agent.update(batch, step)
      self._names = tuple(metrics)
      if self.agent.target_rate < 1:
        self._update_targets()
      self._step.assign(step + 1)
      return i + 1, rows.write(i, tf.stack(list(metrics.values())))

    _, rows = tf.while_loop(
      lambda i, _: i < count,
      body,
      (tf.constant(0), tf.TensorArray(tf.float32, size=count)),
    )
    return rows.stack()

  def _update_targets(self) -> None:
    rate = self.agent.target_rate
    for online, target in self.agent.targets:
      networks_lib.approach(online, target, rate)

  def _check_finite(self, rows: np.ndarray, first: int) -> None:
    bad = np.argwhere(~np.isfinite(rows))
    if len(bad):
      row, column = bad[0]
      raise FloatingPointError(
        f'{self._names[column]} is {rows[row, column]} at learner step '
        f'{first + row}: the learner has diverged. Go back to a checkpoint '
        'and check the data, the value range and the learning rates.'
      )
