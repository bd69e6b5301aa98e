"""Fits the network of a reward model."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import sonnet as snt
import tensorflow as tf

from agents.parts.networks import LayerNormMLP
from teachers.reward_model import Examples, FittingConfig

_EVALUATION_ROWS = 4096


class _Network(snt.Module):
  """r(s, a) of standardised inputs, itself standardised."""

  def __init__(self, config: FittingConfig, input_size: int):
    super().__init__(name='reward')
    self.torso = LayerNormMLP(config.layer_sizes)
    self.head = snt.Linear(1)
    self(tf.zeros([1, input_size]))

  def __call__(self, inputs: tf.Tensor) -> tf.Tensor:
    """Maps [B, S + A] to [B]."""
    return self.head(self.torso(inputs))[:, 0]


def fit(
  config: FittingConfig,
  examples: Examples,
  held_out: Examples,
  on_progress: Callable[[int, float], None],
) -> dict[str, np.ndarray]:
  """Regresses r(s, a) on rewards, by squared error.

  Args:
    config: hyper-parameters.
    examples: [N, *], to learn from.
    held_out: [M, *], others; the weights that are best on them are kept.
    on_progress: called with the number of updates and the root of the mean
      squared held-out error, after every evaluation.

  Returns:
    The network's arrays, as `RewardModel` takes them: for inputs and rewards
    as they are.

  Raises:
    ValueError: there is nothing to learn from, or nothing is held out; or
      all held-out errors are infinite or not a number.
  """
  if not len(examples.rewards) or not len(held_out.rewards):
    raise ValueError(
      f'There are {len(examples.rewards)} examples and '
      f'{len(held_out.rewards)} held-out ones; each needs at least 1.'
    )
  tf.random.set_seed(config.seed)
  inputs, targets = _Scale.of(_inputs(examples)), _Scale.of(examples.rewards)
  x = tf.constant(inputs.apply(_inputs(examples)))  # [N, S + A]
  y = tf.constant(targets.apply(examples.rewards))  # [N]
  network = _Network(config, x.shape[1])
  update = _make_update(config, network, x, y)
  evaluate = _make_evaluation(
    network, inputs.apply(_inputs(held_out)), targets.apply(held_out.rewards)
  )
  best_error, best = np.inf, None
  for step in range(1, config.steps + 1):
    update()
    if step % config.evaluation_interval == 0 or step == config.steps:
      error = evaluate()
      if error < best_error:
        best_error, best = error, _export(network, inputs, targets)
      on_progress(step, float(error * targets.deviation))
  if best is None:
    raise ValueError(
      'The fit diverged: no held-out error is a number. Choose a smaller '
      f'learning_rate than {config.learning_rate}.'
    )
  return best


def _make_update(
  config: FittingConfig, network: _Network, x: tf.Tensor, y: tf.Tensor
) -> Callable[[], None]:
  """A function that takes one step of Adam on a random batch."""
  optimizer = snt.optimizers.Adam(config.learning_rate)
  variables = network.trainable_variables

  def update() -> None:
    rows = tf.random.uniform(
      [config.batch_size], 0, len(x), tf.int32, seed=config.seed
    )
    with tf.GradientTape() as tape:
      error = network(tf.gather(x, rows)) - tf.gather(y, rows)  # [batch]
      loss = tf.reduce_mean(tf.square(error))
    optimizer.apply(tape.gradient(loss, variables), variables)

  return tf.function(update, autograph=False)


def _make_evaluation(
  network: _Network, x: np.ndarray, y: np.ndarray
) -> Callable[[], float]:
  """A function that gives the root of the mean squared error."""
  signature = [tf.TensorSpec([None, x.shape[1]]), tf.TensorSpec([None])]
  total = tf.function(
    lambda x, y: tf.reduce_sum(tf.square(network(x) - y)),
    input_signature=signature,
    autograph=False,
  )

  def evaluate() -> float:
    parts = range(0, len(x), _EVALUATION_ROWS)
    squares = sum(
      float(total(x[i : i + _EVALUATION_ROWS], y[i : i + _EVALUATION_ROWS]))
      for i in parts
    )
    return float(np.sqrt(squares / len(x)))

  return evaluate


class _Scale(NamedTuple):
  """Standardises columns; one that never varies stays as wide as it is.

  Attributes:
    mean: [...] float64.
    deviation: [...] float64, positive.
  """

  mean: np.ndarray
  deviation: np.ndarray

  @classmethod
  def of(cls, rows: np.ndarray) -> '_Scale':
    """The scale of [N, ...]."""
    deviation = rows.std(axis=0, dtype=np.float64)
    # A smaller deviation, folded into float32 weights, would be rounded away.
    constant = deviation <= 1e-4 * np.abs(rows).max(axis=0)
    return cls(
      rows.mean(axis=0, dtype=np.float64), np.where(constant, 1, deviation)
    )

  def apply(self, rows: np.ndarray) -> np.ndarray:
    """[N, ...] float32."""
    return ((rows - self.mean) / self.deviation).astype(np.float32)


def _inputs(examples: Examples) -> np.ndarray:
  return np.concatenate([examples.observations, examples.actions], axis=1)


def _export(
  network: _Network, inputs: _Scale, targets: _Scale
) -> dict[str, np.ndarray]:
  """The arrays, with both scales folded into the outer layers."""
  torso = network.torso
  layers = [
    (layer.w.numpy().astype(np.float64), layer.b.numpy().astype(np.float64))
    for layer in (torso.first, *torso.rest, network.head)
  ]
  w, b = layers[0]
  w = w / inputs.deviation[:, None]
  layers[0] = w, b - inputs.mean @ w
  w, b = layers[-1]
  layers[-1] = w * targets.deviation, b * targets.deviation + targets.mean
  arrays = {
    'norm/scale': torso.first.scale.numpy(),
    'norm/offset': torso.first.offset.numpy(),
  }
  for i, (w, b) in enumerate(layers):
    arrays[f'{i}/w'] = w.astype(np.float32)
    arrays[f'{i}/b'] = b.astype(np.float32)
  return arrays
