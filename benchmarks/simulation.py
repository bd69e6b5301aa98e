"""Where the next bottleneck lies: python -m benchmarks.simulation.

A cycle of cheetah-run is collected by 1 to 1,024 hosts: a simulation of what
benchmarks.hosts measures on one (see benchmarks.simulation_events). The options
are the figures of that benchmark's last line. It draws docs/hosts.png.
"""

import argparse
from collections.abc import Sequence
import dataclasses
from pathlib import Path

from benchmarks import common
from benchmarks.simulation_events import (
  EPISODE_STEPS,
  Costs,
  Outcome,
  Simulation,
)
from launchers.reports.theme import LIGHT, style_of

HOSTS = tuple(2**n for n in range(11))
_FULL = 0.95  # Of the workers' own speed; below that they wait for something.
_PARTS = {
  'workers': "the workers' processors",
  'link': "the gateway's link",
  'gateway': "the gateway's processor",
  'disk': 'the durable commit',
  'orders': 'the orders',
  'policies': 'the policy to every worker',
}


def main() -> None:
  """Simulates all numbers of hosts."""
  common.prepare()
  parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
  for field in dataclasses.fields(Costs):
    parser.add_argument(
      f'--{field.name.replace("_", "-")}', type=type(field.default),
      default=field.default, help='(default: %(default)s)',
    )  # fmt: skip
  parser.add_argument(
    '--episodes', type=int, default=100,
    help='of a cycle, for each worker (default: %(default)s)',
  )  # fmt: skip
  parser.add_argument(
    '--figure', type=Path, default=common.ROOT / 'docs' / 'hosts.png'
  )
  options = vars(parser.parse_args())
  figure, episodes = options.pop('figure'), options.pop('episodes')
  costs = Costs(**options)
  outcomes = [
    Simulation(costs, hosts, hosts * costs.workers * episodes).run()
    for hosts in HOSTS
  ]
  draw(costs, outcomes, figure)
  show(costs, outcomes)


def efficiency(costs: Costs, outcome: Outcome) -> float:
  """Its speed, to that of workers that wait for nothing."""
  return outcome.rate / costs.capacities(outcome.hosts)['workers']


def show(costs: Costs, outcomes: Sequence[Outcome]) -> None:
  """Prints the table, what it would take, and one JSON object."""
  print('hosts  episodes/s    steps/s  of linear  waiting  busiest')
  for outcome in outcomes:
    part = outcome.bottleneck
    print(
      f'{outcome.hosts:5,}  {outcome.rate:10,.0f} '
      f'{outcome.rate * EPISODE_STEPS:10,.0f} '
      f'{efficiency(costs, outcome):10.2f} {outcome.waiting:8,}  '
      f'{_PARTS[part]} ({outcome.busy[part]:.0%})'
    )
  full = [o for o in outcomes if efficiency(costs, o) >= _FULL]
  lines = {
    f'hosts that act at {_FULL:.0%} of their speed': (
      f'{full[-1].hosts:,}' if full else 'none'
    ),
  }
  wanted = takes(costs, outcomes[-1].hosts)
  for part, factor in wanted.items():
    lines[f'{outcomes[-1].hosts:,} hosts take of {_PARTS[part]}'] = (
      f'{factor:.2f} times what there is'
    )
  common.report(
    'What it would take',
    lines,
    {
      'costs': dataclasses.asdict(costs),
      'hosts': [outcome.hosts for outcome in outcomes],
      'episodes_per_second': [round(o.rate, 1) for o in outcomes],
      'efficiency': [round(efficiency(costs, o), 3) for o in outcomes],
      'bottleneck': [outcome.bottleneck for outcome in outcomes],
      'full_hosts': full[-1].hosts if full else 0,
      'takes': {part: round(factor, 2) for part, factor in wanted.items()},
    },
  )


def takes(costs: Costs, hosts: int) -> dict[str, float]:
  """What so many hosts would need of each part, to what it is able to do."""
  able = costs.capacities(hosts)
  workers = able.pop('workers')
  return {part: workers / capacity for part, capacity in able.items()}


def draw(costs: Costs, outcomes: Sequence[Outcome], path: Path) -> None:
  """Draws the speed over the number of hosts."""
  import matplotlib

  matplotlib.use('Agg')
  from matplotlib import pyplot

  hosts = [outcome.hosts for outcome in outcomes]
  linear = [costs.capacities(n)['workers'] for n in hosts]
  with pyplot.rc_context(style_of(LIGHT)):
    figure, axes = pyplot.subplots(figsize=(6.4, 3.6), layout='constrained')
    axes.plot(
      hosts, linear, '--', color=LIGHT.start, label='workers that never wait'
    )
    axes.plot(
      hosts, [o.rate for o in outcomes], 'o-', color=LIGHT.learner,
      label='simulated',
    )  # fmt: skip
    able = costs.capacities(1)
    del able['workers']
    # Side by side: what two parts allow may be nearly the same.
    for place, part in enumerate(sorted(able, key=lambda name: able[name])):
      axes.axhline(able[part], color=LIGHT.grid, zorder=1)
      axes.text(
        2 ** (2.6 * place), able[part], f'{_PARTS[part]}: {able[part]:,.0f}',
        color=LIGHT.muted, va='bottom', fontsize=8,
      )  # fmt: skip
    axes.set(
      xscale='log', yscale='log', xticks=hosts, xlabel='worker hosts',
      title='Episodes a second (1,000 steps of cheetah-run)',
    )  # fmt: skip
    axes.set_xticks(hosts, [f'{n:,}' for n in hosts])
    axes.minorticks_off()
    axes.legend(loc='lower right')
    figure.savefig(path, dpi=150)
    pyplot.close(figure)


if __name__ == '__main__':
  main()
