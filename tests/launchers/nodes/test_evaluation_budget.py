"""The budget of evaluations: what a learner loses is bounded."""

from hypothesis import given
from hypothesis import strategies as st
import pytest

from launchers.nodes.evaluation_budget import SHARE, Budget


class Clock:
  """A clock that a test moves."""

  def __init__(self) -> None:
    self.now = 0.0

  def __call__(self) -> float:
    return self.now


def test_short_runs_lose_no_evaluation() -> None:
  clock = Clock()
  budget = Budget(credit=20.0, cores=2, clock=clock)
  for step in range(190):
    assert budget.grant(step)
    budget.spend(step, 0.1)


@pytest.mark.parametrize(('price', 'cores'), [(0.1, 2), (1.0, 2), (0.1, 1)])
def test_long_runs_are_thinned_to_the_share(price: float, cores: int) -> None:
  clock = Clock()
  budget = Budget(credit=1.0, cores=cores, clock=clock)
  spent = 0.0
  for step in range(100_000):
    clock.now += 0.25
    if budget.grant(step):
      budget.spend(step, price)
      spent += price
  assert spent == pytest.approx(SHARE * cores * clock.now, rel=0.01)


def test_where_there_are_cores_nothing_is_skipped() -> None:
  clock = Clock()
  budget = Budget(credit=1.0, cores=64, clock=clock)
  for step in range(10_000):
    clock.now += 0.25
    assert budget.grant(step)
    budget.spend(step, 1.0)


@given(
  st.lists(
    st.tuples(
      st.floats(0, 10), st.booleans(), st.floats(0, 5, exclude_min=True)
    ),
    max_size=50,
  )
)
def test_however_late_prices_are_told(
  events: list[tuple[float, bool, float]],
) -> None:
  """What is granted never exceeds what was earned, but for unknown prices."""
  clock = Clock()
  budget = Budget(credit=2.0, cores=2, clock=clock)
  waiting: list[tuple[int, float]] = []
  spent = 0.0
  for step, (seconds, is_told, price) in enumerate(events):
    clock.now += seconds
    if budget.grant(step):
      waiting.append((step, price))
    if is_told and waiting:
      key, taken = waiting.pop(0)
      budget.spend(key, taken)
      spent += taken
  surprise = sum(price for _, _, price in events)
  assert spent <= 2.0 + SHARE * 2 * clock.now + surprise
  budget.spend('never granted', 1e9)
  clock.now += 1e9
  assert budget.grant('later')
