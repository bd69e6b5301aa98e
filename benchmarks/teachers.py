"""What teachers cost: python -m benchmarks.teachers.

Two sides, in turn, each in processes of its own; every figure is a median. The
sizes are cheetah-run's (17 observations, 6 actions), all networks 3 x 256, all
weights and data random.

- advice: transitions annotated per second, whole episodes of 1,000, asked as
  the curator asks (`curator.Adviser`): a snapshot in process; one
  service (`python -m launchers.teach`); two, with a question in flight to each.
  Everything has one BLAS thread, as the nodes of a run but the learner have.
- learner: updates per second of our D4PG with each objective, batch 256, from
  our Memory. `teacher_action` and `q_filter` read stored actions,
  `teacher_grad` has the teacher's critic in its graph, `teacher_grad_remote`
  asks a service on loopback. All learners are in one process and take turns,
  so that a rate and that of `none` beside it were measured within seconds.

`limit` is what floating-point operations alone would allow: those of `none`
(see benchmarks.learner) over those of the objective. What an objective adds:

- an anchor (bc_fixed, bc_decay, between, teacher_action): nothing, for it is
  asked once a cycle, about each transition;
- q_filter: the critic, forward, at the teacher's action;
- teacher_grad: the teacher's critic, forward, and its gradient of the action.

A rate may be above its limit: an update has costs besides, which none of this
adds to, and products that do not depend on each other may run at a time.
"""

import argparse
import os
import statistics
import sys
from typing import Any

from benchmarks import common
from launchers.hosts import process

SIDES = ('advice', 'learner')
_LEAST = {'teacher_grad': 0.6, 'remote': 0.8, 'teacher_action': 0.95}


def main() -> None:
  """Runs both sides, or the one that --side names."""
  common.prepare()
  parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
  parser.add_argument('--side', choices=SIDES)
  parser.add_argument(
    '--rounds', type=int, default=3,
    help='how often each side is run (default: %(default)s)',
  )  # fmt: skip
  parser.add_argument(
    '--windows', type=int, default=5,
    help='rates that a run of a side gives of each (default: %(default)s)',
  )  # fmt: skip
  parser.add_argument(
    '--updates', type=int, default=200,
    help='updates for one rate (default: %(default)s)',
  )  # fmt: skip
  parser.add_argument(
    '--episodes', type=int, default=100,
    help='annotated episodes for one rate (default: %(default)s)',
  )  # fmt: skip
  options = parser.parse_args()
  if options.side == 'advice':
    # NumPy looks when it is imported, so that all of ours follow here.
    os.environ.update(process.SINGLE_THREADED)
    from benchmarks import teachers_advice

    rates = teachers_advice.rates(options.windows, options.episodes)
    common.print_json({'rates': rates})
  elif options.side == 'learner':
    from benchmarks import teachers_learner

    rates = teachers_learner.rates(options.windows, options.updates)
    common.print_json({'rates': rates})
  else:
    compare(options)


def compare(options: argparse.Namespace) -> None:
  """Measures both sides in turn, several times."""
  rates: dict[str, dict[str, list[float]]] = {side: {} for side in SIDES}
  for number in range(options.rounds):
    for side in SIDES:
      print(
        f'measuring, {number + 1} of {options.rounds}: {side} ...',
        file=sys.stderr,
        flush=True,
      )
      sizes = [
        f'--{name}={getattr(options, name)}'
        for name in ('windows', 'updates', 'episodes')
      ]
      result = common.run_side('benchmarks.teachers', side, sizes)
      for name, some in result['rates'].items():
        rates[side].setdefault(name, []).extend(some)
  _report(rates['advice'], rates['learner'])


def _report(
  advice: dict[str, list[float]], learner: dict[str, list[float]]
) -> None:
  # Imported here: a side sets the threads of NumPy before it is imported.
  from benchmarks import teachers_limits

  relative = {name: _ratio(learner, name, 'none') for name in learner}
  limit = teachers_limits.relative_limits()
  values = {
    'teacher_grad': relative['teacher_grad'],
    'remote': _ratio(learner, 'teacher_grad_remote', 'teacher_grad'),
    'teacher_action': relative['teacher_action'],
  }
  result: dict[str, Any] = {
    'relative_rate': relative,
    'limit': limit,
    'remote_to_local': values['remote'],
    'goals': {
      name: {
        'least': least,
        'value': values[name],
        'met': values[name] >= least,
      }
      for name, least in _LEAST.items()
    },
    'updates_per_second': _medians(learner),
    'annotated_per_second': _medians(advice),
  }
  lines = {
    f'{name}, annotated': f'{rate:,.0f} transitions/s'
    for name, rate in result['annotated_per_second'].items()
  }
  for name, rate in result['updates_per_second'].items():
    lines[name] = (
      f'{rate:.0f} updates/s, {relative[name]:.2f} of none; operations alone '
      f'would allow {limit[name]:.2f}'
    )
  for name, least in _LEAST.items():
    lines[f'goal: {name}'] = common.goal(values[name], least)
  common.report('Teachers: advice, and the learner by objective', lines, result)


def _medians(rates: dict[str, list[float]]) -> dict[str, float]:
  return {
    name: round(statistics.median(some), 1) for name, some in rates.items()
  }


def _ratio(rates: dict[str, list[float]], name: str, base: str) -> float:
  """The median of the ratios of rates that were measured side by side."""
  pairs = zip(rates[name], rates[base], strict=True)
  return round(statistics.median(a / b for a, b in pairs), 3)


if __name__ == '__main__':
  main()
