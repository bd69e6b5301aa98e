"""Each agent of logs learns to reach a goal that few of a log's episodes did.

Thresholds are two thirds to four fifths of what was reached when they were
written; the best of an episode is some 16.
"""

import dataclasses

import numpy as np
import pytest

from agents import registry
from studies.point import log
from tests.agents import point

OPTIONS = {
  **{
    f'{name}_layer_sizes': (64, 64)
    for name in ('policy', 'critic', 'vae', 'perturbation')
  },
  'num_samples': 20,
  'discount': 0.95,
  'batch_size': 320,
  'num_candidates': 10,
  'num_acting_candidates': 50,
  'num_acting_samples': 20,
}


def reached(kind, episodes, **options):
  names = {f.name for f in dataclasses.fields(registry.find(kind).config)}
  small = {k: v for k, v in OPTIONS.items() if k in names}
  networks = point.train(kind, episodes, 1000, **{**small, **options})
  return point.return_of(networks.export())


def mean_return(episodes):
  return np.mean([episode.episode_return for episode in episodes])


@pytest.mark.long
@pytest.mark.parametrize(
  ('kind', 'threshold', 'options'),
  [
    ('mpo', 8.0, {'target_update_period': 100}),
    ('svg', 11.0, {'target_update_period': 100}),
    ('bm_mpo', 8.0, {'target_update_period': 100}),
    ('bm_svg', 9.0, {'target_update_period': 100}),
    ('abm_mpo', 10.0, {'target_update_period': 100}),
    ('abm_svg', 10.0, {'target_update_period': 100}),
    ('abm', 10.0, {'target_update_period': 100}),
    ('bear', 10.0, {'target_update_period': 100}),
    ('bear_mmd', 7.5, {'warm_up_steps': 200}),
    ('bcq', 8.0, {}),
    ('bcq_one_critic', 5.5, {'target_update_period': 100}),
  ],
)
def test_learns_from_those_who_wandered(kind, threshold, options):
  """A tenth of the log was heading for the goal, the rest anywhere."""
  episodes = log(300, right=0.1, noise=1.0, astray=None)
  assert mean_return(episodes) < 3.5
  assert reached(kind, episodes, **options) > threshold


@pytest.mark.long
def test_what_was_advantageous_is_told_from_what_was_done():
  """Claim B-C3: four of five were heading for a wrong goal."""
  episodes = log(500, right=0.2)
  abm, bm = (
    reached(kind, episodes, target_update_period=100) for kind in ('abm', 'bm')
  )
  assert abm > 11.0
  assert bm < 3.0 < mean_return(episodes) + 1.0


@pytest.mark.long
@pytest.mark.parametrize('kind', ['bm', 'bc'])
def test_imitates_those_who_agree(kind):
  episodes = log(300, right=1.0)
  assert reached(kind, episodes) > 0.9 * mean_return(episodes)
