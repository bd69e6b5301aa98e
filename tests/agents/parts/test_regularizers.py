import numpy as np
import pytest
import tensorflow as tf

from agents.config import ObjectiveConfig
from agents.parts import regularizers

ACTION = tf.constant([[0.1, -0.2], [0.5, 0.5], [0.0, 0.9]])
DIRECTION = tf.constant([[0.6, 0.8], [0.0, -0.1], [0.3, 0.0]])
TEACHER = tf.constant([[1.0, 1.0], [0.5, 0.5], [-1.0, 0.0]])
ANCHOR = tf.fill([3, 2], -0.4)


def objective(kind, alpha=0.25, gradient=None, **kwargs):
  judges = regularizers.Judges(lambda s, a: tf.reduce_sum(a, axis=-1), gradient)
  situation = regularizers.Situation(
    observation=tf.zeros([3, 4]),
    action=ACTION,
    value=tf.reduce_sum(ACTION, axis=-1),
    direction=DIRECTION,
    anchor_action=ANCHOR,
    teacher_action=TEACHER,
    bound=1.0,
    alpha=tf.constant(alpha),
  )
  return regularizers.objective(
    ObjectiveConfig(kind, **kwargs), judges, situation
  )


def distance(target):
  return np.sum(np.square(target - ACTION.numpy()), axis=-1)


DPG = 0.5 * np.sum(np.square(DIRECTION.numpy()), axis=-1)


@pytest.mark.parametrize(
  ('kind', 'expected'),
  [
    ('none', DPG),
    ('bc_fixed', DPG + 0.5 * distance(-0.4)),
    ('bc_decay', 0.75 * DPG + 0.25 * distance(-0.4)),
    ('between', 0.75 * DPG + 0.25 * distance(-0.4)),
    (
      'teacher_action',
      0.75 * DPG + 5 * distance(-0.4) + 0.25 * distance(TEACHER.numpy()),
    ),
    # The teacher's action is better, the same, worse.
    ('q_filter', np.where([1, 1, 0], distance(TEACHER.numpy()), DPG)),
  ],
)
def test_losses(kind, expected):
  loss = regularizers.loss(objective(kind), ACTION)
  assert loss.shape == (3,)
  np.testing.assert_allclose(loss, expected, rtol=1e-5)


@pytest.mark.parametrize('kind', ['bc_decay', 'between'])
def test_ends_of_the_decay_are_exact(kind):
  start = regularizers.loss(objective(kind, alpha=1.0), ACTION)
  np.testing.assert_allclose(start, distance(-0.4), rtol=1e-6)
  end = regularizers.loss(objective(kind, alpha=0.0), ACTION)
  none = regularizers.loss(objective('none'), ACTION)
  np.testing.assert_array_equal(end, none)


def test_only_the_action_is_differentiated():
  """The loss's gradient, by hand: -w g + sum_i 2 w_i (a - target_i)."""
  terms = objective('teacher_action')
  with tf.GradientTape() as tape:
    tape.watch(ACTION)
    loss = tf.reduce_sum(regularizers.loss(terms, ACTION))
  action = ACTION.numpy()
  expected = (
    -0.75 * DIRECTION.numpy()
    + 10 * (action + 0.4)
    + 0.5 * (action - TEACHER.numpy())
  )
  np.testing.assert_allclose(tape.gradient(loss, ACTION), expected, rtol=1e-5)


def test_teacher_gradient_is_blended_and_bounded():
  gradient = tf.constant([[30.0, 40.0], [0.0, 0.0], [0.0, -0.5]])
  terms = objective('teacher_grad', gradient=lambda s, a: gradient)
  bounded = [[0.6, 0.8], [0.0, 0.0], [0.0, -0.5]]
  np.testing.assert_allclose(
    terms.direction, 0.75 * DIRECTION + 0.25 * tf.constant(bounded), rtol=1e-6
  )
  # Parallel; no direction at all; at a right angle.
  assert float(terms.metrics['teacher_cosine']) == pytest.approx(1 / 3)


@pytest.mark.parametrize('size', [1e19, 1.8e19, 2e19, 1e30, 3e38])
def test_a_bound_holds_where_squares_overflow(size):
  direction = tf.constant([[0.6, -0.8]]) * size
  for bound in (1.0, 0.25):
    np.testing.assert_allclose(
      regularizers.bounded(direction, bound),
      [[0.6 * bound, -0.8 * bound]],
      rtol=1e-6,
    )


@pytest.mark.parametrize(('low', 'high'), [(0.0, 1e-30), (1.0, 1e18)])
def test_ordinary_directions_keep_their_bits(low, high):
  random = np.random.default_rng(0)
  directions = random.normal(size=(1_000, 6)).astype(np.float32)
  directions *= random.uniform(low, high, (1_000, 1)).astype(np.float32)
  norm = tf.norm(directions, axis=-1, keepdims=True)
  plain = directions * (1.0 / tf.maximum(norm, 1.0))
  np.testing.assert_array_equal(regularizers.bounded(directions, 1.0), plain)


def test_filter_reports_how_often_it_sides_with_the_teacher():
  metrics = objective('q_filter').metrics
  assert float(metrics['teacher_fraction']) == pytest.approx(2 / 3)
  assert float(metrics['teacher_distance']) == pytest.approx(
    distance(TEACHER.numpy()).mean()
  )


def test_shapes_must_agree():
  terms = objective('bc_decay')._replace(
    targets=[(tf.constant(1.0), tf.zeros([3, 1]))]
  )
  with pytest.raises(ValueError, match='incompatible'):
    regularizers.loss(terms, ACTION)
