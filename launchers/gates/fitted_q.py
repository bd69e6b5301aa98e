"""Fitted Q evaluation: what policies earn, learned from what others did.

Le, Voloshin and Yue (2019). Several policies, and of each several networks that
saw other draws of the episodes, are one stacked product.
"""

from collections.abc import Callable, Sequence
from typing import Optional

import numpy as np
import tensorflow as tf

from launchers.gates.data import Data
from launchers.gates.deployed import Actions
from launchers.gates.fits import Fit, FitOptions
from launchers.gates.stacked import AdamW, Stack

_STEPS = 20  # Updates in one call of the graph.
_ROWS = 16_384  # Rows of the data in one call.
_SAMPLES = 8  # Actions, of which V is the mean of Q.
_SETTLED = 0.02  # Share of the range that an estimate may still move.
_LAST_FIFTH = (0.8, 0.9, 1.0)


class FittedQ:
  """Q of several policies, as it is being fitted.

  Attributes:
    low, high: what no value can be beyond.
  """

  def __init__(
    self,
    data: Data,
    policies: Sequence[Actions],
    first: Sequence[Actions],
    options: FitOptions,
    discount: float,
    seed: int,
    folds: Optional[np.ndarray] = None,
  ):
    """Begins.

    Args:
      data: what was done.
      policies: what each policy does in each observation of `data`, [O, A].
      first: the same, in the first one of each episode, [N, A].
      options: how it is fitted.
      discount: g.
      seed: of everything that is drawn.
      folds: [n], 0 or 1; then each network sees the episodes of one of them
        alone, in turn.
    """
    self._data, self._options, self._seed = data, options, seed
    self._discount = discount
    self._policies, self._first = policies, first
    self.low, self.high = data.value_range(discount)
    # Learned is how much more it is than the one constant that fits best.
    self._offset = data.constant_value(discount)
    self._scale = max(self.high - self.low, 1e-6)
    members = len(policies) * options.members
    width = data.observations.shape[1] + data.actions.shape[1]
    sizes = (width, *options.layer_sizes, 1)
    self._online = Stack(members, sizes, seed)
    self._target = Stack(members, sizes, seed)
    self._optimizer = AdamW(
      self._online.variables, options.learning_rate, options.weight_decay,
      options.updates,
    )  # fmt: skip
    self._episodes = []
    for member in range(options.members):
      seen = np.arange(data.num_episodes)
      if folds is not None:
        seen = np.flatnonzero(folds == member % 2)
      drawn = np.random.default_rng([seed, member]).choice(seen, len(seen))
      self._episodes.append(drawn)
    self._tick: Callable[[], None] = lambda: None
    self._graph = tf.function(
      self._updates, autograph=False, input_signature=self._signature()
    )

  def run(
    self,
    tick: Callable[[], None] = lambda: None,
    report: Callable[[int, int], None] = lambda step, end: None,
  ) -> Fit:
    """Does all updates.

    Args:
      tick: called between two calls of the graph; what it raises ends this,
        which from the start gives the same again.
      report: told how many updates are done, of how many.

    Raises:
      FloatingPointError: the fit has diverged.
    """
    self._tick = tick
    total = self._options.updates
    ends = [round(share * total) for share in _LAST_FIFTH]
    on_the_way = []
    step = 0
    for end in ends:
      while step < end:
        tick()
        count = min(_STEPS, end - step)
        self._graph(*self._batches(step, count))
        step += count
        report(step, total)
      on_the_way.append(self._values())
    means = np.mean(on_the_way, axis=(2, 3), dtype=np.float64)  # [3, P]
    if not np.isfinite(means).all():
      raise FloatingPointError(
        f'Fitted Q evaluation has diverged after {total} updates.'
      )
    moved = np.ptp(means, axis=0)
    return Fit(on_the_way[-1], moved, self._reasons(moved))

  def _reasons(self, moved: np.ndarray) -> tuple[str, ...]:
    reasons = []
    least = self._options.least_updates(self._discount)
    if self._options.updates < least:
      reasons.append(
        f'{self._options.updates} updates are fewer than the {least} that its '
        'values take to leave their start (--gate.updates)'
      )
    most = _SETTLED * (self.high - self.low)
    if np.max(moved) > most:
      reasons.append(
        f'it moved by {np.max(moved):.3g} in the last fifth of its updates, '
        f'more than {most:.3g}'
      )
    return tuple(reasons)

  def _batches(self, first: int, count: int) -> tuple[np.ndarray, ...]:
    """Inputs, rewards, discounts and what the policies do next."""
    data, options = self._data, self._options
    rows = []
    for member, episodes in enumerate(self._episodes):
      rng = np.random.default_rng([self._seed, member, first])
      rows.append(data.draw(rng, episodes, (count, options.batch_size)))
    index = np.stack(rows, axis=1)  # [U, E, B]
    after = data.next_rows(index)
    return (
      np.concatenate([data.scaled[data.rows(index)], data.actions[index]], -1),
      data.rewards[index],
      data.discounts[index],
      data.scaled[after],
      np.stack([p.mean[after] for p in self._policies], axis=1),
      np.stack([p.deviation[after] for p in self._policies], axis=1),
    )

  def _signature(self) -> list[tf.TensorSpec]:
    num, options = len(self._policies), self._options
    width = self._data.observations.shape[1]
    size = self._data.actions.shape[1]
    row = None, options.members, options.batch_size
    each = None, num, options.members, options.batch_size, size
    shapes = [(*row, width + size), row, row, (*row, width), each, each]
    return [tf.TensorSpec(shape, tf.float32) for shape in shapes]

  def _updates(self, *batches: tf.Tensor) -> None:
    def body(i: tf.Tensor) -> list[tf.Tensor]:
      self._update(*(tf.gather(batch, i) for batch in batches))
      return [i + 1]

    count = tf.shape(batches[0])[0]
    tf.while_loop(lambda i: i < count, body, [tf.constant(0)])

  def _update(
    self,
    inputs: tf.Tensor,  # [E, B, S + A]
    rewards: tf.Tensor,  # [E, B]
    discounts: tf.Tensor,  # [E, B]
    after: tf.Tensor,  # [E, B, S]
    mean: tf.Tensor,  # [P, E, B, A]
    deviation: tf.Tensor,  # [P, E, B, A]
  ) -> None:
    num, step = len(self._policies), self._optimizer.step
    # The same for all policies, whose differences are then less by chance.
    noise = tf.random.stateless_normal(
      mean.shape[1:], tf.stack([tf.constant(self._seed, tf.int64), step])
    )
    actions = tf.clip_by_value(mean + deviation * noise, -1, 1)
    later = tf.concat([_for_each(after, num), actions], -1)
    bootstrap = self._q(self._target, _stacked(later))  # [P E, B]
    many = _stacked(_for_each(rewards, num))
    kept = _stacked(_for_each(self._discount * discounts, num))
    y = tf.clip_by_value(many + kept * bootstrap, self.low, self.high)
    y = (y - self._offset) / self._scale
    variables = self._online.variables
    with tf.GradientTape() as tape:
      error = self._online(_stacked(_for_each(inputs, num))) - y
      # Each network by itself: a sum over them, and a mean over its batch.
      loss = tf.reduce_sum(tf.reduce_mean(error**2, axis=1))
    self._optimizer.apply(tape.gradient(loss, variables))
    rate = self._options.target_rate(self._discount)
    for online, late in zip(variables, self._target.variables, strict=True):
      late.assign_add(rate * (online - late))

  def _q(self, stack: Stack, inputs: tf.Tensor) -> tf.Tensor:
    return self._offset + self._scale * stack(inputs)

  def of_steps(self, policy: int, fold: int) -> np.ndarray:
    """See `importance.Values`."""
    data = self._data
    states = data.scaled[data.rows(np.arange(len(data.actions)))]
    return self._unseen(policy, fold, states, data.actions)

  def of_rows(self, policy: int, fold: int) -> np.ndarray:
    """See `importance.Values`."""
    acting = self._policies[policy]
    rng = np.random.default_rng([self._seed, policy])
    total = np.zeros(len(self._data.scaled))
    for _ in range(_SAMPLES):
      noise = rng.standard_normal(acting.mean.shape, np.float32)
      done = acting.sample(noise)
      total += self._unseen(policy, fold, self._data.scaled, done)
    return total / _SAMPLES

  def _unseen(
    self, policy: int, fold: int, states: np.ndarray, actions: np.ndarray
  ) -> np.ndarray:
    """Q [B] of the networks of a policy that did not see a fold."""
    members = self._options.members
    chosen = [policy * members + m for m in range(members) if m % 2 != fold]
    found = []
    for first in range(0, len(states), _ROWS):
      self._tick()
      here = slice(first, first + _ROWS)
      inputs = np.concatenate([states[here], actions[here]], -1)
      found.append(self._online.some(chosen, inputs.astype(np.float32)).numpy())
    return self._offset + self._scale * np.concatenate(found).astype(float)

  def _values(self) -> np.ndarray:
    """V of the first observations, [P, E, N]."""
    members = self._options.members
    states = self._data.scaled[self._data.first_rows]
    rng = np.random.default_rng([self._seed, members])
    shape = _SAMPLES, *self._first[0].mean.shape
    noise = rng.standard_normal(shape, np.float32)
    total = np.zeros((len(self._policies), members, len(states)), np.float32)
    for some in noise:
      inputs = np.stack(
        [np.concatenate([states, p.sample(some)], -1) for p in self._first]
      )
      each = np.repeat(inputs, members, axis=0).astype(np.float32)
      total += self._q(self._online, each).numpy().reshape(total.shape)
    return total / _SAMPLES


def _for_each(values: tf.Tensor, num: int) -> tf.Tensor:
  """[E, ...] to [P, E, ...]."""
  return tf.tile(values[None], [num, *[1] * values.shape.rank])


def _stacked(values: tf.Tensor) -> tf.Tensor:
  """[P, E, ...] to [P E, ...]."""
  return tf.reshape(values, [-1, *values.shape[2:]])
