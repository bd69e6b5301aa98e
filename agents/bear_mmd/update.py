"""BEAR-QL with an MMD constraint (Kumar et al. 2019).

The losses and their order are of the official code, which derives from BCQ's:
its version 0, without a penalty on the critics' disagreement. An action is the
tanh of a raw one. Raw ones are matched, for a saturated tanh has no slope, and
it is they whose divergences and likelihoods objectives speak of.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Optional

import sonnet as snt
import tensorflow as tf

from agents import base
from agents.actor_critic.objectives import Where, regularized
from agents.bcq.update import (
  CANDIDATES,
  IMPROVEMENT,
  BatchConstrained,
  evaluate,
)
from agents.bear_mmd.config import BEARMMDConfig
from agents.bear_mmd.networks import BEARMMDNetworks
from agents.config import ObjectiveConfig
from agents.parts import duals, gaussians, schedules
from agents.parts.discrepancy import mmd
from agents.parts.gaussians import Gaussian
from agents.parts.optimizers import Group
from agents.parts.regularizers import Gradient, bounded
from agents.parts.samples import at_samples
from datasets.types import Snippet, Transition

_MATCHED, _FILTER = IMPROVEMENT + 1, IMPROVEMENT + 2  # What is drawn for, too.
_NOISE_BOUND = 0.5
"""Of what the policy is improved by; a trick of the code, for stability."""


class BEARMMD(BatchConstrained):
  """Fits generator and critics, then a policy that is held to the first."""

  config: BEARMMDConfig
  networks: BEARMMDNetworks

  def __init__(
    self,
    config: BEARMMDConfig,
    networks: BEARMMDNetworks,
    objective: ObjectiveConfig,
    total_steps: int = 1,
    teacher_gradient: Optional[Gradient] = None,
  ):
    """Creates the optimizers, fresh; see `Agent` for the arguments."""
    if objective.uses_teacher_gradients and teacher_gradient is None:
      raise ValueError(f'{objective.kind} needs a teacher_gradient.')
    self.multiplier = duals.LogMultiplier(
      'multiplier',
      config.initial_log_multiplier,
      config.least_log_multiplier,
      ceiling=config.greatest_log_multiplier,
    )
    dual = Group(
      'dual',
      [self.multiplier.value],
      config.dual_learning_rate,
      config.gradient_norm,
    )
    super().__init__(config, networks, objective, [dual])
    self.teacher_gradient = teacher_gradient
    self._total_steps = total_steps

  def update(self, batch: Any, step: tf.Tensor) -> Mapping[str, tf.Tensor]:
    """See `Agent.update`; the batch holds snippets."""
    advised = self.objective.uses_teacher_actions
    return super().update(first_transitions(batch, advised), step)

  def pretraining(self) -> base.Agent:
    """See `Agent.pretraining`."""
    return Pretraining(self)

  def target(self, batch: Transition, step: tf.Tensor) -> tf.Tensor:
    """See `BatchConstrained.target`; the target policy proposes."""
    config, nets, state = self.config, self.networks, batch.next_observation
    shape = [config.num_candidates, *batch.action.shape]
    noise = tf.random.stateless_normal(
      shape, self.random_seed(step, CANDIDATES)
    )

    raw = _sample(nets.target_policy(state), noise)  # [n, B, A]
    return self.best_of(batch, raw, lambda _, raw: tf.tanh(raw))

  def improve(self, batch: Transition, step: tf.Tensor) -> dict[str, tf.Tensor]:
    """See `BatchConstrained.improve`; and one of the multiplier."""
    config, nets, state = self.config, self.networks, batch.observation
    generated = at_samples(
      nets.decoder,
      state,
      self.latents(
        state, config.num_matched_samples, self.random_seed(step, _MATCHED)
      ),
    )  # [M, B, A], raw
    with tf.GradientTape(persistent=True) as tape:
      raw = self._draw(batch, self.random_seed(step, IMPROVEMENT))
      distance = tf.reduce_mean(
        mmd(raw, generated, config.kernel, config.kernel_width)
      )
      value, gain = self._gain(state, tf.tanh(raw), step)  # [B] each
      gain *= tf.cast(step >= config.warm_up_steps, tf.float32)
      loss, metrics = self._regularized(-gain, batch, step)
      constraint = duals.Constraint(self.multiplier, config.epsilon, distance)
      policy_loss = tf.reduce_mean(loss) + duals.penalty(constraint)
      dual_loss = duals.multiplier_loss(constraint)
    return {
      **self.descend(tape, policy=policy_loss, dual=dual_loss),
      **metrics,
      'value_mean': tf.reduce_mean(value),
      'mmd': distance,
      'multiplier': self.multiplier.weight,
    }

  def alpha(self, step: tf.Tensor) -> tf.Tensor:
    """The decaying weight of the objective, a scalar."""
    rate, form = self.objective.decay_rate, self.objective.decay_form
    return schedules.alpha(step, self._total_steps, rate, form)

  def _draw(self, batch: Transition, seed: tf.Tensor) -> tf.Tensor:
    """Raw actions of the policy, [M, B, A], none far from its mean."""
    shape = [self.config.num_matched_samples, *batch.action.shape]
    noise = tf.random.stateless_normal(shape, seed)
    return _sample(
      self.networks.policy(batch.observation),
      tf.clip_by_value(noise, -_NOISE_BOUND, _NOISE_BOUND),
    )

  def _gain(
    self, state: tf.Tensor, action: tf.Tensor, step: tf.Tensor
  ) -> tuple[tf.Tensor, tf.Tensor]:
    """The value of actions [M, B, A], and what they should climb; [B] each.

    The value is the least of the critics' means over the samples. A teacher's
    gradient replaces its own as for SVG (P002, eq. 8): each of norm 1 or less.
    """
    members = self.networks.critics

    def value_of(action: tf.Tensor) -> tf.Tensor:
      values = at_samples(lambda s, a: evaluate(members, s, a), state, action)
      return tf.reduce_min(tf.reduce_mean(values, axis=0), axis=-1)

    value = value_of(action)
    if not self.objective.uses_teacher_gradients:
      return value, value
    assert self.teacher_gradient  # The constructor holds this.
    at, count = tf.stop_gradient(action), action.shape[0]
    with tf.GradientTape() as tape:
      tape.watch(at)
      total = count * tf.reduce_sum(value_of(at))  # Of a mean over samples.
    own = bounded(tape.gradient(total, at), 1.0)
    # A teacher may be a service, which is asked once.
    theirs = at_samples(self.teacher_gradient, state, at, groups=1)
    alpha = self.alpha(step)
    direction = tf.stop_gradient(
      (1.0 - alpha) * own + alpha * bounded(theirs, 1.0)
    )
    gain = tf.reduce_mean(tf.reduce_sum(direction * action, -1), axis=0)
    return value, gain

  def _regularized(
    self, improvement: tf.Tensor, batch: Transition, step: tf.Tensor
  ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    """The loss of the objective, [B], and its metrics."""
    advised = self.objective.uses_teacher_actions
    return regularized(
      self.objective,
      self.networks,
      Where(
        batch.observation,
        tf.ones_like(batch.reward),
        gaussians.raw(batch.teacher_action) if advised else (),
      ),
      improvement,
      self.alpha(step),
      lambda: self._draw(batch, self.random_seed(step, _FILTER)),
    )


class Pretraining(base.Agent):
  """Fits an agent's generator, and its critics to pi_0, in cycle 0."""

  def __init__(self, agent: BEARMMD):
    """Shares the agent's networks and optimizers."""
    super().__init__('pretraining', agent.networks)
    self.agent = agent

  @property
  def targets(self) -> Sequence[tuple[snt.Module, snt.Module]]:
    """See `Agent.targets`; the target policy stays pi_0."""
    return self.agent.targets[1:]

  @property
  def target_update_period(self) -> int:
    """See `Agent.target_update_period`."""
    return self.agent.target_update_period

  @property
  def target_rate(self) -> float:
    """See `Agent.target_rate`."""
    return self.agent.target_rate

  def update(self, batch: Snippet, step: tf.Tensor) -> Mapping[str, tf.Tensor]:
    """See `Agent.update`."""
    return self.agent.fit(first_transitions(batch), step)


def first_transitions(batch: Snippet, advised: bool = False) -> Transition:
  """The first transition of each snippet, which is never padding."""
  return Transition(
    batch.observation[:, 0],
    batch.action[:, 0],
    batch.reward[:, 0],
    batch.discount[:, 0],
    batch.observation[:, 1],
    batch.teacher_action[:, 0] if advised else (),
  )


def _sample(policy: Gaussian, noise: tf.Tensor) -> tf.Tensor:
  """[B, A] of a distribution and noise [M, B, A] to samples [M, B, A]."""
  return policy.mean() + policy.stddev() * noise
