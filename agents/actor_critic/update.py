"""Policy evaluation on snippets, and priors: P004, B.3, B.4 and B.11."""

import abc
from collections.abc import Mapping, Sequence
from typing import Optional

import sonnet as snt
import tensorflow as tf

from agents import base
from agents.actor_critic.config import ActorCriticConfig
from agents.actor_critic.networks import ActorCriticNetworks
from agents.actor_critic.objectives import Where, regularized
from agents.actor_critic.view import Improvement, Metrics, View
from agents.config import ObjectiveConfig
from agents.parts import duals, schedules, snippets
from agents.parts.duals import Multiplier
from agents.parts.optimizers import Group
from agents.parts.regularizers import Gradient
from agents.parts.samples import at_samples
from agents.parts.snippets import masked_mean
from datasets.types import Snippet

_EVALUATION, IMPROVEMENT, _FILTER = range(3)  # What is drawn for.

FILTERS: dict[str, snippets.Filter] = {
  'everything': snippets.everything,
  'advantageous': snippets.advantageous,
  'exponential': snippets.exponential,
}


class ActorCritic(base.Agent):
  """Evaluates the policy and fits priors; how it improves is a subclass's."""

  def __init__(
    self,
    config: ActorCriticConfig,
    networks: ActorCriticNetworks,
    objective: ObjectiveConfig,
    total_steps: int = 1,
    teacher_gradient: Optional[Gradient] = None,
    multipliers: Sequence[Multiplier] = (),
  ):
    """Creates the optimizers, fresh.

    Args:
      config: hyper-parameters.
      networks: trained in place.
      objective: what the policy minimises.
      total_steps: learner steps over all cycles; alpha ends there.
      teacher_gradient: of a teacher, for 'teacher_grad'.
      multipliers: trained as the group 'dual'.
    """
    if objective.uses_teacher_gradients and teacher_gradient is None:
      raise ValueError(f'{objective.kind} needs a teacher_gradient.')
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
    super().__init__(config.kind, networks, groups, objective)
    self.config = config
    self.networks: ActorCriticNetworks = networks
    self.teacher_gradient = teacher_gradient
    self._total_steps = total_steps

  @property
  def targets(self) -> Sequence[tuple[snt.Module, snt.Module]]:
    """See `Agent.targets`."""
    nets = self.networks
    return (nets.policy, nets.target_policy), (nets.critic, nets.target_critic)

  @property
  def target_update_period(self) -> int:
    """See `Agent.target_update_period`."""
    return self.config.target_update_period

  def update(self, batch: Snippet, step: tf.Tensor) -> Mapping[str, tf.Tensor]:
    """See `Agent.update`."""
    view = self.look(batch, step, self.networks.target_policy)
    # One loss a group: each gradient is of the weights before this update.
    with tf.GradientTape(persistent=True) as tape:
      losses, metrics = {'critic': self.critic_loss(view)}, self._values(view)
      for i, prior in enumerate(self.networks.priors):
        name = _prior(i)
        weight = FILTERS[self.config.filters[i]](view.advantage)  # [N]
        losses[name] = masked_mean(imitation(prior, view, weight), view.mask)
        metrics[f'{name}_selected'] = masked_mean(weight, view.mask)
      improvement = self.improve(view, step)
      loss, more = self._regularized(improvement.loss, view, step)  # [N]
      losses['policy'] = masked_mean(loss, view.mask)
      if improvement.constraints:
        constraints = improvement.constraints
        losses['policy'] += tf.add_n(list(map(duals.penalty, constraints)))
        losses['dual'] = improvement.dual + tf.add_n(
          list(map(duals.multiplier_loss, constraints))
        )
    return {
      **metrics,
      **improvement.metrics,
      **more,
      **self.descend(tape, **losses),
    }

  @abc.abstractmethod
  def improve(self, view: View, step: tf.Tensor) -> Improvement:
    """What the policy should minimise, and its multipliers if it has any."""

  def pretraining(self) -> base.Agent:
    """See `Agent.pretraining`."""
    # It imports this module, whose agents it evaluates.
    from agents.actor_critic.evaluation import PolicyEvaluation

    return PolicyEvaluation(self)

  def alpha(self, step: tf.Tensor) -> tf.Tensor:
    """The decaying weight of the objective, a scalar."""
    rate, form = self.objective.decay_rate, self.objective.decay_form
    return schedules.alpha(step, self._total_steps, rate, form)

  def critic_loss(self, view: View) -> tf.Tensor:
    """The mean squared error of one step (B.3), a scalar."""
    error = view.target - self.networks.critic(view.observation, view.action)
    return masked_mean(tf.square(error), view.mask)

  def look(self, batch: Snippet, step: tf.Tensor, policy: snt.Module) -> View:
    """What the target critic, and so V of a policy, say of a batch."""
    rows, length = batch.reward.shape
    observation = _flat(batch.observation)  # [B * (L + 1), S]
    samples, values = self.sample(
      policy, observation, self.random_seed(step, _EVALUATION)
    )  # [M, B * (L + 1), A], [M, B * (L + 1)]
    value = tf.reshape(self.expectation(values), [rows, length + 1])
    mask = tf.cast(batch.mask, tf.float32)  # [B, L]
    discount = self.config.discount * batch.discount
    returns = snippets.bootstrapped_returns(batch.reward, discount, value, mask)
    acted = [rows, length + 1]
    advised = self.objective.uses_teacher_actions
    return View(
      _flat(batch.observation[:, :-1]),
      _flat(batch.action),
      _flat(mask),
      _without_last(samples, acted),
      _without_last(values, acted),
      _flat(batch.reward + discount * value[:, 1:]),
      _flat(returns - value[:, :-1]),
      _flat(batch.teacher_action) if advised else (),
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
    actions = self.draw(policy, observation, seed)
    return actions, at_samples(
      self.networks.target_critic, observation, actions
    )

  def draw(
    self, policy: snt.Module, observation: tf.Tensor, seed: tf.Tensor
  ) -> tf.Tensor:
    """Actions of a policy, [M, B, A]; see `sample`."""
    actions = policy(observation).sample(self.config.num_samples, seed=seed)
    return tf.ensure_shape(
      actions, [self.config.num_samples, None, actions.shape[-1]]
    )

  def expectation(self, values: tf.Tensor) -> tf.Tensor:
    """V of states, [B], from Q of samples of the policy there, [M, B]."""
    return tf.reduce_mean(values, axis=0)

  def _values(self, view: View) -> Metrics:
    mean = tf.reduce_mean(view.sample_values, axis=0)  # [N]
    return {'value_mean': masked_mean(mean, view.mask)}

  def _regularized(
    self, improvement: tf.Tensor, view: View, step: tf.Tensor
  ) -> tuple[tf.Tensor, Metrics]:
    """The loss of the objective, [N], and its metrics."""
    if self.objective.kind == 'none':
      return improvement, {}
    nets, seed = self.networks, self.random_seed(step, _FILTER)
    return regularized(
      self.objective,
      nets,
      Where(view.observation, view.mask, view.teacher_action),
      improvement,
      self.alpha(step),
      lambda: self.draw(nets.policy, view.observation, seed),
    )


def imitation(policy: snt.Module, view: View, weight: tf.Tensor) -> tf.Tensor:
  """Minus the weighted log-likelihood of what was done (P004, eqs 2 and 4).

  The mean over all actions, not over those that have a weight: so where none
  has, the gradient is 0.

  Args:
    policy: [N, S] to a distribution of [N, A].
    view: what was done.
    weight: [N].

  Returns:
    [N].
  """
  likelihood = policy(view.observation).log_prob(view.action)  # [N]
  return -tf.stop_gradient(weight) * likelihood


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
