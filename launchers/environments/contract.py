"""What an environment must do, as checks and as tests that anyone inherits.

  from launchers.environments.contract import EnvironmentContract

  class TestMine(EnvironmentContract):
    task = 'my_module:make'

python -m launchers.check_environment --task my_module:make runs the same checks
without a test.
"""

from collections.abc import Callable
import functools
from typing import NamedTuple, Optional

from launchers.environments import base
from launchers.environments.trial import Trial

UNJUDGED = 'Not judged, for no episode can be acted again.'
"""What a check saw that found neither a fault nor its absence."""


class Finding(NamedTuple):
  """What came of a check.

  Attributes:
    check: its name.
    ok: whether it found nothing.
    detail: what it saw.
    remedy: what to do; '' where nothing need be done.
    breaks: whether a run would fail, or learn what is not so.
  """

  check: str
  ok: bool
  detail: str
  remedy: str = ''
  breaks: bool = False


def check_sizes(trial: Trial) -> Finding:
  """Two environments of one name are of one task."""
  task = trial.environment.task
  changes = trial.other_task.differences(task)
  return Finding(
    'same task',
    not changes,
    '; '.join(changes)
    or f'{task.name}: {task.observation_size} numbers observed, '
    f'{task.action_size} acted.',
    'Let its specifications depend on nothing but its arguments.',
    breaks=True,
  )


def check_raises(trial: Trial) -> Finding:
  """Nothing is raised."""
  raised = [
    trace
    for trace in trial.traces
    if trace.error and not isinstance(trace.error, base.BrokenEnvironmentError)
  ]
  return Finding(
    'raises nothing',
    not raised,
    f'{len(raised)} of {len(trial.traces)} episodes raised.'
    + ''.join(
      f' Seed {trace.seed}, step {trace.num_steps}: '
      f'{base.reason_of(trace.error)}'
      for trace in raised[:1]
      if trace.error
    ),
    'Mend it. A run acts such an episode again with another seed, and fails '
    'when more than --max-refused-fraction of a cycle do.',
    breaks=True,
  )


def _check_broken(
  name: str, what: str, kind: type[Exception], remedy: str, trial: Trial
) -> Finding:
  broken = [t for t in trial.traces if isinstance(t.error, kind)]
  detail = f'{len(broken)} of {len(trial.traces)} episodes had {what}.'
  for trace in broken[:1]:
    detail += f' Seed {trace.seed}, step {trace.num_steps}: {trace.error}'
  return Finding(name, not broken, detail, remedy, breaks=True)


check_finite = functools.partial(
  _check_broken,
  'finite',
  'a number that is NaN or infinite',
  base.NotFiniteError,
  'Find where it diverges; smaller steps of its simulation, or a termination '
  'before that, help.',
)
check_widths = functools.partial(
  _check_broken,
  'as specified',
  'an observation of another shape',
  base.WidthError,
  'Give what the specification says at every step, padded where need be.',
)
check_reward = functools.partial(
  _check_broken,
  'one reward',
  'a reward that is not one number',
  base.RewardError,
  'Wrap it so that it gives one number.',
)
check_discounts = functools.partial(
  _check_broken,
  'discounts',
  'a discount of their own',
  base.DiscountError,
  'Give a discount of 1 amid an episode, and 0 with a termination alone.',
)


def check_seed(trial: Trial) -> Finding:
  """A seed makes the same episode wherever it is acted."""
  first = trial.traces[0]
  remedy = (
    'Draw all that is random from a generator that the seed sets: it comes by '
    'reset(seed=) in Gymnasium, in dm_env by a method seed(seed) or as an '
    'argument seed of the factory. Else a run that is resumed is not the same.'
  )
  if not trial.environment.is_seeded:
    return Finding('seeded', False, 'It takes no seed.', remedy)
  if not trial.fresh.equals(first):
    detail = 'A seed gave two different episodes in two environments.'
    return Finding('seeded', False, detail, remedy)
  starts = {trace.observations[0].tobytes() for trace in trial.traces}
  detail = f'{len(starts)} of {len(trial.traces)} seeds begin differently.'
  return Finding('seeded', True, detail)


def check_past(trial: Trial) -> Finding:
  """An episode does not depend on those before it."""
  if not check_seed(trial).ok:
    return Finding('forgets', True, UNJUDGED)
  same = trial.again.equals(trial.traces[0])
  return Finding(
    'forgets',
    same,
    f'Seed 0 gave {"the same" if same else "another"} episode after others.',
    'Let reset set all of the state anew. Else a run that is resumed is not '
    'the same.',
  )


def check_neighbours(trial: Trial) -> Finding:
  """An episode does not depend on those beside it."""
  if not check_seed(trial).ok or not check_past(trial).ok:
    return Finding('stands alone', True, UNJUDGED)
  same = trial.beside.equals(trial.fresh)
  return Finding(
    'stands alone',
    same,
    f'Seed 0 gave {"the same" if same else "another"} episode beside another '
    'environment in one process.',
    'Keep no state in the module or the class; draw nothing from the global '
    'random or numpy.random. Up to eight act side by side.',
  )


def check_memory(trial: Trial) -> Finding:
  """The process does not grow."""
  growth = trial.growth
  return Finding(
    'keeps its size',
    not growth.is_leak,
    f'{growth.gained / 2**20:.1f} MB gained in {growth.num_steps} steps.',
    'It leaks. A run survives that where a cycle fits into memory, for '
    'environments get a new process with every cycle.',
  )


def check_time_limit(trial: Trial) -> Finding:
  """A time limit is no termination."""
  ended = [t for t in trial.traces if t.last and t.discounts[-1] == 0]
  lengths = {trace.num_steps for trace in ended}
  is_limit = len(ended) == len(trial.traces) and len(lengths) == 1
  is_limit = is_limit and lengths != {1}
  detail = f'{len(ended)} of {len(trial.traces)} episodes were terminated.'
  if is_limit:
    detail += f' All of them at step {lengths.pop()}, as by a time limit.'
  return Finding(
    'terminates for a reason',
    not is_limit,
    detail,
    'Cut an episode by truncated=True (Gymnasium) or a last step of discount '
    '1 (dm_env): a termination says that nothing is worth anything from there '
    'on, and that is learned.',
    breaks=True,
  )


def check_speed(trial: Trial) -> Finding:
  """How long a run will act; never wrong."""
  steps = sum(trace.num_steps for trace in trial.traces)
  if not steps:
    return Finding('speed', True, 'Unknown, for no step went well.')
  rate = steps / max(sum(trace.seconds for trace in trial.traces), 1e-9)
  million = 1e6 / rate / 60
  took = f'{million:.0f} min' if million < 100 else f'{million / 60:,.1f} hours'
  detail = f'{rate:,.0f} steps a second and actor: a million take {took}.'
  return Finding('speed', True, detail)


CHECKS: tuple[Callable[[Trial], Finding], ...] = (
  check_sizes, check_raises, check_finite, check_widths, check_reward,
  check_discounts, check_seed, check_past, check_neighbours, check_memory,
  check_time_limit, check_speed,
)  # fmt: skip
"""All of them."""


class EnvironmentContract:
  """Holds an environment to all checks; see the module.

  Attributes:
    task: what a person writes after --task.
    action_bound: stands in for bounds that its actions lack.
    steps: where an episode is cut.
  """

  task = ''
  action_bound: Optional[float] = None
  steps = 200

  def _hold(self, check: Callable[[Trial], Finding]) -> None:
    finding = check(_trial(self.task, self.action_bound, self.steps))
    assert finding.ok, f'{finding.detail} {finding.remedy}'

  def test_is_the_same_task_whenever_it_is_made(self) -> None:
    """See `check_sizes`."""
    self._hold(check_sizes)

  def test_raises_nothing(self) -> None:
    """See `check_raises`."""
    self._hold(check_raises)

  def test_gives_finite_numbers(self) -> None:
    """See `check_finite`."""
    self._hold(check_finite)

  def test_gives_what_it_specifies(self) -> None:
    """See `check_widths`."""
    self._hold(check_widths)

  def test_gives_one_reward(self) -> None:
    """See `check_reward`."""
    self._hold(check_reward)

  def test_gives_no_discount_of_its_own(self) -> None:
    """See `check_discounts`."""
    self._hold(check_discounts)

  def test_is_seeded(self) -> None:
    """See `check_seed`."""
    self._hold(check_seed)

  def test_forgets_earlier_episodes(self) -> None:
    """See `check_past`."""
    self._hold(check_past)

  def test_stands_alone(self) -> None:
    """See `check_neighbours`."""
    self._hold(check_neighbours)

  def test_does_not_leak(self) -> None:
    """See `check_memory`."""
    self._hold(check_memory)

  def test_terminates_for_a_reason(self) -> None:
    """See `check_time_limit`."""
    self._hold(check_time_limit)


@functools.cache
def _trial(task: str, action_bound: Optional[float], steps: int) -> Trial:
  """Of a class of tests, whose episodes are acted once."""
  return Trial(task, action_bound, steps)
