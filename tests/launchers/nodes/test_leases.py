"""Nobody acts what another one acts, and what nobody acts is acted again."""

from hypothesis import given
from hypothesis import strategies as st

from datasets.types import EpisodeId
from launchers.nodes import leases
from launchers.nodes.leases import Leases


class Clock:
  now = 0.0

  def __call__(self) -> float:
    return self.now


def identities(*episodes: int) -> list[EpisodeId]:
  return [EpisodeId('run', 1, 0, episode) for episode in episodes]


def test_a_lease_is_one_workers() -> None:
  held = Leases(Clock())
  assert held.grant('a', identities(0, 1, 2, 3), 2) == identities(0, 1)
  assert held.grant('b', identities(0, 1, 2, 3), 8) == identities(2)
  assert held.grant('a', identities(0, 1, 2, 3), 8) == identities(3)
  assert not held.grant('b', identities(0, 1, 2, 3), 8)


def test_who_is_not_heard_of_loses_it() -> None:
  clock = Clock()
  held = Leases(clock)
  assert held.grant('a', identities(0), 8) == identities(0)
  clock.now += leases.SECONDS - 1
  held.renew('a')
  clock.now += leases.SECONDS - 1
  assert not held.grant('b', identities(0), 8)
  clock.now += 2
  assert held.grant('b', identities(0), 8) == identities(0)
  assert not held.grant('a', identities(0), 8)


def test_who_leaves_gives_it_back_at_once() -> None:
  held = Leases(Clock())
  held.grant('a', identities(0, 1), 8)
  held.leave('a')
  assert held.grant('b', identities(0, 1), 8) == identities(0, 1)


def test_what_was_refused_is_given_out_again() -> None:
  held = Leases(Clock())
  held.grant('a', identities(0), 8)
  held.end(identities(0)[0])
  assert held.grant('a', identities(0), 8) == identities(0)


def test_what_waits_for_advice_waits_for_nobody() -> None:
  clock = Clock()
  held = Leases(clock)
  held.grant('a', identities(0, 1), 8)
  held.keep(identities(0)[0])
  clock.now += 10 * leases.SECONDS
  assert held.grant('b', identities(0, 1), 8) == identities(1)
  held.leave('a')
  assert not held.grant('b', identities(0), 8)
  assert held.end(identities(0)[0]) == 'a'
  assert held.end(identities(1)[0]) == 'b'


def test_who_is_lost_is_counted() -> None:
  clock = Clock()
  held = Leases(clock)
  held.grant('a', identities(0), 8)
  held.leave('a')
  assert (held.workers, held.lost) == ([], 0)
  held.grant('b', identities(0), 8)
  clock.now += leases.SECONDS + 1
  held.grant('c', identities(0), 8)
  assert (held.workers, held.lost) == (['c'], 1)


@given(
  st.lists(
    st.tuples(
      st.sampled_from('abc'),
      st.sampled_from(['grant', 'deliver', 'die', 'wait']),
    )
  )
)
def test_every_episode_comes_however_workers_come_and_go(
  events: list[tuple[str, str]],
) -> None:
  clock, missing = Clock(), identities(*range(20))
  held = Leases(clock)
  holds: dict[str, list[EpisodeId]] = {'a': [], 'b': [], 'c': []}
  for worker, event in events:
    if event == 'grant':
      granted = held.grant(worker, missing, 3)
      others = [i for w, own in holds.items() if w != worker for i in own]
      assert not set(granted) & set(others)
      holds[worker] += granted
    elif event == 'deliver':
      for identity in holds[worker]:
        held.end(identity)
        missing.remove(identity)
      holds[worker] = []
    elif event == 'die':
      held.leave(worker)
      holds[worker] = []
    else:
      clock.now += leases.SECONDS / 100
      for each in holds:
        held.renew(each)
  for worker in holds:
    held.leave(worker)
  rounds = 0
  while missing:
    granted = held.grant('last', missing, 3)
    assert granted
    for identity in granted:
      held.end(identity)
      missing.remove(identity)
    rounds += 1
  assert rounds <= 20
