"""The memory's transitions, against a plain reading of their definition."""

import subprocess
import sys

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from datasets.memory import Memory
from datasets.returns import n_step_returns
from datasets.types import EnvironmentSpec
from tests.datasets.samples import CHEETAH, make_episode

SMALL = EnvironmentSpec(3, 2)


def reference(episode, start, n_step, discount):
  """The n-step transition that starts at `start`, step by step."""
  reward, survival, power = 0.0, 1.0, 1.0
  step = start
  while step < min(start + n_step, episode.num_steps):
    reward += power * survival * float(episode.rewards[step])
    survival *= float(episode.discounts[step])
    power *= discount
    step += 1
  return (
    episode.observations[start],
    episode.actions[start],
    reward,
    discount ** (step - start - 1) * survival,
    episode.observations[step],
  )


_EPISODES = st.lists(
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


@given(_EPISODES, st.integers(1, 12), st.sampled_from([0.0, 0.5, 0.99, 1.0]))
@settings(max_examples=100, deadline=None)
def test_transitions(episodes, n_step, discount):
  memory = Memory(n_step, discount, with_labels=True)
  memory.extend(episodes)
  starts = [(e, step) for e in episodes for step in range(e.num_steps)]
  assert memory.num_transitions == len(memory) == len(starts)
  batch = memory.gather(np.arange(len(starts)))
  for index, (episode, step) in enumerate(starts):
    expected = reference(episode, step, n_step, discount)
    for field, value in zip(batch[:5], expected, strict=True):
      np.testing.assert_allclose(field[index], value, rtol=1e-6, atol=1e-6)


@given(_EPISODES, st.data())
@settings(max_examples=50, deadline=None)
def test_demonstrations(episodes, data):
  memory = Memory(5, 0.99, with_labels=True)
  memory.extend(iter(episodes))
  starts = [(e, step) for e in episodes for step in range(e.num_steps)]
  picks = data.draw(
    st.lists(st.integers(0, len(starts) - 1), min_size=6, max_size=6)
  )
  batch = memory.demonstrations(np.reshape(picks, (2, 3)))
  assert batch.observation.shape == (2, 3, 3)
  assert batch.action.shape == (2, 3, 2)
  flat = batch.observation.reshape(6, 3), batch.action.reshape(6, 2)
  for pick, observation, action in zip(picks, *flat, strict=True):
    episode, step = starts[pick]
    advice = episode.annotation
    wanted = episode.actions if advice is None else advice.actions
    np.testing.assert_array_equal(observation, episode.observations[step])
    np.testing.assert_array_equal(action, wanted[step])


@given(_EPISODES)
@settings(max_examples=30, deadline=None)
def test_growing_changes_nothing_before(episodes):
  whole, grown = Memory(3, 0.9), Memory(3, 0.9)
  whole.extend(episodes)
  for episode in episodes:
    before = None
    if len(grown):
      before = grown.gather(np.arange(len(grown)))
    grown.extend([episode])
    if before is not None:
      after = grown.gather(np.arange(len(before.reward)))
      for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)
  everything = np.arange(len(whole))
  for one, other in zip(
    whole.gather(everything), grown.gather(everything), strict=True
  ):
    np.testing.assert_array_equal(one, other)


def test_constant_reward():
  """A-I9."""
  reward, discount = n_step_returns(np.ones(1000), np.ones(1000), 5, 0.99)
  np.testing.assert_allclose(reward[:996], 4.90099501, rtol=1e-7)
  np.testing.assert_allclose(discount[:996], 0.96059601, rtol=1e-7)
  np.testing.assert_allclose(reward[-1], 1)
  np.testing.assert_allclose(discount[-1], 1)
  np.testing.assert_allclose(reward[-2], 1.99)


def test_one_item_for_every_step():
  """A-I10: T items an episode, none of them across two episodes."""
  episodes = [make_episode(index, 1000) for index in range(3)]
  memory = Memory(5, 0.99)
  memory.extend(episodes)
  assert memory.num_transitions == 3 * 1000
  batch = memory.gather(np.array([999, 1000, 995, 994]))
  last, first = episodes[0].observations[-1], episodes[1].observations[0]
  np.testing.assert_array_equal(batch.next_observation[0], last)
  np.testing.assert_array_equal(batch.observation[1], first)
  np.testing.assert_array_equal(batch.next_observation[2], last)
  np.testing.assert_array_equal(
    batch.next_observation[3], episodes[0].observations[999]
  )


def test_a_termination_ends_the_bootstrap():
  memory = Memory(5, 0.99)
  memory.extend([make_episode(0, 8, terminates=True)])
  discount = memory.gather(np.arange(8)).discount
  assert (discount[:3] > 0).all()
  assert (discount[3:] == 0).all()


def test_types_and_shapes():
  memory = Memory(5, 0.99)
  memory.extend([make_episode(0, 50)])
  batch = memory.gather(np.zeros((20, 256), np.int64))
  assert all(field.dtype == np.float32 for field in batch[:5])
  assert batch.teacher_action == ()
  assert [field.shape for field in batch[:5]] == [
    (20, 256, 17), (20, 256, 6), (20, 256), (20, 256), (20, 256, 17),
  ]  # fmt: skip


def test_advice_comes_with_its_transition():
  episodes = [make_episode(i, 6, with_advice=True) for i in range(3)]
  memory = Memory(5, 0.99, with_labels=True)
  memory.extend(episodes)
  indices = np.array([[0, 7], [17, 3]])
  batch = memory.advised(indices)
  advice = [e.annotation.actions for e in episodes if e.annotation]
  expected = np.concatenate(advice)
  np.testing.assert_array_equal(batch.teacher_action, expected[indices])
  for a, b in zip(batch[:5], memory.gather(indices)[:5], strict=True):
    np.testing.assert_array_equal(a, b)


def test_no_advice_is_made_up():
  memory = Memory(5, 0.99, with_labels=True)
  memory.extend([make_episode(0, 6, with_advice=True), make_episode(1, 6)])
  with pytest.raises(ValueError, match=r'^Episode 1 of .* has no advice'):
    memory.advised(np.arange(3))
  without = Memory(5, 0.99)
  without.extend([make_episode(0, 6, with_advice=True)])
  with pytest.raises(ValueError, match='with_labels'):
    without.advised(np.arange(3))


def test_a_batch_is_a_copy():
  memory = Memory(5, 0.99)
  memory.extend([make_episode(0, 50)])
  memory.gather(np.arange(5)).observation[:] = 7
  assert not (memory.gather(np.arange(5)).observation == 7).any()


def test_labels_cost_nothing_while_nobody_advises():
  episodes = [make_episode(index, 5000) for index in range(3)]
  plain, labelled = Memory(5, 0.99), Memory(5, 0.99, with_labels=True)
  for memory in (plain, labelled):
    memory.extend(episodes)
  assert labelled.nbytes == plain.nbytes
  labelled.extend([make_episode(3, 5, with_advice=True)])
  assert labelled.nbytes >= plain.nbytes + 3 * 5000 * 6 * 4
  batch = labelled.demonstrations(np.arange(3 * 5000))
  for field, name in zip(batch, ('observations', 'actions'), strict=True):
    expected = [getattr(episode, name)[:5000] for episode in episodes]
    np.testing.assert_array_equal(field, np.concatenate(expected))


def test_bytes_of_a_transition():
  memory = Memory(5, 0.99)
  memory.extend(make_episode(index, 1000) for index in range(200))
  assert memory.nbytes / memory.num_transitions <= 150


GROWER = """
from benchmarks.resident import peak, resident
from datasets.memory import Memory
from tests.datasets.samples import make_episode
memory = Memory(5, 0.99)
memory.extend(make_episode(i, 1000) for i in range(3))
before = resident()
memory.extend(make_episode(i % 5, 1000) for i in range(400))
print((peak() - before) / memory.nbytes)
"""


def test_growing_needs_no_second_array():
  output = subprocess.run(
    [sys.executable, '-c', GROWER], check=True, capture_output=True
  ).stdout
  assert float(output) < 1.3


@pytest.mark.parametrize(
  ('n_step', 'discount', 'message'),
  [(0, 0.9, 'at least 1'), (1, 1.1, r'\[0, 1\]'), (1, -0.1, r'\[0, 1\]')],
)
def test_bounds_of_the_arguments(n_step, discount, message):
  with pytest.raises(ValueError, match=message):
    Memory(n_step, discount)


@pytest.mark.parametrize('index', [-1, 20])
def test_bounds_of_the_indices(index):
  memory = Memory(5, 0.99)
  with pytest.raises(IndexError, match='empty'):
    memory.gather(np.array([0]))
  memory.extend([make_episode(0, 20)])
  for call in (memory.gather, memory.demonstrations):
    with pytest.raises(IndexError, match=r'in \[0, 20\)'):
      call(np.array([3, index]))
  assert len(memory.gather(np.zeros((0,), np.int64)).reward) == 0


def test_advice_is_not_dropped_silently():
  memory = Memory(5, 0.99)
  memory.extend([make_episode(0)])
  memory.demonstrations(np.array([0]))
  memory.extend([make_episode(1, with_advice=True)])
  with pytest.raises(ValueError, match='with_labels=True'):
    memory.demonstrations(np.array([0]))


@pytest.mark.parametrize(
  'fields',
  [
    {'observations': np.zeros((20, 17), np.float32)},
    {'observations': np.zeros((21, 16), np.float32)},
    {'actions': np.zeros((20, 5), np.float32)},
    {'actions': np.zeros((19, 6), np.float32)},
    {'discounts': np.zeros(19, np.float32)},
    {'annotation': make_episode(1, 19, with_advice=True).annotation},
  ],
)
def test_another_task_is_refused_whole(fields):
  memory = Memory(5, 0.99, with_labels=True)
  memory.extend([make_episode(0, spec=CHEETAH)])
  before = memory.gather(np.arange(20))
  with pytest.raises(ValueError, match='widths'):
    memory.extend([make_episode(1)._replace(**fields)])
  memory.extend([make_episode(2)])
  assert memory.num_transitions == 40
  after = memory.gather(np.arange(40))
  for one, other in zip(before, after, strict=True):
    np.testing.assert_array_equal(one, other[:20])
  np.testing.assert_array_equal(
    after.observation[20:], make_episode(2).observations[:20]
  )
