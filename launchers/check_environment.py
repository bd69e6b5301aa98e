"""Checks an environment: python -m launchers.check_environment --task T.

It says what would go wrong. Its last line is JSON. Exit codes: 0 good, 1
something would break a run, 2 the environment is refused.
"""

import dataclasses
import json
import multiprocessing
from multiprocessing import connection
import signal
import sys
from typing import Any, Optional, Union

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from datasets import bounds
from launchers import command_line
from launchers.environments import contract
from launchers.environments.contract import Finding
from launchers.environments.names import canonical
from launchers.environments.trial import Trial
from launchers.hosts import process

_REFUSED = 2  # An exit code.
# Of an episode's seconds; there are eight, and an environment may start slowly.
_PATIENCE, _START = 10.0, 60.0


@dataclasses.dataclass(frozen=True)
class CheckConfig:
  """Acts some episodes of an environment at random and judges it."""

  task: str
  """What the other commands take as --task."""
  action_bound: Optional[float] = None
  """What actions go up to where the environment does not say."""
  steps: int = 200
  """Steps after which an episode is cut."""
  seconds: float = 10.0
  """Seconds after which it is cut earlier; there are eight episodes."""

  def __post_init__(self) -> None:
    """Refuses values that nothing could honour."""
    bounds.check(
      self, action_bound=(bounds.ABOVE_0, 1e9), steps=(1, 10_000_000),
      seconds=(bounds.ABOVE_0, 1e9),
    )  # fmt: skip


def check(config: CheckConfig) -> list[Finding]:
  """What the checks find, in a process that the environment may end.

  Raises:
    ValueError: there is no such environment, or none can learn in it.
  """
  context = multiprocessing.get_context('spawn')
  ours, theirs = context.Pipe(duplex=False)
  child = context.Process(target=_judge, args=(config, theirs))
  child.start()
  theirs.close()
  patience = _START + _PATIENCE * config.seconds
  if not ours.poll(patience):
    child.kill()
    child.join()
    return [_finding(f'It gave no answer for {patience:g} s: a step hangs.')]
  try:
    answer: Union[str, list[Finding]] = ours.recv()
  except EOFError:
    child.join()
    return [_crash(child.exitcode or 0)]
  child.join()
  if isinstance(answer, str):
    raise ValueError(answer)
  return answer


def _judge(config: CheckConfig, answers: connection.Connection) -> None:
  try:
    trial = Trial(
      config.task, config.action_bound, config.steps, config.seconds
    )
  except ValueError as error:
    answers.send(str(error))
    return
  answers.send([check(trial) for check in contract.CHECKS])


def _crash(code: int) -> Finding:
  how = f'ended with exit code {code}'
  if code < 0:
    how = f'was killed by {signal.Signals(-code).name}'
  return _finding(f'Its process {how}; its output is above.')


def _finding(detail: str) -> Finding:
  return Finding(
    'survives',
    False,
    detail,
    'Run it by itself in a debugger. A run acts such an episode again, and '
    'fails when more than --max-refused-fraction of a cycle do.',
    breaks=True,
  )


def show(findings: list[Finding], console: Console) -> None:
  """The findings as a table, and what they come to."""
  table = Table('check', '', 'what it saw', 'what to do', box=None)
  for finding in findings:
    is_judged = finding.detail != contract.UNJUDGED
    mark = '[green]good[/]' if is_judged else ''
    if not finding.ok:
      mark = '[bold red]breaks[/]' if finding.breaks else '[yellow]costs[/]'
    remedy = '' if finding.ok else finding.remedy
    table.add_row(finding.check, mark, escape(finding.detail), escape(remedy))
  console.print(table)
  bad = [finding for finding in findings if not finding.ok]
  for breaks, what in (
    (True, 'A run would fail, or learn what is not so'),
    (False, 'A run would work, at the cost that is named'),
  ):
    names = ', '.join(f.check for f in bad if f.breaks == breaks)
    if names:
      console.print(f'{what}: {names}.', soft_wrap=True, highlight=False)
  if not bad:
    console.print('Nothing that would trouble a run was found.')


def main() -> int:
  """The command; returns its exit code."""
  process.prepare_environment()
  console = Console(stderr=True, width=None if sys.stderr.isatty() else 110)
  try:
    config = command_line.parse(CheckConfig, 'launchers.check_environment')
    findings = check(config)
  except ValueError as error:
    console.print('[bold red]Refused:[/]', end=' ')
    console.print(str(error), markup=False, highlight=False, soft_wrap=True)
    return _REFUSED
  show(findings, console)
  bad = [finding for finding in findings if not finding.ok]
  result: dict[str, Any] = {
    'task': canonical(config.task),
    'findings': [finding._asdict() for finding in bad],
  }
  print(json.dumps(result))
  return int(any(finding.breaks for finding in bad))


if __name__ == '__main__':
  sys.exit(main())
