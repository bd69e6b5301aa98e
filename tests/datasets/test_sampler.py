"""The sampler draws uniformly, and the same whatever asks for it."""

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from datasets.sampler import UniformSampler

_SEEDS = st.integers(0, 2**128 - 1)
_SIZES = st.integers(1, 2**40)
_STEPS = st.integers(0, 2**60)


def _identity(indices):
  return (indices,)


def _draw(sampler, first, number):
  return sampler(first, number)[0]


@given(_SEEDS, _SIZES, _STEPS, st.lists(st.integers(1, 4), max_size=4))
@settings(deadline=None)
def test_slices_do_not_matter(seed, size, first, lengths):
  whole = UniformSampler(_identity, size, 8, seed)
  sliced = UniformSampler(_identity, size, 8, seed)
  expected = _draw(whole, first, sum(lengths) + 1)
  assert expected.shape == (sum(lengths) + 1, 8)
  assert expected.dtype == np.int64
  start = 0
  for length in lengths:
    part = _draw(sliced, first + start, length)
    np.testing.assert_array_equal(part, expected[start : start + length])
    start += length


@given(_SEEDS, _SIZES, _STEPS)
@settings(deadline=None)
def test_indices_are_in_bounds(seed, size, step):
  indices = UniformSampler(_identity, size, 64, seed).indices(step)
  assert indices.min() >= 0
  assert indices.max() < size


@pytest.mark.parametrize('size', [1, 2, 3, 5, 7, 10**6, 2**31, 2**52, 2**53])
def test_the_largest_number_is_in_bounds(size):
  largest = np.array([2**64 - 1], np.uint64) >> np.uint64(11)
  assert (largest * 2.0**-53 * size).astype(np.int64)[0] < size


@given(_SEEDS, _STEPS)
@settings(deadline=None)
def test_a_batch_begins_like_a_smaller_one(seed, step):
  small = UniformSampler(_identity, 1000, 16, seed).indices(step)
  large = UniformSampler(_identity, 1000, 32, seed).indices(step)
  np.testing.assert_array_equal(small, large[:16])


def test_updates_and_seeds_differ():
  drawn = {
    tuple(UniformSampler(_identity, 10**6, 8, seed).indices(step))
    for seed in (0, 1, 2**64, 2**127)
    for step in (0, 1, 2, 2**32, 2**63)
  }
  assert len(drawn) == 20


def test_uniform():
  sampler = UniformSampler(_identity, 50, 256, seed=3)
  counts = np.bincount(_draw(sampler, 0, 200).ravel(), minlength=50)
  expected = 200 * 256 / 50
  chi_square = ((counts - expected) ** 2 / expected).sum()
  assert chi_square < 85.4  # 49 degrees of freedom, p = 0.001.


def test_these_very_numbers():
  """A change here changes the result of every run."""
  sampler = UniformSampler(_identity, 1_000_000, 4, seed=42)
  assert _draw(sampler, 0, 2).tolist() == [
    [820198, 189245, 867660, 394581],
    [132349, 865485, 390551, 547368],
  ]


@pytest.mark.parametrize(
  'arguments', [(0, 1, 0), (1, 0, 0), (1, 1, -1), (1, 1, 2**128)]
)
def test_bounds_of_the_arguments(arguments):
  with pytest.raises(ValueError, match='is'):
    UniformSampler(_identity, *arguments)
