"""What learns from the episodes of a training by interaction."""

from collections.abc import Iterable, Mapping
from typing import Any

from agents import registry
from agents.config import AgentConfig, ObjectiveConfig
from agents.learner import Learner
from datasets.memory import Memory
from datasets.types import EnvironmentSpec, Episode
from launchers.nodes.batches import sampler_for
from launchers.training.evaluations import OnlineEvaluations


class Student:
  """One agent, what it remembers, and what it is worth.

  Attributes:
    networks: those that are trained.
    learner: its updates; what a checkpoint holds.
    evaluations: of its policies.
  """

  def __init__(
    self,
    agent: AgentConfig,
    spec: EnvironmentSpec,
    seed: int,
    total_steps: int,
    evaluations: OnlineEvaluations,
  ):
    """Begins, with nothing to learn from.

    Args:
      agent: names it, with its hyper-parameters.
      spec: the sizes of the task.
      seed: of its weights and of what it samples.
      total_steps: learner steps of the whole training.
      evaluations: where its returns and snapshots are kept.
    """
    self._config = agent
    self._seed = seed
    self._memory = Memory(agent.n_step, agent.discount)
    self._metrics: Mapping[str, float] = {}
    self.networks = registry.make_networks(agent, spec, seed)
    self._agent = registry.make_agent(
      agent, self.networks, ObjectiveConfig('none'), total_steps
    )
    self.learner = Learner(self._agent, self._sample)
    self.evaluations = evaluations

  def remember(self, episodes: Iterable[Episode]) -> None:
    """Adds to what it learns from."""
    self._memory.extend(episodes)

  def learn(self, num_steps: int) -> None:
    """Does so many updates."""
    self._metrics = self.learner.run(num_steps)

  def evaluate(self, episodes: int) -> None:
    """Adds a row and a snapshot, of a training of so many episodes.

    Raises:
      ActingStoppedError: the evaluation is given up.
    """
    counts = {
      'episodes': episodes,
      'actor_steps': self._memory.num_transitions,
      'learner_steps': self.learner.steps,
      'critic_loss': self._metrics.get('critic_loss', ''),
    }
    self.evaluations.run(self.networks, counts)

  def _sample(self, first_step: int, num_steps: int) -> Any:
    sampler = sampler_for(self._config, self._agent, self._memory, self._seed)
    return sampler(first_step, num_steps)
