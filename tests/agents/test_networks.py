from acme.tf import networks as acme_networks
import numpy as np
import pytest
import sonnet as snt
import tensorflow as tf

from agents import networks
from tests.agents.problems import SPEC, assert_equal, variables


def normal(*shape, seed=0):
  rng = np.random.default_rng(seed)
  return tf.constant(rng.normal(0, 2, shape).astype(np.float32))


class TestLayerNormMLP:
  @pytest.mark.parametrize('sizes', [(8,), (8, 6), (8, 6, 4)])
  def test_equals_acme(self, sizes):
    ours = networks.LayerNormMLP(sizes)
    acmes = acme_networks.LayerNormMLP(sizes, activate_final=True)
    inputs = normal(5, 3)
    ours(inputs)
    acmes(inputs)
    for variable in ours.variables:
      variable.assign(normal(*variable.shape, seed=1))

    linears = [m for m in acmes.submodules if isinstance(m, snt.Linear)]
    for mine, theirs in zip([ours.first, *ours.rest], linears, strict=True):
      theirs.w.assign(mine.w)
      theirs.b.assign(mine.b)
    (norm,) = (m for m in acmes.submodules if isinstance(m, snt.LayerNorm))
    norm.scale.assign(ours.norm.scale)
    norm.offset.assign(ours.norm.offset)
    np.testing.assert_allclose(ours(inputs), acmes(inputs), atol=2e-5)

  def test_gradients_equal_sonnets_layer_norm(self):
    ours = networks.LayerNorm(6)
    sonnets = snt.LayerNorm(axis=-1, create_scale=True, create_offset=True)
    inputs, output_gradients = normal(5, 6), normal(5, 6, seed=1)
    sonnets(inputs)
    gradients = []
    for norm in (ours, sonnets):
      norm.scale.assign(normal(6, seed=2))
      with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = norm(inputs)
      gradients.append(
        tape.gradient(
          outputs,
          [inputs, norm.scale, norm.offset],
          output_gradients=output_gradients,
        )
      )
    for mine, theirs in zip(*gradients, strict=True):
      np.testing.assert_allclose(mine, theirs, atol=1e-5)

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
