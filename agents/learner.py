"""The learner, written once: batches, targets, updates, counters, metrics.

The loop that calls it, which can be stopped and started at any checkpoint:

  learner = Learner(agent, sample)
  checkpoint.restore_newest({'learner': learner}, directory)
  while learner.steps < total_steps:
    metrics = learner.run(1_000)
    checkpoint.save({'learner': learner}, directory, learner.steps)
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf
import tree

from agents.base import Agent, Batch
from agents.parts import networks as networks_lib

# (first step, number of steps) to a batch with leading axes [steps, B].
Sampler = Callable[[int, int], Batch]


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
