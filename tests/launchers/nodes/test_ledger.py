"""No episode is lost, none is counted twice."""

from hypothesis import given, settings
from hypothesis import strategies as st
import pytest

from datasets.types import EpisodeId
from launchers.nodes import cycle_record
from launchers.nodes.ledger import Ledger, RunFailedError
from launchers.runs.config import GrowingBatchConfig


def config(**changes: object) -> GrowingBatchConfig:
  return GrowingBatchConfig(
    **{  # type: ignore[arg-type]  # Test values of many types.
      'name': 'run',
      'cycles': 2,
      'actor_steps': 160,
      'episode_steps': 20,
      'learner_steps': 0,
      'max_refused_fraction': 0.5,
      **changes,
    }
  )


def identity(episode: int, cycle: int = 1) -> EpisodeId:
  return EpisodeId('run', cycle, 0, episode)


@settings(deadline=None)
@given(st.lists(st.integers(0, 3)))
def test_a_cycle_is_full_with_exactly_its_episodes(arrivals: list[int]) -> None:
  ledger = Ledger(config())
  for episode in arrivals:
    ledger.add(identity(episode), f'd{episode}', 1.0, 20, True)
  missing = [episode for episode in range(4) if ledger.is_missing(1, episode)]
  assert sorted(missing) == sorted(set(range(4)) - set(arrivals))
  assert ledger.count(1) == len(set(arrivals))
  assert ledger.is_full([1]) == (not missing)
  assert ledger.batch(1)['steps'] == 20 * len(set(arrivals))
  assert ledger.new_steps == 20 * len(set(arrivals))


def test_an_episode_of_an_older_version_is_not_acted_again() -> None:
  """It named the actor whose share it was."""
  ledger = Ledger(config())
  ledger.add(EpisodeId('run', 1, 2, 2), 'd2', 1.0, 20, True)
  assert [e for e in range(4) if ledger.is_missing(1, e)] == [0, 1, 3]
  ledger.add(identity(2), 'other', 1.0, 20, True)
  assert ledger.count(1) == 1


def test_the_batch_does_not_depend_on_the_order() -> None:
  ledgers = Ledger(config()), Ledger(config())
  for ledger, order in zip(ledgers, ([0, 1, 2], [2, 0, 1]), strict=True):
    for episode in order:
      value = 0.1 * (episode + 1)  # Their sum depends on the order.
      ledger.add(identity(episode), f'd{episode}', value, 20, True)
  assert ledgers[0].batch(1) == ledgers[1].batch(1)
  assert ledgers[0].returns(1) == ledgers[1].returns(1)


def test_a_refused_episode_is_collected_again_as_another_attempt() -> None:
  ledger = Ledger(config())
  assert ledger.refuse(identity(0), 'NaN') == 0
  assert ledger.is_missing(1, 0)
  assert ledger.attempts(identity(0)) == 1
  assert ledger.refused(1) == 1


def test_too_many_refusals_fail_the_run() -> None:
  ledger = Ledger(config())
  ledger.refuse(identity(0), 'NaN')
  ledger.refuse(identity(1), 'NaN')
  with pytest.raises(RunFailedError, match=r'3 attempts at the 4.*is NaN'):
    ledger.refuse(identity(2), 'reward is NaN')


def test_telling_of_a_failed_attempt_twice_counts_once() -> None:
  ledger = Ledger(config())
  assert ledger.refuse(identity(0), 'NaN', attempt=0) == 0
  assert ledger.refuse(identity(0), 'NaN', attempt=0) is None
  assert ledger.refused(1) == 1
  assert ledger.attempts(identity(0)) == 1
  assert ledger.refuse(identity(0), 'NaN', attempt=1) == 1


def test_short_episodes_are_told() -> None:
  batch = {'episodes': 80, 'steps': 3_163, 'digest': ''}
  told = cycle_record.shortage(batch, 1_000)['short']
  assert '3,163 of 80,000' in told
  assert '--episode-steps 40' in told
  assert not cycle_record.shortage({**batch, 'steps': 40_000}, 1_000)
