"""What benchmarks of the offline agents take for granted."""

import subprocess
import sys

import pytest

from benchmarks import environments, offline, offline_cases
from benchmarks.environments import Environment
from benchmarks.offline_cases import Case


def test_each_peer_has_our_side_beside_it():
  sides = offline.sides()
  for who, case in sides.values():
    assert f'ours_{case.name}' in sides, who
  assert {'d3rlpy_bcq_256', 'jax_bcq_512', 'acme_mpo_256'} <= sides.keys()


def test_the_products_of_bcq_are_counted_by_hand():
  """Per state, in multiplications, at 17 observations and 6 actions."""
  square = 256 * 256
  encoder = 23 * 256 + square + 256 * 24
  decoder = 29 * 256 + square + 256 * 6
  policy = 23 * 256 + square + 256 * 6
  critic = 23 * 256 + square + 256 * 1

  target = 10 * (decoder + policy + 2 * critic)
  target -= 9 * 17 * 256 * 4  # The state's part, once for all candidates.
  autoencoder = 2 * encoder + (encoder - 23 * 256)
  autoencoder += 2 * decoder + (decoder - 17 * 256)
  critics = 2 * (2 * critic + (critic - 23 * 256))
  correction = decoder + 2 * policy + (policy - 23 * 256)
  correction += critic + (critic - 17 * 256)
  expected = 2 * 256 * (autoencoder + target + critics + correction)
  assert offline_cases.flops(Case('bcq', 256)) == expected
  assert offline_cases.flops(Case('bcq', 512)) == 2 * expected


@pytest.mark.parametrize('kind', ['bcq_one_critic', 'mpo', 'abm_mpo'])
def test_the_products_grow_with_the_batch(kind):
  one, two = (offline_cases.flops(Case(kind, n)) for n in (256, 512))
  assert one * 2 == two > 2e9


def test_what_peers_import_of_ours_needs_none_of_our_packages():
  code = (
    'import sys, benchmarks.noise, benchmarks.timing; '
    'print([m for m in ("tensorflow", "absl", "acme") if m in sys.modules])'
  )
  result = subprocess.run(
    [sys.executable, '-c', code], check=True, capture_output=True, text=True
  )
  assert result.stdout.strip() == '[]'


def test_a_python_that_is_not_here_is_named(tmp_path, monkeypatch):
  monkeypatch.setattr(environments, '_DIRECTORY', tmp_path)
  monkeypatch.setattr(environments.common, 'ROOT', tmp_path)
  with pytest.raises(RuntimeError, match=r'None of CPython 9\.9'):
    environments.python(Environment('peer', ('9.9',), ()))
