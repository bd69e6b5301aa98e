"""What an agent is: its networks, and one update of them.

`agents.learner.Learner` is the loop, written once, that calls it.
"""

import abc
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sonnet as snt
import tensorflow as tf

from agents.config import ObjectiveConfig
from agents.deployed.policy import Policy, Snapshot
from agents.parts import losses, optimizers
from agents.parts.optimizers import Group

# A NamedTuple of arrays: NumPy outside the graph, tensors inside.
Batch = Any


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

  def companions(self) -> Mapping[str, Policy]:
    """Policies beside the one that is deployed, which tell how it came about.

    For instance the prior that a policy is held to, by the name 'prior'.
    """
    return {}

  @abc.abstractmethod
  def snapshot(self, metadata: Mapping[str, Any]) -> Snapshot:
    """The present policy with its critic, if there is one, for a teacher."""

  def cloning_loss(
    self, observation: tf.Tensor, action: tf.Tensor
  ) -> tf.Tensor:
    """How badly the policy imitates an action, per example.

    Args:
      observation: [B, S].
      action: [B, A], to imitate there.

    Returns:
      [B]; of a policy that gives actions, the squared distance.
    """
    return losses.squared_distance(action, self.policy(observation))

  def begin_reinforcement(self) -> None:
    """Called after cloning: freezes pi_0 and makes targets equal."""

  def begin_cycle(self) -> None:
    """Called at the start of a cycle: freezes the policy that acts in it."""

  def deploy(self, policy: Policy) -> None:
    """Called after `begin_cycle` where another policy acts in the cycle.

    Freezes that one instead, where an objective is anchored to what acts.
    """


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
