"""Policies in one pass: each as if it were alone."""

import numpy as np
import pytest

from agents.deployed.deterministic import Deterministic
from agents.deployed.policy import Policy
from teachers import untrained


def policies(count: int, *layer_sizes: int) -> list[Policy]:
  return [untrained.make(17, 6, seed, layer_sizes) for seed in range(count)]


@pytest.mark.parametrize('layer_sizes', [(256, 256, 256), (8,), (7, 5)])
@pytest.mark.parametrize('count', [1, 2, 8])
def test_a_policy_acts_as_if_it_were_alone(
  count: int, layer_sizes: tuple[int, ...]
) -> None:
  alone = policies(count, *layer_sizes)
  stacked = Deterministic([policy.arrays for policy in alone], 8)
  random = np.random.default_rng(0)
  for _ in range(3):
    rows = random.standard_normal((count, 8, 17), np.float32)
    actions = stacked(rows)
    for policy, mine, executed in zip(alone, rows, actions, strict=True):
      np.testing.assert_array_equal(policy(mine), executed)


def test_a_row_does_not_depend_on_the_other_rows() -> None:
  (policy,) = policies(1, 256, 256)
  stacked = Deterministic([policy.arrays], 8)
  rows = np.random.default_rng(0).standard_normal((1, 8, 17), np.float32)
  expected = stacked(rows)[0, 3]
  rows[0, [0, 1, 2, 4, 5, 6, 7]] = np.nan
  np.testing.assert_array_equal(stacked(rows)[0, 3], expected)


def test_policies_of_two_shapes_are_refused() -> None:
  arrays = [policies(1, 8, 8)[0].arrays, policies(1, 8, 9)[0].arrays]
  with pytest.raises(ValueError, match=r'shapes .*\(9,\).* cannot be stacked'):
    Deterministic(arrays, 8)
