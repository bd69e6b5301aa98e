"""Snippets, steps and returns to go, against a plain reading of them."""

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from datasets.memory import Memory
from datasets.returns import returns_to_go
from datasets.sampler import UniformSampler
from datasets.types import EnvironmentSpec
from tests.datasets.samples import make_episode

SMALL = EnvironmentSpec(3, 2)
EPISODES = st.lists(
  st.builds(
    make_episode,
    index=st.integers(0, 1000),
    length=st.integers(1, 9),
    spec=st.just(SMALL),
    with_advice=st.booleans(),
    terminates=st.booleans(),
  ),
  min_size=1,
  max_size=5,
)


def filled(episodes, n_step=1):
  memory = Memory(n_step, 0.9, with_labels=True)
  memory.extend(episodes)
  return memory


def places(episodes):
  """The episode of each transition, its number, and the step in it."""
  return [
    (episode, number, t)
    for number, episode in enumerate(episodes)
    for t in range(episode.num_steps)
  ]


def reference_snippet(episode, t, length):
  """The snippet from step t on, step by step."""
  last = episode.num_steps
  steps = [
    (
      episode.actions[i] if i < last else np.zeros(SMALL.action_size),
      episode.rewards[i] if i < last else 0,
      episode.discounts[i] if i < last else 0,
      i < last,
    )
    for i in range(t, t + length)
  ]
  states = [
    episode.observations[min(i, last)] for i in range(t, t + length + 1)
  ]
  return (np.array(states), *map(np.array, zip(*steps, strict=True)))


@given(EPISODES, st.integers(1, 12))
@settings(max_examples=100, deadline=None)
def test_snippets(episodes, length):
  starts = places(episodes)
  batch = filled(episodes).snippets(np.arange(len(starts)), length)
  for index, (episode, _, t) in enumerate(starts):
    expected = reference_snippet(episode, t, length)
    for field, value in zip(batch[:5], expected, strict=True):
      np.testing.assert_array_equal(field[index], value)


@given(EPISODES)
@settings(max_examples=100, deadline=None)
def test_steps(episodes):
  starts = places(episodes)
  batch = filled(episodes).steps(np.arange(len(starts)))
  for index, (episode, number, t) in enumerate(starts):
    expected = (
      episode.observations[t],
      episode.actions[t],
      episode.rewards[t],
      episode.discounts[t],
      episode.observations[t + 1],
      number,
      t,
    )
    for field, value in zip(batch, expected, strict=True):
      np.testing.assert_array_equal(field[index], value)


def reference_return(rewards, discounts, discount):
  """From the end to the start, in double precision."""
  ahead, result = 0.0, []
  for reward, d in zip(rewards[::-1], discounts[::-1], strict=True):
    ahead = float(reward) + discount * float(d) * ahead
    result.append(ahead)
  return np.array(result[::-1])


@given(EPISODES, st.sampled_from([0.0, 0.5, 0.99, 1.0]))
@settings(max_examples=100, deadline=None)
def test_returns_to_go_end_with_their_episode(episodes, discount):
  found = filled(episodes).returns_to_go(discount)
  expected = np.concatenate(
    [reference_return(e.rewards, e.discounts, discount) for e in episodes]
  )
  assert found.dtype == np.float32
  np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


@given(
  st.lists(
    st.tuples(st.floats(-9, 9, width=32), st.sampled_from([0.0, 0.5, 1.0])),
    min_size=1,
    max_size=40,
  ),
  st.floats(0, 1),
)
@settings(max_examples=200, deadline=None)
def test_returns_to_go_of_any_discounts(pairs, discount):
  rewards, discounts = np.array(pairs, np.float32).T
  np.testing.assert_allclose(
    returns_to_go(rewards, discounts, discount),
    reference_return(rewards, discounts, discount),
    rtol=1e-6,
    atol=1e-5,
  )


def test_returns_to_go_of_a_constant_reward():
  found = returns_to_go(np.ones(5000), np.ones(5000), 0.99)
  np.testing.assert_allclose(found[0], 100, rtol=1e-6)
  np.testing.assert_allclose(found[-3:], [2.9701, 1.99, 1], rtol=1e-6)


def test_a_snippet_of_one_step_is_a_step():
  memory = filled(
    [make_episode(i, 7, SMALL, terminates=i == 1) for i in (0, 1)]
  )
  indices = np.arange(14)
  snippet, step = memory.snippets(indices, 1), memory.steps(indices)
  assert snippet.mask.all()
  for one, other in (
    (snippet.observation[:, 0], step.observation),
    (snippet.observation[:, 1], step.next_observation),
    (snippet.action[:, 0], step.action),
    (snippet.reward[:, 0], step.reward),
    (snippet.discount[:, 0], step.discount),
  ):
    np.testing.assert_array_equal(one, other)


def test_a_time_limit_is_no_termination():
  memory = filled([make_episode(0, 4), make_episode(1, 4, terminates=True)])
  discount = memory.snippets(np.array([2, 6]), 4).discount
  np.testing.assert_array_equal(discount, [[1, 1, 0, 0], [1, 0, 0, 0]])


def test_types_and_shapes():
  memory = filled([make_episode(0, 50)])
  snippets = memory.snippets(np.zeros((20, 8), np.int64), 10)
  assert [(field.shape, field.dtype) for field in snippets[:5]] == [
    ((20, 8, 11, 17), np.float32), ((20, 8, 10, 6), np.float32),
    ((20, 8, 10), np.float32), ((20, 8, 10), np.float32), ((20, 8, 10), bool),
  ]  # fmt: skip
  steps = memory.steps(np.zeros((20, 8), np.int64))
  assert [(field.shape, field.dtype) for field in steps] == [
    ((20, 8, 17), np.float32), ((20, 8, 6), np.float32),
    ((20, 8), np.float32), ((20, 8), np.float32), ((20, 8, 17), np.float32),
    ((20, 8), np.int64), ((20, 8), np.int32),
  ]  # fmt: skip


def test_sampled_the_same_bytes_again():
  """Each from a memory of its own, filled at once or episode by episode."""
  episodes = [make_episode(i, 3 + i) for i in range(6)]

  def draw(memory, first, number):
    def gather(indices):
      return *memory.snippets(indices, 4)[:5], *memory.steps(indices)

    size = memory.num_transitions
    return UniformSampler(gather, size, 16, seed=7)(first, number)

  grown = Memory(1, 0.9)
  for episode in episodes:
    grown.extend([episode])
  whole = draw(filled(episodes), 0, 5)
  for one, other in zip(whole, draw(grown, 3, 2), strict=True):
    assert one[3:].tobytes() == other.tobytes()


def test_batches_are_copies():
  memory = filled([make_episode(0, 50)])
  memory.snippets(np.arange(5), 3).reward[:] = 7
  memory.steps(np.arange(5)).action[:] = 7
  memory.returns_to_go(0.0)[:] = 7
  assert not (memory.snippets(np.arange(5), 3).reward == 7).any()
  assert not (memory.steps(np.arange(5)).action == 7).any()
  assert not (memory.returns_to_go(0.0) == 7).any()


@pytest.mark.parametrize(
  ('call', 'message'),
  [
    (lambda memory: memory.snippets(np.arange(2), 1), 'Snippets need single'),
    (lambda memory: memory.steps(np.arange(2)), 'Steps need single'),
    (lambda memory: memory.returns_to_go(0.9), 'Returns to go need single'),
  ],
)
def test_sums_of_rewards_are_refused(call, message):
  memory = filled([make_episode(0, 5)], n_step=2)
  with pytest.raises(ValueError, match=rf'{message}.* n_step 2.*n_step=1'):
    call(memory)


@pytest.mark.parametrize('length', [0, -1])
def test_snippets_of_nothing_are_refused(length):
  memory = filled([make_episode(0, 5)])
  with pytest.raises(ValueError, match=f'length {length}.*at least 1'):
    memory.snippets(np.arange(2), length)


@pytest.mark.parametrize('discount', [-0.1, 1.1, float('nan')])
def test_bounds_of_the_discount(discount):
  memory = filled([make_episode(0, 5)])
  with pytest.raises(ValueError, match=r'\[0, 1\]'):
    memory.returns_to_go(discount)


@pytest.mark.parametrize('index', [-1, 20])
def test_bounds_of_the_indices(index):
  memory = Memory(1, 0.9)
  indices = np.array([3, index])
  assert memory.returns_to_go(0.9).shape == (0,)
  for call in (memory.steps, lambda indices: memory.snippets(indices, 3)):
    with pytest.raises(IndexError, match='empty'):
      call(indices)
  memory.extend([make_episode(0, 20)])
  for call in (memory.steps, lambda indices: memory.snippets(indices, 3)):
    with pytest.raises(IndexError, match=r'in \[0, 20\)'):
      call(indices)
    empty = call(np.zeros((0,), np.int64))
    assert all(len(field) == 0 for field in empty)
