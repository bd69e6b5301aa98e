"""Behaviour cloning, stopped when held-out demonstrations stop improving."""

from collections.abc import Callable, Mapping

import numpy as np
import sonnet as snt
import tensorflow as tf

from agents import base, losses, optimizers
from agents.config import CloningConfig
from datasets.types import Demonstration

_EVALUATION_ROWS = 4096


class Cloning(base.Agent):
  """Regresses a policy on demonstrated actions."""

  def __init__(self, config: CloningConfig, policy: snt.Module):
    """Creates the optimizer, fresh.

    Args:
      config: hyper-parameters.
      policy: trained in place.
    """
    super().__init__(name='cloning')
    self.config = config
    self.policy = policy
    self._optimizer = optimizers.Adam(
      policy.trainable_variables, config.learning_rate, config.gradient_norm
    )

  def update(
    self, batch: Demonstration, step: tf.Tensor
  ) -> Mapping[str, tf.Tensor]:
    """See `Agent.update`."""
    del step  # Nothing here is scheduled.
    with tf.GradientTape() as tape:
      loss = tf.reduce_mean(
        losses.squared_distance(batch.action, self.policy(batch.observation))
      )
    gradients = tape.gradient(loss, self._optimizer.parameters)
    norm = self._optimizer.apply(gradients)
    return {'cloning_loss': loss, 'policy_gradient_norm': norm}


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
  learner: base.Learner,
  stopping: EarlyStopping,
  held_out: Demonstration,
  on_progress: Callable[[Mapping[str, float]], None],
) -> float:
  """Trains a `Cloning` agent until it stops improving; resumable.

  Args:
    learner: its agent is a `Cloning`.
    stopping: for the same policy; checkpointed together with the learner.
    held_out: [M, *], demonstrations that the learner never samples.
    on_progress: called after every evaluation with the metrics. It may save a
      checkpoint: this function goes on from whatever was restored.

  Returns:
    The held-out loss of the weights that the policy ends with, the best ones.
  """
  agent = learner.agent
  if not isinstance(agent, Cloning):
    raise TypeError(f'clone() trains a Cloning agent, not {type(agent)}.')
  config = agent.config
  if not len(held_out.observation):
    raise ValueError('There are no held-out demonstrations to evaluate on.')
  evaluate = _make_evaluation(agent.policy, held_out)
  while not _is_finished(learner.steps, stopping, config):
    due = (learner.steps // config.evaluation_interval + 1) * (
      config.evaluation_interval
    )
    metrics = learner.run(min(due, config.steps) - learner.steps)
    loss = evaluate()
    stopping.observe(agent.policy, loss)
    if _is_finished(learner.steps, stopping, config):
      stopping.restore_best(agent.policy)
    on_progress({**metrics, 'held_out_loss': loss})
  return stopping.best_loss


def _is_finished(
  steps: int, stopping: EarlyStopping, config: CloningConfig
) -> bool:
  return steps >= config.steps or stopping.failures >= config.patience


def _make_evaluation(
  policy: snt.Module, demonstrations: Demonstration
) -> Callable[[], float]:
  """A function that gives the policy's mean loss on the demonstrations."""

  def total(observation: tf.Tensor, action: tf.Tensor) -> tf.Tensor:
    distance = losses.squared_distance(action, policy(observation))
    return tf.reduce_sum(tf.cast(distance, tf.float64))

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
