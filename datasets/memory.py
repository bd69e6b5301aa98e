"""The frozen, growing batch that learners sample, as items of several kinds."""

from collections.abc import Iterable
import itertools

import numpy as np

from datasets import returns
from datasets.columns import EpisodeColumns
from datasets.sampler import UniformSampler
from datasets.types import Demonstration, Episode, Snippet, Step, Transition

__all__ = ['Memory', 'UniformSampler']


class Memory:
  """Episodes as items to sample, one of each kind for every step of them.

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
      n_step: the most steps that a transition covers; 1 for snippets, steps,
        and returns to go, which are made of single rewards.
      discount: g, of the learner.
      with_labels: keep the teacher's actions, for `advised` and
        `demonstrations`. It costs nothing while nobody advises.

    Raises:
      ValueError: a value is out of its bounds.
    """
    if n_step < 1:
      raise ValueError(f'n_step is {n_step}; it must be at least 1.')
    _check_discount(discount)
    self._n_step = n_step
    self._discount = discount
    self._with_labels = with_labels
    self._columns = EpisodeColumns(with_labels)

  @property
  def num_transitions(self) -> int:
    """How many transitions there are to sample from."""
    return len(self._columns)

  @property
  def nbytes(self) -> int:
    """The bytes that are allocated."""
    return self._columns.nbytes

  def extend(self, episodes: Iterable[Episode]) -> None:
    """Adds episodes, checked by the caller, in the given order.

    Args:
      episodes: an iterator will do: they are added one by one.

    Raises:
      ValueError: an episode is of another task than those before it.
    """
    for episode in episodes:
      self._columns.check(episode)
      rewards, discounts = returns.n_step_returns(
        episode.rewards, episode.discounts, self._n_step, self._discount
      )
      self._columns.add(episode, rewards, discounts)

  def gather(self, indices: np.ndarray) -> Transition:
    """The transitions of the given indices.

    Args:
      indices: [..., B] int64, each in [0, num_transitions).

    Returns:
      The batch, with the leading axes of the indices.

    Raises:
      IndexError: an index is out of bounds.
    """
    columns = self._columns
    episode, _, end = columns.find(indices)
    last = np.minimum(indices + self._n_step, end)
    return Transition(
      observation=columns.observations.values.take(indices + episode, axis=0),
      action=columns.actions.values.take(indices, axis=0),
      reward=columns.rewards.values.take(indices),
      discount=columns.discounts.values.take(indices),
      next_observation=columns.observations.values.take(last + episode, axis=0),
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
    self._check_advised()
    return self.gather(indices)._replace(
      teacher_action=self._columns.labels.values.take(indices, axis=0)
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
    columns = self._columns
    episode, _, _ = columns.find(indices)
    if columns.has_advice and not self._with_labels:
      raise ValueError(
        'Episodes with advice were added to a memory that keeps none. Make it '
        'with Memory(with_labels=True).'
      )
    return Demonstration(
      observation=columns.observations.values.take(indices + episode, axis=0),
      action=columns.labels.values.take(indices, axis=0),
    )

  def snippets(
    self, indices: np.ndarray, length: int, with_advice: bool = False
  ) -> Snippet:
    """The next `length` transitions of an episode, from the given indices on.

    Args:
      indices: [..., B] int64, each in [0, num_transitions).
      length: L.
      with_advice: whether to give the teacher's actions, too.

    Returns:
      The batch, with the leading axes of the indices; padded where an episode
      ends sooner.

    Raises:
      IndexError: an index is out of bounds.
      ValueError: the length is below 1, or transitions cover several steps, or
        advice is asked for that some episodes lack.
    """
    self._check_single('Snippets')
    if with_advice:
      self._check_advised()
    if length < 1:
      raise ValueError(f'A snippet of length {length}; it must be at least 1.')
    columns = self._columns
    episode, _, end = (place[..., None] for place in columns.find(indices))
    states = indices[..., None] + np.arange(length + 1)  # [..., B, L + 1]
    rows = states[..., :-1]  # [..., B, L]
    mask = rows < end
    rows = np.minimum(rows, end - 1)

    def padded(values: np.ndarray) -> np.ndarray:
      taken = values.take(rows, axis=0)
      taken[~mask] = 0
      return taken

    return Snippet(
      observation=columns.observations.values.take(
        np.minimum(states, end) + episode, axis=0
      ),
      action=padded(columns.actions.values),
      reward=padded(columns.rewards.values),
      discount=padded(columns.discounts.values),
      mask=mask,
      teacher_action=padded(columns.labels.values) if with_advice else (),
    )

  def steps(self, indices: np.ndarray) -> Step:
    """The single steps of the given indices, and where they come from.

    Args:
      indices: [..., B] int64, each in [0, num_transitions).

    Returns:
      The batch, with the leading axes of the indices.

    Raises:
      IndexError: an index is out of bounds.
      ValueError: transitions cover several steps.
    """
    self._check_single('Steps')
    episode, start, _ = self._columns.find(indices)
    single = self.gather(indices)
    return Step(*single[:5], episode, (indices - start).astype(np.int32))

  def returns_to_go(self, discount: float) -> np.ndarray:
    """The return from every transition on, to the end of its episode.

    Args:
      discount: g; it need not be the learner's.

    Returns:
      [num_transitions] float32.

    Raises:
      ValueError: the discount is out of its bounds, or transitions cover
        several steps.
    """
    self._check_single('Returns to go')
    _check_discount(discount)
    columns = self._columns
    rewards, discounts = columns.rewards.values, columns.discounts.values
    result = np.empty(len(columns), np.float32)
    starts = columns.starts.values.tolist()
    for first, end in itertools.pairwise(starts):
      result[first:end] = returns.returns_to_go(
        rewards[first:end], discounts[first:end], discount
      )
    return result

  def __len__(self) -> int:
    return self.num_transitions

  def _check_advised(self) -> None:
    unadvised = self._columns.unadvised
    if not self._with_labels or unadvised is not None:
      raise ValueError(
        f'{unadvised} has no advice: annotate it first.'
        if unadvised and self._with_labels
        else 'This memory keeps no advice. Make it with with_labels=True.'
      )

  def _check_single(self, what: str) -> None:
    """Refuses what is made of single rewards, where they are summed."""
    if self._n_step != 1:
      raise ValueError(
        f'{what} need single rewards, but this memory was made with n_step '
        f'{self._n_step}. Make it with n_step=1.'
      )


def _check_discount(discount: float) -> None:
  if not 0 <= discount <= 1:
    raise ValueError(f'discount is {discount}; it must be in [0, 1].')
