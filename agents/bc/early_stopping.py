"""Cloning that stops when held-out demonstrations stop improving."""

from collections.abc import Callable, Mapping

import numpy as np
import sonnet as snt
import tensorflow as tf

from agents import learner as learner_lib
from agents.base import Networks
from agents.config import CloningConfig
from datasets.types import Demonstration

_EVALUATION_ROWS = 4096


class EarlyStopping(tf.Module):
  """Remembers the best weights so far; belongs in the checkpoint."""

  def __init__(self, policy: snt.Module):
    super().__init__(name='early_stopping')
    self._best_loss = tf.Variable(np.inf, trainable=False, dtype=tf.float64)
    self._failures = tf.Variable(0, trainable=False, dtype=tf.int64)
    self._weights = [tf.Variable(v, trainable=False) for v in policy.variables]

  @property
  def best_loss(self) -> float:
    """The lowest held-out loss, infinite before the first evaluation."""
    return float(self._best_loss.numpy())

  @property
  def failures(self) -> int:
    """Evaluations since the last improvement."""
    return int(self._failures.numpy())

  def observe(self, policy: snt.Module, loss: float) -> None:
    """Takes note of one evaluation of the policy."""
    if loss < self.best_loss:
      self._best_loss.assign(loss)
      self._failures.assign(0)
      for best, now in zip(self._weights, policy.variables, strict=True):
        best.assign(now)
    else:
      self._failures.assign_add(1)

  def restore_best(self, policy: snt.Module) -> None:
    """Gives the policy the best weights."""
    for best, now in zip(self._weights, policy.variables, strict=True):
      now.assign(best)


def clone(
  config: CloningConfig,
  learner: learner_lib.Learner,
  stopping: EarlyStopping,
  held_out: Demonstration,
  on_progress: Callable[[Mapping[str, float]], None],
) -> float:
  """Trains a `BC` agent until it stops improving; resumable.

  Args:
    config: when to evaluate, and when to stop.
    learner: its agent is a `BC`.
    stopping: for the same policy; checkpointed together with the learner.
    held_out: [M, *], demonstrations that the learner never samples.
    on_progress: called after every evaluation with the metrics. It may save a
      checkpoint: this function goes on from whatever was restored.

  Returns:
    The held-out loss of the weights that the policy ends with, the best ones.
  """
  if not len(held_out.observation):
    raise ValueError('There are no held-out demonstrations to evaluate on.')
  networks = learner.agent.networks
  policy = networks.policy
  evaluate = _make_evaluation(networks, held_out)
  while not _is_finished(learner.steps, stopping, config):
    due = (learner.steps // config.evaluation_interval + 1) * (
      config.evaluation_interval
    )
    metrics = learner.run(min(due, config.steps) - learner.steps)
    loss = evaluate()
    stopping.observe(policy, loss)
    if _is_finished(learner.steps, stopping, config):
      stopping.restore_best(policy)
    on_progress({**metrics, 'held_out_loss': loss})
  return stopping.best_loss


def _is_finished(
  steps: int, stopping: EarlyStopping, config: CloningConfig
) -> bool:
  return steps >= config.steps or stopping.failures >= config.patience


def _make_evaluation(
  networks: Networks, demonstrations: Demonstration
) -> Callable[[], float]:
  """A function that gives the policy's mean loss on the demonstrations."""

  def total(observation: tf.Tensor, action: tf.Tensor) -> tf.Tensor:
    errors = networks.cloning_loss(observation, action)
    return tf.reduce_sum(tf.cast(errors, tf.float64))

  # One graph for parts of any length.
  total = tf.function(
    total,
    input_signature=[
      tf.TensorSpec([None, *array.shape[1:]], tf.float32)
      for array in demonstrations
    ],
    autograph=False,
  )
  count = len(demonstrations.observation)
  parts = [
    Demonstration(
      *(array[i : i + _EVALUATION_ROWS] for array in demonstrations)
    )
    for i in range(0, count, _EVALUATION_ROWS)
  ]
  return lambda: float(np.sum([total(*part) for part in parts])) / count
