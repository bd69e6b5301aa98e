from acme.tf.losses import distributional
import hypothesis
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
import numpy as np
import pytest
import tensorflow as tf

from agents.parts import losses

ATOMS = np.linspace(-150, 150, 51, dtype=np.float32)


def softmax(logits):
  exp = np.exp(logits - logits.max(axis=-1, keepdims=True))
  return exp / exp.sum(axis=-1, keepdims=True)


def project(atoms, reward, discount, probabilities):
  """m_i = sum_j p_j clip(1 - |y_j - z_i| / dz, 0, 1), as it is written."""
  result = np.zeros_like(probabilities, dtype=np.float64)
  spacing = (atoms[-1] - atoms[0]) / (len(atoms) - 1)
  for b in range(len(reward)):
    for j, p in enumerate(probabilities[b]):
      y = np.clip(reward[b] + discount[b] * atoms[j], atoms[0], atoms[-1])
      result[b] += p * np.clip(1 - np.abs(y - atoms) / spacing, 0, 1)
  return result


def rng_batch(seed=0, batch=7, size=51):
  rng = np.random.default_rng(seed)
  return (
    rng.normal(0, 40, batch).astype(np.float32),
    rng.choice(np.array([0, 0.5, 0.96, 1], np.float32), batch),
    softmax(rng.normal(0, 2, (batch, size))).astype(np.float32),
  )


class TestSquaredDistance:
  def test_value(self):
    target = np.array([[1, 2], [0, 0]], np.float32)
    action = np.array([[0, 0], [3, 4]], np.float32)
    distance = losses.squared_distance(tf.constant(target), tf.constant(action))
    np.testing.assert_allclose(distance, [5, 25])

  def test_only_the_action_is_differentiated(self):
    target, action = tf.constant([[1.0, 2.0]]), tf.constant([[0.0, 5.0]])
    with tf.GradientTape() as tape:
      tape.watch([target, action])
      loss = losses.squared_distance(target, action)
    frozen, trained = tape.gradient(loss, [target, action])
    assert frozen is None
    np.testing.assert_allclose(trained, [[-2, 6]])

  def test_shapes_must_agree(self):
    with pytest.raises(ValueError, match='compatible'):
      losses.squared_distance(tf.zeros([3, 2]), tf.zeros([3, 1]))
    with pytest.raises(ValueError, match='rank'):
      losses.squared_distance(tf.zeros([3]), tf.zeros([3]))


class TestDeterministicPolicyGradient:
  def test_value_and_gradient(self):
    action, gradient = tf.constant([[0.5, 0.1]]), tf.constant([[0.3, -0.4]])
    with tf.GradientTape() as tape:
      tape.watch([action, gradient])
      loss = losses.deterministic_policy_gradient(action, gradient)
    in_action, in_gradient = tape.gradient(loss, [action, gradient])
    np.testing.assert_allclose(loss, [0.5 * (0.09 + 0.16)], rtol=1e-6)
    np.testing.assert_allclose(in_action, [[-0.3, 0.4]], rtol=1e-6)
    assert in_gradient is None

  def test_linear_policy_climbs_q(self):
    """Invariant A-I7, with finite differences of the mean of Q."""
    rng = np.random.default_rng(0)
    observation = rng.standard_normal((4, 3))
    weights = rng.standard_normal((3, 2))
    centre = rng.standard_normal((4, 2))

    def mean_q(weights):
      action = observation @ weights
      return np.mean(np.sum(np.sin(action - centre), axis=-1))

    with tf.GradientTape() as tape:
      tape.watch(w := tf.constant(weights))
      action = observation @ w
      action_gradient = tf.cos(tf.stop_gradient(action) - centre)
      loss = tf.reduce_mean(
        losses.deterministic_policy_gradient(action, action_gradient)
      )
    expected = np.zeros_like(weights)
    for index in np.ndindex(*weights.shape):
      step = np.zeros_like(weights)
      step[index] = 1e-6
      rise = mean_q(weights + step) - mean_q(weights - step)
      expected[index] = rise / 2e-6
    np.testing.assert_allclose(tape.gradient(loss, w), -expected, atol=1e-8)


class TestProjectCategorical:
  """Invariant A-I8 and two references."""

  def test_equals_the_formula(self):
    batch = rng_batch()
    np.testing.assert_allclose(
      losses.project_categorical(tf.constant(ATOMS), *map(tf.constant, batch)),
      project(ATOMS, *batch),
      atol=1e-6,
    )

  def test_equals_acme(self):
    reward, discount, probabilities = rng_batch(1)
    shifted = reward[:, None] + discount[:, None] * ATOMS
    expected = distributional.l2_project(
      shifted, probabilities, tf.constant(ATOMS)
    )
    actual = losses.project_categorical(
      tf.constant(ATOMS), *map(tf.constant, (reward, discount, probabilities))
    )
    np.testing.assert_allclose(actual, expected, atol=1e-6)

  @hypothesis.given(
    reward=st_numpy.arrays(
      np.float32, 5, elements=st.floats(-1e6, 1e6, width=32)
    ),
    discount=st_numpy.arrays(np.float32, 5, elements=st.floats(0, 1, width=32)),
    seed=st.integers(0, 1000),
    size=st.integers(2, 60),
  )
  @hypothesis.settings(max_examples=50, deadline=None)
  def test_is_a_distribution(self, reward, discount, seed, size):
    atoms = np.linspace(-3, 7, size, dtype=np.float32)
    logits = np.random.default_rng(seed).normal(0, 3, (5, size))
    result = losses.project_categorical(
      tf.constant(atoms),
      tf.constant(reward),
      tf.constant(discount),
      tf.constant(softmax(logits).astype(np.float32)),
    ).numpy()
    assert (result >= 0).all()
    np.testing.assert_allclose(result.sum(axis=-1), 1, rtol=1e-5)

  def test_mean_is_kept_inside_the_support(self):
    _, discount, probabilities = rng_batch(2)
    reward = np.full(7, 0.3, np.float32)
    discount = discount * 0.9  # The extreme atoms stay inside too.
    result = losses.project_categorical(
      tf.constant(ATOMS), *map(tf.constant, (reward, discount, probabilities))
    )
    np.testing.assert_allclose(
      result @ ATOMS[:, None],
      reward[:, None] + discount[:, None] * (probabilities @ ATOMS[:, None]),
      rtol=1e-4,
      atol=1e-4,
    )

  @pytest.mark.parametrize('index', [0, 1, 25, 49, 50])
  def test_reward_on_an_atom_after_termination(self, index):
    _, _, probabilities = rng_batch(3, batch=1)
    result = losses.project_categorical(
      tf.constant(ATOMS),
      tf.constant(ATOMS[index : index + 1]),
      tf.zeros([1]),
      tf.constant(probabilities),
    )
    np.testing.assert_allclose(result[0], np.eye(51)[index], atol=1e-6)

  @pytest.mark.parametrize(('reward', 'index'), [(1e9, 50), (-1e9, 0)])
  def test_what_leaves_the_support_stays_at_its_end(self, reward, index):
    _, _, probabilities = rng_batch(4, batch=1)
    result = losses.project_categorical(
      tf.constant(ATOMS),
      tf.constant([reward]),
      tf.ones([1]),
      tf.constant(probabilities),
    )
    np.testing.assert_allclose(result[0], np.eye(51)[index], atol=1e-6)

  def test_shapes_must_agree(self):
    with pytest.raises(ValueError, match='rank'):
      losses.project_categorical(
        tf.constant(ATOMS), tf.zeros([7, 1]), tf.zeros([7]), tf.zeros([7, 51])
      )
    with pytest.raises(ValueError, match='incompatible'):
      losses.project_categorical(
        tf.constant(ATOMS), tf.zeros([7]), tf.zeros([7]), tf.zeros([7, 50])
      )


class TestCategoricalTd:
  def arguments(self):
    reward, discount, _ = rng_batch(5)
    rng = np.random.default_rng(6)
    logits = rng.normal(0, 1, (2, 7, 51)).astype(np.float32)
    return [
      tf.constant(x) for x in (ATOMS, logits[0], reward, discount, logits[1])
    ]

  def test_value(self):
    arguments = self.arguments()
    atoms, logits, reward, discount, next_logits = (
      a.numpy() for a in arguments
    )
    target = project(atoms, reward, discount, softmax(next_logits))
    expected = -np.sum(target * np.log(softmax(logits)), axis=-1)
    np.testing.assert_allclose(
      losses.categorical_td(*arguments), expected, rtol=1e-5
    )

  def test_only_the_prediction_is_differentiated(self):
    arguments = self.arguments()
    with tf.GradientTape() as tape:
      tape.watch(arguments)
      loss = losses.categorical_td(*arguments)
    gradients = tape.gradient(loss, arguments)
    assert [g is not None for g in gradients] == [
      False, True, False, False, False
    ]  # fmt: skip
    assert np.abs(gradients[1]).max() > 0


@pytest.mark.parametrize('bad', [np.nan, np.inf, -np.inf, 3e38])
def test_what_is_no_number_stays_within_memory(bad):
  """It was an index once, and the kernel wrote wherever that pointed."""
  batch = 64
  probabilities = np.full((batch, len(ATOMS)), 1 / len(ATOMS), np.float32)
  reward = np.zeros(batch, np.float32)
  reward[::2] = bad
  discount = np.full(batch, 0.9, np.float32)
  result = losses.project_categorical(
    tf.constant(ATOMS), *map(tf.constant, (reward, discount, probabilities))
  ).numpy()
  good = result[1::2]
  np.testing.assert_allclose(good.sum(axis=1), 1.0, rtol=1e-5)
  if np.isnan(bad):
    assert np.isnan(result[::2]).any(axis=1).all()


def test_targets_beyond_the_atoms_are_counted():
  low, high = ATOMS[0], ATOMS[-1]
  # The outermost atoms themselves are not beyond.
  reward = np.array([0, high, 2 * high, 2 * low, low, 3 * low], np.float32)
  next_value = np.array([high, 0, 0, high / 2, 0, 0], np.float32)
  share = losses.fraction_beyond(
    tf.constant(ATOMS),
    tf.constant(reward),
    tf.constant([1.0, 1.0, 1.0, 0.0, 1.0, 1.0]),
    tf.constant(next_value),
  )
  assert share.numpy() == 0.5
