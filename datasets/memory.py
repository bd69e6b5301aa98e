"""The frozen, growing batch that learners sample: n-step transitions."""

from collections.abc import Iterable
from typing import Optional

import numpy as np

from datasets.returns import n_step_returns
from datasets.sampler import UniformSampler
from datasets.types import Demonstration, Episode, EpisodeId, Transition

__all__ = ['Memory', 'UniformSampler']


class _Column:
  """An array that grows at its end.

  `ndarray.resize` reallocates; for big blocks the C library asks the kernel to
  move pages instead of copying them, so growing needs no second array.
  """

  def __init__(self, width: tuple[int, ...], dtype: type):
    self._data: np.ndarray = np.empty((0, *width), dtype)
    self._size = 0

  def __len__(self) -> int:
    return self._size

  @property
  def nbytes(self) -> int:
    return self._data.nbytes

  @property
  def values(self) -> np.ndarray:
    """A view, which no one may keep beyond the next `append`."""
    return self._data[: self._size]

  def append(self, values: np.ndarray) -> None:
    size = self._size + len(values)
    if size > len(self._data):
      # A little more than is needed: moving pages is cheap, idle ones are not.
      room = size + max(size // 128, 4096)
      # No one else refers to the data, which is what refcheck asks; it counts
      # references and so is wrong under a debugger or a profiler.
      self._data.resize((room, *self._data.shape[1:]), refcheck=False)
    self._data[self._size : size] = values
    self._size = size


class Memory:
  """Episodes as n-step transitions, one for every step of every episode.

  ```python
  memory = Memory(n_step=5, discount=0.99)
  memory.extend(sorted(episodes))
  sample = UniformSampler(memory.gather, memory.num_transitions, 256, seed)
  batch = sample(first_step=0, num_steps=20)  # Transition, [20, 256, ...].
  ```

  An episode of T steps gives T transitions. The one that starts at step t
  covers n steps, or those that are left: at the end of an episode it is
  shortened, and its discount is g^{m-1} for the m steps that it covers. Every
  observation is stored once. The order of the episodes is the order of the
  transitions: add them sorted by identity, and an index means the same
  transition in every process and after every restart.
  """

  def __init__(self, n_step: int, discount: float, with_labels: bool = False):
    """Makes an empty memory.

    Args:
      n_step: the most steps that a transition covers.
      discount: g, of the learner.
      with_labels: keep the teacher's actions, for the last two methods.

    Raises:
      ValueError: a value is out of its bounds.
    """
    if n_step < 1:
      raise ValueError(f'n_step is {n_step}; it must be at least 1.')
    if not 0 <= discount <= 1:
      raise ValueError(f'discount is {discount}; it must be in [0, 1].')
    self._n_step = n_step
    self._discount = discount
    self._with_labels = with_labels
    self._advice_dropped = False
    self._unadvised: Optional[EpisodeId] = None  # The first of them.
    self._widths: Optional[tuple[int, int]] = None
    # [T + 1 rows an episode, S]; all others: [T rows an episode, ...].
    self._observations = _Column((0,), np.float32)
    self._actions = _Column((0,), np.float32)
    self._labels = _Column((0,), np.float32)
    self._rewards = _Column((), np.float32)
    self._discounts = _Column((), np.float32)
    # [episodes + 1]: the first transition of each, and the end of the last.
    self._starts = _Column((), np.int64)
    self._starts.append(np.zeros(1, np.int64))

  @property
  def num_transitions(self) -> int:
    """How many transitions there are to sample from."""
    return len(self._rewards)

  @property
  def nbytes(self) -> int:
    """The bytes that are allocated."""
    return sum(column.nbytes for column in self._columns())

  def extend(self, episodes: Iterable[Episode]) -> None:
    """Adds episodes, checked by the caller, in the given order.

    Args:
      episodes: an iterator will do: they are added one by one.

    Raises:
      ValueError: an episode is of another task than those before it.
    """
    for episode in episodes:
      self._add(episode)

  def gather(self, indices: np.ndarray) -> Transition:
    """The transitions of the given indices.

    Args:
      indices: [..., B] int64, each in [0, num_transitions).

    Returns:
      The batch, with the leading axes of the indices.

    Raises:
      IndexError: an index is out of bounds.
    """
    self._check(indices)
    first, last = self._rows(indices)
    return Transition(
      observation=self._observations.values.take(first, axis=0),
      action=self._actions.values.take(indices, axis=0),
      reward=self._rewards.values.take(indices),
      discount=self._discounts.values.take(indices),
      next_observation=self._observations.values.take(last, axis=0),
    )

  def advised(self, indices: np.ndarray) -> Transition:
    """The transitions of the given indices, with the teacher's actions.

    Args:
      indices: [..., B] int64, each in [0, num_transitions).

    Returns:
      As `gather`, and what the teacher would do where each starts.

    Raises:
      IndexError: an index is out of bounds.
      ValueError: some episodes came without advice, or it was not kept.
    """
    if not self._with_labels or self._unadvised is not None:
      raise ValueError(
        f'Episode {self._unadvised} has no advice: annotate it first.'
        if self._unadvised
        else 'This memory keeps no advice. Make it with with_labels=True.'
      )
    return self.gather(indices)._replace(
      teacher_action=self._labels.values.take(indices, axis=0)
    )

  def demonstrations(self, indices: np.ndarray) -> Demonstration:
    """The states of the given indices and the actions to imitate there.

    Args:
      indices: [..., B] int64, each in [0, num_transitions).

    Returns:
      The teacher's actions where there was advice, else the executed ones.

    Raises:
      IndexError: an index is out of bounds.
      ValueError: advice came in, but this memory keeps none.
    """
    self._check(indices)
    if self._advice_dropped:
      raise ValueError(
        'Episodes with advice were added to a memory that keeps none. Make it '
        'with Memory(with_labels=True).'
      )
    actions = self._labels if self._with_labels else self._actions
    first, _ = self._rows(indices)
    return Demonstration(
      observation=self._observations.values.take(first, axis=0),
      action=actions.values.take(indices, axis=0),
    )

  def _columns(self) -> tuple[_Column, ...]:
    return (
      self._observations,
      self._actions,
      self._labels,
      self._rewards,
      self._discounts,
      self._starts,
    )

  def _rows(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows of the first and the last observation of transitions.

    An episode of T transitions has T + 1 observations: so the rows of its
    transitions are their indices and as many more as there are episodes before.
    """
    starts = self._starts.values
    episode = np.searchsorted(starts, indices, side='right') - 1
    first = indices + episode
    end = starts.take(episode + 1) + episode  # The row of its last observation.
    return first, np.minimum(first + self._n_step, end)

  def _check(self, indices: np.ndarray) -> None:
    if not len(self):
      raise IndexError('The memory is empty: extend it first.')
    if indices.size and (
      indices.min() < 0 or indices.max() >= self.num_transitions
    ):
      raise IndexError(
        f'Indices from {indices.min()} to {indices.max()}; they must be in '
        f'[0, {self.num_transitions}).'
      )

  def __len__(self) -> int:
    return self.num_transitions

  def _add(self, episode: Episode) -> None:
    self._check_shapes(episode)
    rewards, discounts = n_step_returns(
      episode.rewards, episode.discounts, self._n_step, self._discount
    )
    self._observations.append(episode.observations)
    self._actions.append(episode.actions)
    if self._with_labels:
      advice = episode.annotation
      self._labels.append(episode.actions if advice is None else advice.actions)
      if advice is None:
        self._unadvised = self._unadvised or episode.identity
    elif episode.annotation is not None:
      self._advice_dropped = True
    self._discounts.append(discounts)
    self._rewards.append(rewards)
    self._starts.append(np.array([len(self._rewards)]))

  def _check_shapes(self, episode: Episode) -> None:
    length = episode.num_steps
    widths = (episode.observations.shape[1], episode.actions.shape[1])
    expected = self._widths or widths
    advice = episode.annotation
    if (
      episode.observations.shape != (length + 1, expected[0])
      or episode.actions.shape != (length, expected[1])
      or episode.discounts.shape != (length,)
      or (advice and advice.actions.shape != (length, expected[1]))
    ):
      raise ValueError(
        f'Episode {episode.identity} has observations '
        f'{episode.observations.shape} and actions {episode.actions.shape} '
        f'for {length} rewards; this memory holds observations and actions of '
        f'widths {expected}. Check episodes before adding them.'
      )
    if self._widths is None:
      self._widths = widths
      self._observations = _Column(widths[:1], np.float32)
      self._actions = _Column(widths[1:], np.float32)
      self._labels = _Column(widths[1:], np.float32)
