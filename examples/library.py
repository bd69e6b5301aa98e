"""Understudy as a library on your own arrays: python examples/library.py [DIR].

Episodes from anywhere → a store → two agents → policies that act in NumPy.
"""

from pathlib import Path
import sys
import tempfile

import numpy as np

from agents import registry
from agents.bc.config import BCConfig
from agents.config import AgentConfig, ObjectiveConfig
from agents.d4pg.config import D4PGConfig
from agents.deployed.policy import Policy
from agents.learner import Learner
from datasets.memory import Memory
from datasets.sampler import UniformSampler
from datasets.store import EpisodeStore
from datasets.types import EnvironmentSpec, Episode, EpisodeId
from datasets.validation import check_episode

SPEC = EnvironmentSpec(observation_size=3, action_size=2)
STEPS = 200  # Updates; a real run takes thousands.
CONFIGS: tuple[AgentConfig, ...] = (
  BCConfig(policy_layer_sizes=(64, 64), learning_rate=1e-3),
  D4PGConfig(policy_layer_sizes=(64, 64), critic_layer_sizes=(64, 64)),
)


def your_episode(index: int) -> Episode:
  """A plant that drifts, and an operator who steers it back; put yours here."""
  rng = np.random.default_rng(index)
  observations = [rng.normal(size=3)]
  actions, rewards = [], []
  for _ in range(50):
    action = np.clip(-observations[-1][:2] + 0.1 * rng.normal(size=2), -1, 1)
    actions.append(action)
    observations.append(0.9 * observations[-1] + np.append(0.3 * action, 0.1))
    rewards.append(np.exp(-np.sum(observations[-1] ** 2)))
  return Episode(
    EpisodeId('plant', cycle=0, actor=0, episode=index),
    policy='operator-1',  # Who acted.
    observations=np.array(observations, np.float32),  # [T + 1, S]
    actions=np.array(actions, np.float32),  # [T, A] in [-1, 1]
    rewards=np.array(rewards, np.float32),  # [T]
    discounts=np.ones(len(rewards), np.float32),  # 0 after a termination.
  )


def learn(config: AgentConfig, memory: Memory) -> bytes:
  """Trains an agent on the memory; returns its policy's file."""
  networks = registry.make_networks(config, SPEC, seed=0)
  agent = registry.make_agent(config, networks, ObjectiveConfig('none'), STEPS)
  imitates = registry.find(config.kind).batches == 'demonstrations'
  gather = memory.demonstrations if imitates else memory.gather
  sample = UniformSampler(gather, len(memory), config.batch_size, seed=0)
  metrics = Learner(agent, sample).run(STEPS)
  print(f'{config.kind}:', {k: round(v, 4) for k, v in metrics.items()})
  return networks.export().to_bytes()


def main(directory: Path) -> None:
  """Stores, learns, exports and acts."""
  store = EpisodeStore(directory / 'episodes')
  for index in range(20):
    episode = your_episode(index)
    check_episode(episode, SPEC)  # Refuses what nothing may learn from.
    store.commit(episode)
  memory = Memory(n_step=5, discount=0.99)
  memory.extend(store)
  print(f'{store.directory}: {len(memory)} transitions')
  for config in CONFIGS:
    path = directory / f'{config.kind}.npz'
    path.write_bytes(learn(config, memory))
    policy = Policy.from_bytes(path.read_bytes())  # No TensorFlow from here.
    action = policy(np.array([0.5, -0.5, 0.0], np.float32))
    print(f'{path}: acts {np.round(action, 2)}')


if __name__ == '__main__':
  main(Path(sys.argv[1] if sys.argv[1:] else tempfile.mkdtemp()))
