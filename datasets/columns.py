"""Episodes one after another, in arrays that grow at their end."""

from typing import NamedTuple, Optional

import numpy as np

from datasets.types import Episode, EpisodeId


class Column:
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
    """The bytes that are allocated."""
    return self._data.nbytes

  @property
  def values(self) -> np.ndarray:
    """A view, which no one may keep beyond the next `append`."""
    return self._data[: self._size]

  def append(self, values: np.ndarray) -> None:
    """Adds rows at the end."""
    size = self._size + len(values)
    if size > len(self._data):
      # A little more than is needed: moving pages is cheap, idle ones are not.
      # Small blocks have no pages of their own and are copied: more for them.
      room = size + max(size // 128, min(size, 65_536), 4096)
      # No one else refers to the data, which is what refcheck asks; it counts
      # references and so is wrong under a debugger or a profiler.
      self._data.resize((room, *self._data.shape[1:]), refcheck=False)
    self._data[self._size : size] = values
    self._size = size


class Places(NamedTuple):
  """Where transitions stand, [..., B] each.

  An episode of T transitions has T + 1 observations: so the row of the
  observation that is seen before transition i is i + `episode`.

  Attributes:
    episode: how many episodes there are before theirs.
    start: the first transition of their episode.
    end: one beyond its last.
  """

  episode: np.ndarray
  start: np.ndarray
  end: np.ndarray


class EpisodeColumns:
  """All episodes in one array of each kind, every observation once.

  Attributes:
    observations: T + 1 rows an episode, [S] each.
    actions: T rows an episode, [A] each, as executed.
    rewards: T rows an episode.
    discounts: T rows an episode.
    starts: the first transition of each episode, and the end of the last.
    unadvised: the first episode that came without advice, if one did.
    has_advice: whether one came with it.
  """

  def __init__(self, with_labels: bool):
    """Makes empty columns; with labels, advice is kept."""
    self._with_labels = with_labels
    self._widths: Optional[tuple[int, int]] = None
    # Allocated with the first advice: where none comes it costs nothing.
    self._labels: Optional[Column] = None
    self.observations = Column((0,), np.float32)
    self.actions = Column((0,), np.float32)
    self.rewards = Column((), np.float32)
    self.discounts = Column((), np.float32)
    self.starts = Column((), np.int64)
    self.starts.append(np.zeros(1, np.int64))
    self.unadvised: Optional[EpisodeId] = None
    self.has_advice = False

  def __len__(self) -> int:
    """How many transitions there are."""
    return len(self.rewards)

  @property
  def labels(self) -> Column:
    """The advised actions where there was advice, else the executed ones."""
    return self.actions if self._labels is None else self._labels

  @property
  def nbytes(self) -> int:
    """The bytes that are allocated."""
    columns = [
      self.observations, self.actions, self.rewards, self.discounts, self.starts
    ]  # fmt: skip
    if self._labels is not None:
      columns.append(self._labels)
    return sum(column.nbytes for column in columns)

  def check(self, episode: Episode) -> None:
    """Refuses an episode of other sizes than those before it.

    Raises:
      ValueError: says which.
    """
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
        f'{episode.identity} has observations '
        f'{episode.observations.shape} and actions {episode.actions.shape} '
        f'for {length} rewards; this memory holds observations and actions of '
        f'widths {expected}. Check episodes before adding them.'
      )

  def add(
    self, episode: Episode, rewards: np.ndarray, discounts: np.ndarray
  ) -> None:
    """Adds a checked episode, with these rewards and discounts for its own."""
    if self._widths is None:
      self._widths = (episode.observations.shape[1], episode.actions.shape[1])
      self.observations = Column(self._widths[:1], np.float32)
      self.actions = Column(self._widths[1:], np.float32)
    advice = episode.annotation
    if advice is None:
      self.unadvised = self.unadvised or episode.identity
    else:
      self.has_advice = True
      if self._with_labels and self._labels is None:
        self._labels = Column(episode.actions.shape[1:], np.float32)
        self._labels.append(self.actions.values)
    if self._labels is not None:
      self._labels.append(episode.actions if advice is None else advice.actions)
    self.observations.append(episode.observations)
    self.actions.append(episode.actions)
    self.discounts.append(discounts)
    self.rewards.append(rewards)
    self.starts.append(np.array([len(self)]))

  def find(self, indices: np.ndarray) -> Places:
    """Where the transitions of the given indices stand.

    Args:
      indices: [..., B] int64, each in [0, len(self)).

    Raises:
      IndexError: an index is out of bounds.
    """
    if not len(self):
      raise IndexError('The memory is empty: extend it first.')
    if indices.size and (indices.min() < 0 or indices.max() >= len(self)):
      raise IndexError(
        f'Indices from {indices.min()} to {indices.max()}; they must be in '
        f'[0, {len(self)}).'
      )
    starts = self.starts.values
    episode = np.searchsorted(starts, indices, side='right') - 1
    return Places(episode, starts.take(episode), starts.take(episode + 1))
