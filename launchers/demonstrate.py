"""Records demonstrations: python -m launchers.demonstrate --teacher T.

The same command again records what is missing, and one that wants more episodes
goes on; another one is refused the directory. Its last line is JSON.
"""

from collections.abc import Mapping
from concurrent import futures
import multiprocessing
import os
import sys
from typing import Any, Union

import numpy as np
from rich.console import Console

from datasets.store import EpisodeStore
from launchers import command_line, options
from launchers.acting.demonstrating import DemonstrateConfig, Order, Recorded
from launchers.acting.outcomes import Failure, check_failures
from launchers.display import progress_bar
from launchers.hosts import process
from launchers.runs import frozen
from teachers import registry
from teachers.base import Teacher

_ELSEWHERE = '--directory'
_POLL = 0.2  # Seconds between two looks at what the processes report.


def demonstrate(config: DemonstrateConfig, console: Console) -> dict[str, Any]:
  """Records what is missing.

  Args:
    config: of the command.
    console: shows how far it is.

  Returns:
    The summary, of JSON's types.

  Raises:
    ConfigChangedError: what is there was made with other options.
    ValueError: the options, the teacher or what is there do not fit.
    OSError: something cannot be read or written.
  """
  # MuJoCo, which --help does without.
  from launchers.acting import places

  name = options.task_of(config.teacher, config.task)
  environment = places.describe(name, config.action_bound)
  options.warn_unless_seeded(environment, console)
  teacher = registry.load(  # Ctrl-C interrupts this process by itself.
    config.teacher,
    environment.task,
    'actions',
    on_trouble=options.trouble_on(console),
  )
  order = Order(config, name, teacher.version)
  before = frozen.check(order, config.directory, _ELSEWHERE)
  known = _survey(config, teacher, console)
  if known and before is None:
    console.print(
      f'{config.directory} does not say with which options it was recorded: '
      'they are taken to be these.', style='yellow', soft_wrap=True,
    )  # fmt: skip
  frozen.freeze(order, config.directory, _ELSEWHERE)
  rate = options.Rate()
  new: dict[int, Recorded] = {}
  if len(known) < config.episodes:
    new = _record_missing(order, known, console, rate)
  seconds, per_second = rate.seconds, rate.per_second
  everything = [known.get(i) or new[i] for i in range(config.episodes)]
  returns = [recorded.episode_return for recorded in everything]
  mean, std = float(np.mean(returns)), float(np.std(returns))
  console.print(
    f'{config.directory}: {len(returns)} episodes, return '
    f'{mean:.1f} ± {std:.1f}; recorded {len(new)} {rate}',
    soft_wrap=True,
  )
  return {
    'episodes': len(everything),
    'transitions': sum(recorded.num_steps for recorded in everything),
    'recorded': len(new),
    'return_mean': mean,
    'return_std': std,
    'seconds': round(seconds, 3),
    'transitions_per_second': round(per_second, 1),
    'teacher': teacher.name,
    'version': teacher.version,
  }


def _survey(
  config: DemonstrateConfig, teacher: Teacher, console: Console
) -> dict[int, Recorded]:
  """What is there already, all of it by this version of the teacher."""
  from launchers.acting import recorder

  store = EpisodeStore(config.directory)
  for path, reason in store.quarantine():
    console.print(
      f'Set aside {path}: {reason}; it is recorded again.', soft_wrap=True
    )
  wanted = {recorder.identity(index): index for index in range(config.episodes)}
  known = {}
  for episode in store:
    recorder.check_origin(config, episode.identity)
    recorder.check_version(config, teacher, episode.policy)
    if episode.identity in wanted:
      known[wanted[episode.identity]] = recorder.summary(episode)
  return known


def _record_missing(
  order: Order,
  known: Mapping[int, Recorded],
  console: Console,
  rate: options.Rate,
) -> dict[int, Recorded]:
  from launchers.acting import recorder
  from launchers.acting.rollouts import LANES

  attempts = {i: 0 for i in range(order.config.episodes) if i not in known}
  context = multiprocessing.get_context('spawn')
  stopping, troubles = context.Event(), context.SimpleQueue()
  show = options.trouble_on(console)
  new: dict[int, Recorded] = {}
  with (
    progress_bar(console) as progress,
    futures.ProcessPoolExecutor(
      order.config.processes, context, recorder.enter, (stopping, troubles)
    ) as pool,
  ):
    bar = progress.add_task(
      f'recording {order.task}',
      completed=len(known),
      total=order.config.episodes,
      unit='episodes',
    )

    def submit(indices: list[int]) -> futures.Future[Any]:
      some = [(index, attempts[index]) for index in indices]
      return pool.submit(recorder.record, order, some)

    missing = list(attempts)
    jobs = {
      submit(missing[i : i + LANES]) for i in range(0, len(missing), LANES)
    }
    try:
      while jobs:
        done, jobs = futures.wait(jobs, _POLL, futures.FIRST_COMPLETED)
        while not troubles.empty():
          show(troubles.get())
        for job in done:
          good, bad = _sorted(job.result())
          new.update(good)
          rate.transitions += sum(r.num_steps for r in good.values())
          if bad:
            _count_failures(order.config, attempts, bad, console)
            jobs.add(submit(list(bad)))
        completed = len(known) + len(new)
        progress.update(bar, completed=completed, unit=str(rate))
    except BaseException:
      stopping.set()
      pool.shutdown(cancel_futures=True)
      raise
  return new


def _sorted(
  results: Mapping[int, Union[Recorded, Failure]],
) -> tuple[dict[int, Recorded], dict[int, Failure]]:
  good = {i: r for i, r in results.items() if isinstance(r, Recorded)}
  return good, {i: r for i, r in results.items() if isinstance(r, Failure)}


def _count_failures(
  config: DemonstrateConfig,
  attempts: dict[int, int],
  failures: Mapping[int, Failure],
  console: Console,
) -> None:
  """Notes that they need another attempt, while the options allow that."""
  for index, failure in failures.items():
    attempts[index] += 1
    text = f'Episode {index} failed: {failure.reason}'
    console.print(
      text, style='yellow', markup=False, highlight=False, soft_wrap=True
    )
    check_failures(
      sum(attempts.values()),
      config.episodes,
      config.max_refused_fraction,
      failure.reason,
    )


def main() -> int:
  """The command; returns its exit code."""
  process.prepare_environment()
  os.environ.update(process.SINGLE_THREADED)
  console = Console(stderr=True)

  def work() -> dict[str, Any]:
    config = command_line.parse(DemonstrateConfig, 'launchers.demonstrate')
    return demonstrate(config, console)

  return options.run_command(console, work, goes_on=True)


if __name__ == '__main__':
  sys.exit(main())
