"""Policy evaluation on snippets, and priors: P004, B.3, B.4 and B.11."""

import abc
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import sonnet as snt
import tensorflow as tf

from agents import base
from agents.actor_critic.config import ActorCriticConfig
from agents.actor_critic.networks import ActorCriticNetworks
from agents.config import ObjectiveConfig
from agents.parts import snippets
from agents.parts.duals import Multiplier
from agents.parts.optimizers import Group
from agents.parts.samples import at_samples
from datasets.types import Snippet

Losses = dict[str, tf.Tensor]
"""Scalars, by the group that each of them trains."""
Metrics = dict[str, tf.Tensor]

_EVALUATION, IMPROVEMENT = 0, 1  # What random numbers are drawn for.


class View(NamedTuple):
  """A batch as the target networks see it; all of it is held constant.

  N = B * L states, in which somebody acted; M samples of the target policy.

  Attributes:
    observation: [N, S].
    action: [N, A], what was done.
    mask: [N], 1, or 0 beyond an episode's end.
    samples: [M, N, A].
    sample_values: [M, N], Q of each sample.
    target: [N], r_t + g d_t V(s_{t+1}).
    advantage: [N], of what was done in the rest of the snippet.
  """

  observation: tf.Tensor
  action: tf.Tensor
  mask: tf.Tensor
  samples: tf.Tensor
  sample_values: tf.Tensor
  target: tf.Tensor
  advantage: tf.Tensor


class ActorCritic(base.Agent):
  """Evaluates the policy and fits priors; how it improves is a subclass's."""

  def __init__(
    self,
    config: ActorCriticConfig,
    networks: ActorCriticNetworks,
    objective: ObjectiveConfig,
    multipliers: Sequence[Multiplier] = (),
  ):
    """Creates the optimizers, fresh.

    Args:
      config: hyper-parameters.
      networks: trained in place.
      objective: 'none'.
      multipliers: trained as the group 'dual'.
    """
    if objective.kind != 'none':
      raise ValueError(f'{config.kind} has no objective {objective.kind!r}.')
    modules: dict[str, snt.Module] = {
      'policy': networks.policy,
      'critic': networks.critic,
      **{_prior(i): prior for i, prior in enumerate(networks.priors)},
    }
    rate, norm = config.learning_rate, config.gradient_norm
    groups = [
      Group(name, module.trainable_variables, rate, norm)
      for name, module in modules.items()
    ]
    if multipliers:
      values = [m.value for m in multipliers]
      groups.append(Group('dual', values, config.dual_learning_rate, norm))
    super().__init__(config.kind, networks, groups)
    self.config = config
    self.networks: ActorCriticNetworks = networks

  @property
  def targets(self) -> Sequence[tuple[snt.Module, snt.Module]]:
    """See `Agent.targets`."""
    nets = self.networks
    return (
      (nets.policy, nets.target_policy),
      (nets.critic, nets.target_critic),
    )

  @property
  def target_update_period(self) -> int:
    """See `Agent.target_update_period`."""
    return self.config.target_update_period

  def update(self, batch: Snippet, step: tf.Tensor) -> Mapping[str, tf.Tensor]:
    """See `Agent.update`."""
    view = self.look(batch, step)
    # One loss a group: each gradient is of the weights before this update.
    with tf.GradientTape(persistent=True) as tape:
      error = view.target - self.networks.critic(view.observation, view.action)
      losses = {'critic': snippets.masked_mean(tf.square(error), view.mask)}
      metrics: Metrics = {
        'value_mean': snippets.masked_mean(
          tf.reduce_mean(view.sample_values, axis=0), view.mask
        )
      }
      for i, prior in enumerate(self.networks.priors):
        weight = FILTERS[self.config.filters[i]](view.advantage)  # [N]
        losses[_prior(i)] = imitation(prior, view, weight)
        metrics[f'{_prior(i)}_selected'] = snippets.masked_mean(
          weight, view.mask
        )
      improvement, more = self.improve(view, step)
    return {**metrics, **more, **self.descend(tape, **losses, **improvement)}

  @abc.abstractmethod
  def improve(self, view: View, step: tf.Tensor) -> tuple[Losses, Metrics]:
    """The losses of the policy, and of multipliers if there are any."""

  def look(self, batch: Snippet, step: tf.Tensor) -> View:
    """What the target networks, and so V, say of a batch."""
    rows, length = batch.reward.shape
    observation = _flat(batch.observation)  # [B * (L + 1), S]
    samples, values = self.sample(
      self.networks.target_policy,
      observation,
      self.random_seed(step, _EVALUATION),
    )  # [M, B * (L + 1), A], [M, B * (L + 1)]
    value = tf.reshape(self.expectation(values), [rows, length + 1])
    mask = tf.cast(batch.mask, tf.float32)  # [B, L]
    discount = self.config.discount * batch.discount
    returns = snippets.bootstrapped_returns(batch.reward, discount, value, mask)
    acted = [rows, length + 1]
    return View(
      _flat(batch.observation[:, :-1]),
      _flat(batch.action),
      _flat(mask),
      _without_last(samples, acted),
      _without_last(values, acted),
      _flat(batch.reward + discount * value[:, 1:]),
      _flat(returns - value[:, :-1]),
    )

  def sample(
    self, policy: snt.Module, observation: tf.Tensor, seed: tf.Tensor
  ) -> tuple[tf.Tensor, tf.Tensor]:
    """Actions of a policy, and what the target critic thinks of them.

    Args:
      policy: [B, S] to a distribution of [B, A].
      observation: [B, S].
      seed: [2] int32.

    Returns:
      [M, B, A] and [M, B]; the first can be differentiated in the policy.
    """
    actions = policy(observation).sample(self.config.num_samples, seed=seed)
    actions = tf.ensure_shape(
      actions, [self.config.num_samples, None, actions.shape[-1]]
    )
    return actions, at_samples(
      self.networks.target_critic, observation, actions
    )

  def expectation(self, values: tf.Tensor) -> tf.Tensor:
    """V of states, [B], from Q of samples of the policy there, [M, B]."""
    return tf.reduce_mean(values, axis=0)


FILTERS: dict[str, snippets.Filter] = {
  'everything': snippets.everything,
  'advantageous': snippets.advantageous,
  'exponential': snippets.exponential,
}


def imitation(policy: snt.Module, view: View, weight: tf.Tensor) -> tf.Tensor:
  """Minus the weighted log-likelihood of what was done (P004, eqs 2 and 4).

  It is divided by how many actions there are, not by how many have a weight,
  so that where none has, the gradient is 0.

  Args:
    policy: [N, S] to a distribution of [N, A].
    view: what was done.
    weight: [N].

  Returns:
    A scalar.
  """
  likelihood = policy(view.observation).log_prob(view.action)  # [N]
  return -snippets.masked_mean(tf.stop_gradient(weight) * likelihood, view.mask)


def _prior(index: int) -> str:
  return f'prior{index or ""}'


def _flat(array: tf.Tensor) -> tf.Tensor:
  """[B, L, ...] to [B * L, ...]."""
  return tf.reshape(array, [-1, *array.shape[2:]])


def _without_last(samples: tf.Tensor, acted: Sequence[int]) -> tf.Tensor:
  """[M, B * (L + 1), ...] to [M, B * L, ...]: nobody acted in the last."""
  rows, states = acted
  rest = samples.shape[2:]
  by_state = tf.reshape(samples, [-1, rows, states, *rest])[:, :, :-1]
  return tf.reshape(by_state, [-1, rows * (states - 1), *rest])
