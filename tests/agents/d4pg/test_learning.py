import numpy as np
import pytest

from agents import learner as learner_lib
from agents import registry
from agents.config import ObjectiveConfig
from agents.d4pg.config import D4PGConfig
from agents.d4pg.update import D4PG
from datasets.types import EnvironmentSpec, Transition


@pytest.mark.long
def test_learns_a_bandit():
  """The reward is -|a - c(s)|^2; nothing but the critic shows c(s)."""
  spec = EnvironmentSpec(2, 1)
  config = D4PGConfig(
    policy_layer_sizes=(32, 32),
    critic_layer_sizes=(32, 32),
    vmin=-4.0,
    vmax=0.0,
    num_atoms=21,
    policy_learning_rate=3e-3,
    critic_learning_rate=3e-3,
  )

  def states(rng, *shape):
    # The layer norm would hide the size of a state without the constant.
    one = np.ones((*shape, 1))
    return np.concatenate([rng.standard_normal((*shape, 1)), one], axis=-1)

  def best_action(states):
    return 0.8 * np.tanh(2 * states[..., :1])

  def sample(first_step, num_steps):
    rng = np.random.default_rng(first_step)
    observation = states(rng, num_steps, 64)
    action = rng.uniform(-1, 1, (num_steps, 64, 1))
    reward = -np.square(action - best_action(observation))[..., 0]
    fields = observation, action, reward, np.zeros_like(reward), observation
    return Transition(*(field.astype(np.float32) for field in fields))

  networks = registry.make_networks(config, spec, seed=0)
  agent = D4PG(config, networks, ObjectiveConfig('none'), 1)
  learner = learner_lib.Learner(agent, sample, steps_per_call=100)
  held_out = states(np.random.default_rng(1), 500)

  def loss():
    action = networks.export()(held_out)
    return np.mean(np.square(action - best_action(held_out)))

  assert loss() > 0.2
  learner.run(800)
  assert loss() < 0.02
