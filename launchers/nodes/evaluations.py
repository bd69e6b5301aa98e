"""What is to be evaluated, and what came of it."""

from collections.abc import Collection, Sequence
import math
from pathlib import Path
from typing import Any, Optional

from launchers.acting.outcomes import summary
from launchers.nodes.evaluation_budget import Budget
from launchers.runs.config import GrowingBatchConfig
from launchers.runs.run_directory import EvaluationKey, RunDirectory
from launchers.runs.tables import Cell, Events, Table

COLUMNS = (
  'cycle', 'step', 'kind', 'episodes',
  'return_mean', 'return_std', 'return_min', 'return_max',
)  # fmt: skip
EVALUATED, SKIPPED = 'evaluation.csv', 'skipped_evaluations.csv'
SKIPPED_COLUMNS = ('cycle', 'step')
FAILURE_COLUMNS = ('cycle', 'step', 'kind', 'number', 'reason')
# More policies side by side gain nothing: they no longer share the caches.
_AT_ONCE = 8
# A policy of the paper's size has 0.6 MB, in memory and on the disk.
_MOST_WAITING = 256


def _order(key: EvaluationKey) -> tuple[bool, int, int, bool]:
  """The teacher's first, then by number; a cycle's final one is its last."""
  kind, cycle, step = key
  return kind != 'teacher', cycle, step, kind == 'final'


def _rows(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
  return Table(path, columns, ('step',)).rows if path.exists() else []


class Evaluations:
  """A queue of policies whose returns are wanted, and the record of returns.

  The conductor calls it, under its lock.
  """

  def __init__(self, config: GrowingBatchConfig, directory: RunDirectory):
    self._config = config
    self._directory = directory
    self._events = Events(directory.events, 'evaluation')
    self._pending = directory.pending()
    self._results: dict[EvaluationKey, list[float]] = {}
    self._failures: dict[EvaluationKey, list[str]] = {}
    self._skipped: dict[int, set[int]] = {}
    self._budget = Budget()
    self._holders: dict[EvaluationKey, str] = {}
    self._evaluators: set[str] = set()

  def __len__(self) -> int:
    """How many are not recorded yet."""
    return len(self._pending)

  def ask(self, key: EvaluationKey, policy: bytes) -> None:
    """Has a policy evaluated, unless it was; empty bytes: the demonstrator.

    What is asked is durable: a learner's checkpoint after it may rely on that.
    Where the evaluator does not keep up, or would take too much of the
    learner's time, some of those during learning are skipped, and counted;
    never a cycle's final one.
    """
    if not self._episodes(key) or key in self._results:
      return
    if key[0] == 'interval' and key not in self._pending:
      waiting = sum(kind == 'interval' for kind, _, _ in self._pending)
      if waiting >= _MOST_WAITING or not self._budget.grant(key):
        self._skip(key)
        return
    self._directory.keep_pending(key, policy)
    self._pending[key] = policy

  def order(
    self, evaluator: str, living: Collection[str], has_teacher: bool
  ) -> Optional[dict[str, Any]]:
    """The next ones to evaluate, oldest first: those that one pass can take.

    Args:
      evaluator: who asks; what it holds it is given again, for it has lost it.
      living: all workers that do; what others held is free.
      has_teacher: whether it can evaluate the demonstrator.
    """
    self._evaluators = {e for e in self._evaluators if e in living}
    self._evaluators.add(evaluator)
    others = self._evaluators - {evaluator}
    free = [
      key
      for key in sorted(self._pending, key=_order)
      if self._holders.get(key) not in others
      and (has_teacher or key[0] != 'teacher')
    ]
    share = min(_AT_ONCE, math.ceil(len(free) / len(self._evaluators)))
    self._holders.update(dict.fromkeys(free[:share], evaluator))
    evaluations = [
      {
        'key': key,
        'policy': self._pending[key],
        'episodes': self._episodes(key),
      }
      for key in free[:share]
    ]
    return {'evaluations': evaluations} if evaluations else None

  def record(
    self,
    key: EvaluationKey,
    returns: list[float],
    failures: Sequence[str] = (),
    core_seconds: float = 0.0,
  ) -> None:
    """Writes down the returns of one; a second time changes nothing.

    Args:
      key: which one.
      returns: of the episodes that went well.
      failures: why the others failed.
      core_seconds: that it took.
    """
    kind, cycle, step = key
    self._budget.spend(key, core_seconds)
    if self._pending.pop(key, None) is None:
      return
    self._holders.pop(key, None)
    self._results[key] = returns
    self._failures[key] = list(failures)
    self._write_failures(key)
    result = summary(returns)
    if kind == 'teacher':
      name, version = self._directory.teacher_identity('demonstrator')
      record = {'name': name, 'version': version, **result}
      self._directory.write_json(self._directory.teacher_result, record)
    elif returns:
      if kind == 'interval':
        self._skipped_in(cycle).discard(step)
      path = self._directory.cycle(cycle) / EVALUATED
      table = Table(path, COLUMNS, ('step', 'kind'))
      table.add({'cycle': cycle, 'step': step, 'kind': kind, **result})
      table.sync()  # The order is dropped now: nobody would ask again.
      name = f'evaluation/{kind}_return'
      self._events.scalars(step, {name: result['return_mean']})
    self._directory.drop_pending(key)

  def returns(self, key: EvaluationKey) -> list[float]:
    """The returns of one, if it was recorded since the program started."""
    return self._results.get(key, [])

  def failures(self, key: EvaluationKey) -> int:
    """How many episodes of one failed, since the program started."""
    return len(self._failures.get(key, ()))

  def skipped(self, cycle: int) -> int:
    """How many of a cycle were skipped and never done, over all starts."""
    return len(self._skipped_in(cycle))

  def close(self) -> None:
    """Writes the last events."""
    self._events.close()

  def _skip(self, key: EvaluationKey) -> None:
    _, cycle, step = key
    self._skipped_in(cycle).add(step)
    path = self._directory.cycle(cycle) / SKIPPED
    path.parent.mkdir(parents=True, exist_ok=True)
    table = Table(path, SKIPPED_COLUMNS, SKIPPED_COLUMNS)
    table.add({'cycle': cycle, 'step': step})

  def _skipped_in(self, cycle: int) -> set[int]:
    if cycle not in self._skipped:
      directory = self._directory.cycle(cycle)
      skipped = _rows(directory / SKIPPED, SKIPPED_COLUMNS)
      done = _rows(directory / EVALUATED, COLUMNS)
      self._skipped[cycle] = {int(row['step']) for row in skipped} - {
        int(row['step']) for row in done if row['kind'] == 'interval'
      }
    return self._skipped[cycle]

  def _write_failures(self, key: EvaluationKey) -> None:
    kind, cycle, step = key
    if not self._failures[key]:
      return
    path = self._directory.cycle(cycle) / 'failed_evaluations.csv'
    path.parent.mkdir(parents=True, exist_ok=True)
    table = Table(path, FAILURE_COLUMNS, FAILURE_COLUMNS[:-1])
    row: dict[str, Cell] = {'cycle': cycle, 'step': step, 'kind': kind}
    for number, reason in enumerate(self._failures[key]):
      print(f'An episode of {kind} {cycle}/{step} failed: {reason}', flush=True)
      table.add({**row, 'number': number, 'reason': reason})

  def _episodes(self, key: EvaluationKey) -> int:
    return self._config.evaluation.episodes_of(key[0])
