"""Nobody acts what another one acts, and what nobody acts is acted again."""

from hypothesis import given
from hypothesis import strategies as st

from launchers.nodes import leases
from launchers.nodes.leases import Leases


class Run:
  """Leases of one cycle, whose clock the test sets."""

  def __init__(self, quota: int):
    self.now = 0.0
    self.missing = set(range(quota))
    self.held = Leases(lambda: self.now)
    self._quota = quota

  def grant(self, worker: str, most: int = 8) -> list[int]:
    return self.held.grant(
      worker, 1, self._quota, self.missing.__contains__, most
    )

  def deliver(self, episode: int) -> None:
    self.missing.discard(episode)
    self.held.end((1, episode))


def test_a_lease_is_one_workers() -> None:
  run = Run(4)
  assert run.grant('a', 2) == [0, 1]
  assert run.grant('b') == [2]
  assert run.grant('a') == [3]
  assert not run.grant('b')


def test_what_is_there_is_not_given_out() -> None:
  run = Run(4)
  run.missing -= {0, 2}
  assert run.grant('a') == [1, 3]


def test_who_is_not_heard_of_loses_it() -> None:
  run = Run(1)
  assert run.grant('a') == [0]
  run.now += leases.SECONDS - 1
  run.held.renew('a')
  run.now += leases.SECONDS - 1
  assert not run.grant('b')
  run.now += 2
  assert run.grant('b') == [0]
  assert run.held.lost == 1
  assert not run.grant('a')


def test_who_leaves_gives_it_back_at_once() -> None:
  run = Run(2)
  run.grant('a')
  run.held.leave('a')
  assert run.grant('b') == [0, 1]
  assert (run.held.workers, run.held.lost) == (['b'], 0)


def test_what_was_refused_is_given_out_again() -> None:
  run = Run(1)
  run.grant('a')
  run.held.end((1, 0))
  assert run.grant('a') == [0]


def test_what_waits_for_advice_waits_for_nobody() -> None:
  run = Run(3)
  run.held.keep((1, 2))  # As when the run goes on.
  assert run.grant('a') == [0, 1]
  run.held.keep((1, 0))
  run.now += 10 * leases.SECONDS
  assert run.grant('b') == [1]
  run.held.leave('a')
  assert not run.grant('b')
  assert run.held.end((1, 0)) == 'a'
  assert run.held.end((1, 1)) == 'b'
  assert run.held.end((1, 2)) is None


@given(
  st.lists(
    st.tuples(
      st.sampled_from('abc'),
      st.sampled_from(['grant', 'deliver', 'refuse', 'die', 'wait']),
    )
  )
)
def test_every_episode_comes_however_workers_come_and_go(
  events: list[tuple[str, str]],
) -> None:
  run = Run(20)
  holds: dict[str, list[int]] = {'a': [], 'b': [], 'c': []}
  for worker, event in events:
    if event == 'grant':
      granted = run.grant(worker, 3)
      assert set(granted) <= run.missing
      assert not set(granted) & {e for own in holds.values() for e in own}
      holds[worker] += granted
    elif event == 'wait':
      run.now += leases.SECONDS / 100
      for each in holds:
        run.held.renew(each)
    else:
      for episode in holds[worker] if event != 'die' else ():
        if event == 'deliver':
          run.deliver(episode)
        else:
          run.held.end((1, episode))
      if event == 'die':
        run.held.leave(worker)
      holds[worker] = []
  for worker in holds:
    run.held.leave(worker)
  for _ in range(20):
    for episode in run.grant('last', 3):
      run.deliver(episode)
  assert not run.missing
