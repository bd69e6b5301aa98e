import numpy as np
import pytest
import tensorflow as tf

from agents.deployed.critic import Critic
from agents.deployed.policy import Snapshot
from agents.parts import exports, networks
from datasets.types import EnvironmentSpec

SPEC = EnvironmentSpec(5, 2)


def snapshot(sizes=(16, 12, 8), spec=SPEC):
  """A random agent."""
  policy = networks.make_policy(spec, sizes)
  critic = networks.make_critic(spec, sizes, -3.0, 7.0, 11)
  rng = np.random.default_rng(0)
  for v in (*policy.variables, *critic.variables):
    v.assign(rng.normal(0, 1.5 / np.sqrt(v.shape[0]), v.shape))
  return critic, exports.snapshot(exports.policy(policy), critic, {})


def batch(size=50, spec=SPEC):
  rng = np.random.default_rng(1)
  observations = rng.normal(0, 3, (size, spec.observation_size))
  actions = rng.uniform(-1, 1, (size, spec.action_size))
  return observations.astype(np.float32), actions.astype(np.float32)


@pytest.mark.parametrize(
  ('sizes', 'spec'),
  [
    ((16, 12, 8), EnvironmentSpec(5, 2)),
    ((8,), EnvironmentSpec(1, 1)),
    ((256, 256, 256), EnvironmentSpec(17, 6)),
  ],
)
def test_equals_sonnet(sizes, spec):
  module, exported = snapshot(sizes, spec)
  critic = Critic(exported.critic, spec.action_size)
  observations, actions = batch(spec=spec)
  value, gradient = module.value_and_gradient(
    tf.constant(observations), tf.constant(actions)
  )
  mine, my_gradient = critic.value_and_gradient(observations, actions)
  assert mine.dtype == my_gradient.dtype == np.float32
  np.testing.assert_allclose(mine, value, rtol=1e-4, atol=1e-4)
  np.testing.assert_allclose(my_gradient, gradient, rtol=1e-3, atol=1e-4)
  np.testing.assert_array_equal(critic.value(observations, actions), mine)


def test_sonnet_takes_it_back():
  module, exported = snapshot()
  exported = Snapshot.from_bytes(exported.to_bytes())
  loaded = networks.load_critic(exported.critic, 2)
  for a, b in zip(module.variables, loaded.variables, strict=True):
    np.testing.assert_array_equal(a, b)
  np.testing.assert_array_equal(module.atoms, loaded.atoms)


def test_without_atoms_the_head_is_the_value():
  """Against finite differences."""
  _, exported = snapshot()
  arrays = dict(exported.critic)
  del arrays['atoms']
  arrays['3/w'], arrays['3/b'] = arrays['3/w'][:, :1], arrays['3/b'][:1]
  critic = Critic(arrays, 2)
  observations, actions = batch(20)
  value, gradient = critic.value_and_gradient(observations, actions)
  for i in range(2):
    step = 1e-2 * np.eye(2, dtype=np.float32)[i]
    above, below = (
      critic.value(observations, actions + s) for s in (step, -step)
    )
    np.testing.assert_allclose(
      (above - below) / 2e-2, gradient[:, i], rtol=0.05, atol=0.02
    )
  assert value.shape == (20,)


@pytest.mark.parametrize('action_size', [0, 7])
def test_refuses_other_widths(action_size):
  _, exported = snapshot()
  with pytest.raises(ValueError, match='7 inputs'):
    Critic(exported.critic, action_size)


def test_refuses_other_atoms():
  _, exported = snapshot()
  atoms = np.arange(3, dtype=np.float32)
  arrays = {**exported.critic, 'atoms': atoms}
  with pytest.raises(ValueError, match='11 outputs'):
    Critic(arrays, 2)


@pytest.mark.parametrize(
  ('atoms', 'message'),
  [
    ([-3.0, 0.0, 7.0], 'evenly spaced'),
    ([7.0, 2.0, -3.0], 'rising'),
    ([1.0, 1.0, 1.0], 'rising'),
    ([-3.0, np.nan, 7.0], 'finite'),
    ([[-3.0, 7.0]], 'one axis'),
    ([7.0], '2 or more'),
    (['a', 'b', 'c'], 'float32'),
  ],
)
def test_atoms_that_nothing_can_project_on_are_refused(atoms, message):
  _, exported = snapshot()
  kind = None if isinstance(atoms[0], str) else np.float32
  changed = {**exported.critic, 'atoms': np.array(atoms, kind)}
  with pytest.raises(ValueError, match=message):
    Critic(changed, SPEC.action_size)


def test_the_graph_has_the_files_own_atoms():
  _, exported = snapshot()
  atoms = exported.critic['atoms'] * np.float32(1 + 1e-7)
  loaded = networks.load_critic({**exported.critic, 'atoms': atoms}, 2)
  np.testing.assert_array_equal(loaded.atoms, atoms)
