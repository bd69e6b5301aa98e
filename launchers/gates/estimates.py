"""What is known of a policy before it is deployed, as numbers for the rules."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple, Optional

import numpy as np

from agents.deployed.policy import Policy
from launchers.gates import bounds, ratios, support
from launchers.gates.data import Data
from launchers.gates.deployed import Deployed
from launchers.gates.fits import FitOptions
from launchers.gates.importance import Importance

_SUPPORT, _CHOICE, _NOISE, _FIT, _INTERVAL, _BOOTSTRAP, _DRAWN = range(7)


class Question(NamedTuple):
  """What the estimates are of.

  Attributes:
    candidate: the policy that may be deployed.
    before: what is deployed now; None before the first.
    noise: of whatever acts; see `Deployed`.
    behaviours: who acted, by digest, as far as it is known and had that noise.
    discount: g.
    options: how Q is fitted.
    seed: of everything that is drawn.
    past_errors: what the same estimate was off by in earlier cycles, of
      policies whose value is known by now.
  """

  candidate: Policy
  before: Optional[Policy]
  noise: float
  behaviours: Mapping[str, Policy]
  discount: float
  options: FitOptions
  seed: Sequence[int]
  past_errors: Sequence[float] = ()

  def sequence(self, purpose: int) -> np.random.SeedSequence:
    """The seed of one purpose."""
    return np.random.SeedSequence([*self.seed, purpose])


def estimate(
  question: Question,
  data: Data,
  needed: Collection[str],
  tick: Callable[[], None] = lambda: None,
  report: Callable[[int, int], None] = lambda step, end: None,
) -> dict[str, Any]:
  """Computes what is needed.

  Args:
    question: of what.
    data: what was done.
    needed: the rules' quantities; see `rules.needs`.
    tick: called now and then; what it raises ends the estimates.
    report: told how many updates of the fit are done, of how many.

  Returns:
    `quantities`, what the rules compare, by name; `notes`, why some are
    unknown; and what they were made of, for the record. Of JSON's types.
  """
  result: dict[str, Any] = {'quantities': {}, 'notes': []}
  if 'outside' in needed:
    result['support'] = _support(question, data, tick)
    result['quantities']['outside'] = result['support']['outside']
  if 'lower' in needed and question.before is not None:
    _value(question, data, result, tick, report)
  return result


def _support(
  question: Question, data: Data, tick: Callable[[], None]
) -> dict[str, Any]:
  """Distance from the data, and from what is deployed."""
  count = len(data.actions)
  kept = support.choose(count, support.ROWS, question.sequence(_SUPPORT))
  most = support.STATES
  asked = support.choose(len(kept), most, question.sequence(_CHOICE))
  states = data.observations[data.rows(kept)]
  near = support.Neighbours(states, data.actions[kept], asked, tick)
  here = Deployed(question.candidate, question.noise).at(states[asked])
  # Without noise, which is as far from the data whatever the policy.
  record: dict[str, Any] = near.judge(np.clip(here.mean, -1, 1))._asdict()
  if question.before is not None:
    there = Deployed(question.before, question.noise).at(states[asked])
    steps = np.linalg.norm(here.mean - there.mean, axis=-1)
    record['step_mean'] = float(np.mean(steps))
    record['step_95'] = float(np.percentile(steps, 95))
  known = [d for d in data.policies if d in question.behaviours]
  if known and question.noise > 0:
    digests = sorted(set(known))
    behaviours = [
      Deployed(question.behaviours[d], question.noise).at(states[asked])
      for d in digests
    ]
    shares = np.array([known.count(d) / len(known) for d in digests])
    rng = np.random.default_rng(question.sequence(_NOISE))
    noise = rng.standard_normal(here.mean.shape, np.float32)
    done = here.sample(noise)
    record['log_likelihood'] = support.mixture_log_likelihood(
      done, behaviours, shares
    )
  return record


def _value(
  question: Question,
  data: Data,
  result: dict[str, Any],
  tick: Callable[[], None],
  report: Callable[[int, int], None],
) -> None:
  """What the candidate and the deployed policy are worth, as it is deployed."""
  from launchers.gates.fitted_q import FittedQ  # TensorFlow.

  assert question.before is not None
  policies = (question.candidate, question.before)
  acting = [Deployed(p, question.noise).at(data.observations) for p in policies]
  first = [
    Deployed(p, question.noise).at(data.observations[data.first_rows])
    for p in policies
  ]
  seed = int(question.sequence(_FIT).generate_state(1)[0])
  weighted = Importance.of(
    data, policies, question.behaviours, question.noise, question.discount, tick
  )
  folds = None
  is_usable = weighted is not None and weighted.size >= ratios.LEAST_SIZE
  if is_usable and question.options.members > 1:
    folds = np.arange(data.num_episodes) % 2
  fitted = FittedQ(
    data, acting, first, question.options, question.discount, seed, folds
  )
  fit = fitted.run(tick, report)
  value, before = fit.estimates.tolist()
  low, high = fit.interval(0, question.sequence(_INTERVAL), bounds.DELTA)
  direct = _direct(question, data)
  errors = list(question.past_errors)
  if direct is not None:
    errors.append(before - direct['mean'])
  # Only what it was too high by makes a lower bound too high.
  widened = max(0.0, *errors) if len(errors) >= 2 else 0.0
  span = fitted.high - fitted.low
  result['fitted_q'] = {
    'value': value, 'lower': low, 'upper': high, 'before': before,
    'moved': fit.moved.tolist(), 'updates': question.options.updates,
    'members': question.options.members, 'widened': widened,
    'settled': not fit.reasons,
  }  # fmt: skip
  result['direct'] = direct
  result['weighted'] = weighted.record() if weighted else None
  result['quantities']['range'] = span
  result['notes'] += fit.reasons
  if weighted and folds is not None:
    sequence = question.sequence(_DRAWN)
    robust = weighted.doubly_robust(data, fitted, folds, sequence)
    result['doubly_robust'] = robust
    result['quantities'].update(lower=robust['lower'], before=robust['before'])
  elif not fit.reasons:
    result['quantities'].update(lower=low - widened, before=before)


def _direct(question: Question, data: Data) -> Optional[dict[str, Any]]:
  """What the deployed policy has earned itself, with its bounds."""
  assert question.before is not None
  digest = question.before.digest
  own = np.array([digest == acted for acted in data.policies])
  where = np.flatnonzero(own & (data.cycles > 0))
  if len(where) < 2:
    return None
  returns = data.returns(question.discount, where)
  low, high = data.value_range(question.discount)
  seed = question.sequence(_BOOTSTRAP)
  return {
    'mean': float(np.mean(returns)),
    'episodes': len(where),
    'bernstein': bounds.bernstein(returns, min(low, 0.0), max(high, 0.0)),
    'student': bounds.student(returns),
    'percentile': bounds.bootstrap(returns, seed, 'percentile'),
    'bca': bounds.bootstrap(returns, seed),
  }
