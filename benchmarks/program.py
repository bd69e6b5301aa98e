"""The whole local program beside Acme's: python -m benchmarks.program.

Both sides do the same work on cheetah-run, the start of every process included:
as many actor steps (in whole episodes) and as many learner steps of the same
D4PG (3 x 256, batch 256, n-step 5), one actor, no evaluation.

- ours: python -m launchers.growing_batch, from the command to its end: 4
  cycles, objective `none`, made durable, checkpointed and reported as ever. It
  starts from a teacher: one demonstration episode, one step of cloning.
- acme: the nodes of Acme's DistributedD4PG (replay, counter, learner, actor) as
  local processes, with Acme's own rate limiter at the same ratio of samples to
  insertions, ended as soon as both counts are reached.
"""

import argparse
from pathlib import Path
import sys
import tempfile
from typing import Any

from benchmarks import common

_CYCLES = 4
_BATCH_SIZE = 256


def main() -> None:
  """The command."""
  common.prepare()
  parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
  parser.add_argument('--actor_steps', type=int, default=100_000)
  parser.add_argument('--learner_steps', type=int, default=12_500)
  options = parser.parse_args()
  compare(options.actor_steps, options.learner_steps)


def compare(actor_steps: int, learner_steps: int) -> None:
  """Measures both sides, one after the other."""
  with tempfile.TemporaryDirectory() as directory:
    print('measuring: ours ...', file=sys.stderr, flush=True)
    ours = _run_ours(actor_steps, learner_steps, Path(directory))
    print('measuring: acme ...', file=sys.stderr, flush=True)
    acme = _run_acme(actor_steps, learner_steps, Path(directory))
  result = {
    'ratio_vs_acme': round(acme['wall_seconds'] / ours['wall_seconds'], 2),
    'seconds': round(ours['wall_seconds'], 1),
    'acme_seconds': round(acme['wall_seconds'], 1),
    'actor_steps': actor_steps,
    'learner_steps': learner_steps,
    'acme_actor_steps': acme['actor_steps'],
    'acme_learner_steps': acme['learner_steps'],
  }
  common.report(
    f'The whole program on cheetah-run: {actor_steps:,} actor steps and '
    f'{learner_steps:,} learner steps, start-up included',
    {
      'ours': f'{result["seconds"]} s',
      'Acme': f'{result["acme_seconds"]} s, which did '
      f'{acme["actor_steps"]:,} actor and {acme["learner_steps"]:,} learner '
      'steps',
      'ratio_vs_acme': common.goal(result['ratio_vs_acme'], 2.5),
    },
    result,
  )


def _run_ours(
  actor_steps: int, learner_steps: int, directory: Path
) -> dict[str, Any]:
  from benchmarks.nodes import random_policy

  teacher = directory / 'teacher.npz'
  teacher.write_bytes(random_policy().to_bytes())
  options = {
    'task': 'cheetah-run',
    'name': 'program',
    'runs': directory / 'runs',
    'cycles': _CYCLES,
    'actor_steps': actor_steps,
    'learner_steps': learner_steps,
    'objective.kind': 'none',
    'agent.batch_size': _BATCH_SIZE,
    'demonstrations.teacher': teacher,
    'demonstrations.episodes': 1,
    'cloning.steps': 1,
    'critic_pretrain_steps': 0,
    'evaluation.interval': 0,
    'evaluation.final_episodes': 0,
  }
  command = [sys.executable, '-m', 'launchers.growing_batch']
  command += [f'--{name}={value}' for name, value in options.items()]
  return common.run_command(command)


def _run_acme(
  actor_steps: int, learner_steps: int, directory: Path
) -> dict[str, Any]:
  from benchmarks import acme_program

  home = directory / 'acme'
  home.mkdir()
  return acme_program.run(actor_steps, learner_steps, home)


if __name__ == '__main__':
  main()
