from acme.tf import networks as acme_networks
import numpy as np
import pytest
import sonnet as snt
import tensorflow as tf

from agents.parts import networks
from tests.agents.problems import SPEC, assert_equal, variables


def normal(*shape, seed=0):
  rng = np.random.default_rng(seed)
  return tf.constant(rng.normal(0, 2, shape).astype(np.float32))


def twins(size=6, input_size=3, **changes):
  """Ours, and Sonnet's two modules with the same weights."""
  w_init = snt.initializers.RandomUniform()
  ours = networks.NormalizedLinear(size, w_init)
  linear = snt.Linear(size)
  norm = snt.LayerNorm(axis=-1, create_scale=True, create_offset=True)
  inputs = tf.zeros([1, input_size])
  ours(inputs)
  norm(linear(inputs))
  pairs = [
    (ours.w, linear.w),
    (ours.b, linear.b),
    (ours.scale, norm.scale),
    (ours.offset, norm.offset),
  ]
  for seed, (mine, theirs) in enumerate(pairs):
    default = normal(*mine.shape, seed=seed)
    mine.assign(changes.get(mine.name.removesuffix(':0')[-1:], default))
    theirs.assign(mine)
  return ours, lambda x: norm(linear(x)), pairs


class TestNormalizedLinear:
  @pytest.mark.parametrize('input_size', [1, 3, 17, 300])
  @pytest.mark.parametrize('inputs_size', [0.0, 1e-3, 1.0, 1e4])
  def test_equals_sonnet(self, input_size, inputs_size):
    ours, sonnets, _ = twins(256, input_size)
    inputs = inputs_size * normal(9, input_size, seed=7)
    np.testing.assert_allclose(ours(inputs), sonnets(inputs), atol=2e-4)

  def test_variance_of_zero(self):
    zeros = {'w': tf.zeros([3, 6]), 'b': tf.zeros([6])}
    ours, sonnets, _ = twins(**zeros)
    inputs = 1e6 * normal(9, 3, seed=7)
    np.testing.assert_allclose(ours(inputs), sonnets(inputs))
    ours, sonnets, _ = twins(w=tf.ones([3, 6]) / 3)  # All outputs are equal.
    assert np.isfinite(ours(inputs)).all()

  def test_gradients_equal_sonnets(self):
    ours, sonnets, pairs = twins(32)
    inputs, output_gradients = normal(5, 3, seed=8), normal(5, 32, seed=9)
    gradients = []
    for module, parameters in zip(
      (ours, sonnets), zip(*pairs, strict=True), strict=True
    ):
      with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = module(inputs)
      sources = [inputs, *parameters]
      gradients.append(tape.gradient(outputs, sources, output_gradients))
    for mine, theirs in zip(*gradients, strict=True):
      np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-4)


class TestLayerNormMLP:
  @pytest.mark.parametrize('sizes', [(8,), (8, 6), (8, 6, 4)])
  def test_equals_acme(self, sizes):
    ours = networks.LayerNormMLP(sizes)
    acmes = acme_networks.LayerNormMLP(sizes, activate_final=True)
    inputs = normal(5, 3)
    ours(inputs)
    acmes(inputs)
    for seed, variable in enumerate(ours.variables):
      variable.assign(normal(*variable.shape, seed=seed))
    linears = [m for m in acmes.submodules if isinstance(m, snt.Linear)]
    for mine, theirs in zip([ours.first, *ours.rest], linears, strict=True):
      theirs.w.assign(mine.w)
      theirs.b.assign(mine.b)
    (norm,) = (m for m in acmes.submodules if isinstance(m, snt.LayerNorm))
    norm.scale.assign(ours.first.scale)
    norm.offset.assign(ours.first.offset)
    np.testing.assert_allclose(ours(inputs), acmes(inputs), atol=2e-5)

  def test_initial_weights(self):
    torso = networks.LayerNormMLP((64, 32))
    torso(normal(1, 16))
    for linear in (torso.first, *torso.rest):
      # Uniform with variance 0.333 / fan_out.
      bound = np.sqrt(3 * 0.333 / linear.output_size)
      w = linear.w.numpy()
      assert np.abs(w).max() <= bound
      np.testing.assert_allclose(w.std(), bound / np.sqrt(3), rtol=0.1)
      assert not linear.b.numpy().any()


class TestPolicy:
  def test_first_actions_are_nearly_zero(self):
    policy = networks.make_policy(SPEC, (16, 16))
    actions = policy(normal(10, SPEC.observation_size))
    assert actions.shape == (10, SPEC.action_size)
    assert 0 < np.abs(actions).max() < 0.1

  def test_actions_are_canonical(self):
    policy = networks.make_policy(SPEC, (16,))
    policy.head.w.assign(1e6 * policy.head.w)
    actions = policy(normal(10, SPEC.observation_size))
    assert np.abs(actions).max() == 1


class TestCritic:
  def critic(self):
    return networks.make_critic(SPEC, (16, 16), -150.0, 150.0, 51)

  def test_atoms(self):
    atoms = self.critic().atoms
    assert atoms.dtype == np.float32
    np.testing.assert_allclose(atoms, -150 + 6 * np.arange(51))

  def test_value_is_the_mean(self):
    critic = self.critic()
    logits = critic(
      normal(4, SPEC.observation_size), normal(4, SPEC.action_size)
    )
    assert logits.shape == (4, 51)
    exp = np.exp(logits.numpy().astype(np.float64))
    expected = (exp / exp.sum(axis=-1, keepdims=True)) @ critic.atoms
    np.testing.assert_allclose(critic.value(logits), expected, atol=1e-4)

  def test_gradient_of_the_value(self):
    critic, observation = self.critic(), normal(4, SPEC.observation_size)
    action = normal(4, SPEC.action_size, seed=1).numpy()
    q, gradient = critic.value_and_gradient(observation, tf.constant(action))
    np.testing.assert_array_equal(
      q, critic.value(critic(observation, tf.constant(action)))
    )
    for i in range(SPEC.action_size):
      step = np.zeros_like(action)
      step[:, i] = 1e-2
      above, below = (
        critic.value(critic(observation, tf.constant(a)))
        for a in (action + step, action - step)
      )
      slope = (above - below) / 2e-2
      np.testing.assert_allclose(gradient[:, i], slope, rtol=0.02, atol=0.02)

  @pytest.mark.parametrize('support', [(1.0, 1.0, 5), (0.0, 1.0, 1)])
  def test_refuses_no_support(self, support):
    with pytest.raises(ValueError, match='vmin'):
      networks.make_critic(SPEC, (4,), *support)


def test_copy_variables():
  first = networks.make_policy(SPEC, (4, 4))
  second = networks.make_policy(SPEC, (4, 4))
  networks.copy_variables(first, second)
  assert_equal(variables(first), variables(second))
  first.head.b.assign_add([1.0, 1.0])
  assert not second.head.b.numpy().any()


def test_copy_refuses_another_architecture():
  first = networks.make_policy(SPEC, (4, 4))
  with pytest.raises(ValueError, match=r'shorter|longer'):
    networks.copy_variables(first, networks.make_policy(SPEC, (4,)))
  with pytest.raises(ValueError, match='shape'):
    networks.copy_variables(first, networks.make_policy(SPEC, (4, 5)))
