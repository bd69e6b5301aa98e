"""What the records of a run directory must be, each known by its name.

They are read with these checks alone. What older versions did not write yet is
optional; what later ones may add passes.
"""

from pathlib import Path
from typing import Any

from datasets import files, records
from datasets.schema import (
  Check,
  WrongError,
  anything,
  count,
  each,
  figure,
  flag,
  number,
  optional,
  record,
  shortened,
  text,
)
from datasets.tasks import Task


def _task(tree: Any, where: str) -> None:
  try:
    Task.from_json(tree)
  except ValueError as error:
    raise WrongError(where, shortened(str(error), 200)) from error


def _named_task(tree: Any, where: str) -> None:
  """Older versions wrote a list of name and sizes."""
  if not isinstance(tree, list):
    _task(tree, where)
  elif [type(item) for item in tree] != [str, int, int]:
    raise WrongError(where, f'{shortened(tree)} is no task')


# Of runs that went wrong, or are of an older version: also NaN.
_figure = optional(figure)
_learner = record(
  {},
  steps_per_second=_figure, critic_loss=_figure, policy_loss=_figure, more=True,
)  # fmt: skip
_log = record(
  {
    'configuration': anything, 'episodes': count, 'transitions': count,
    'digest': text, 'return_mean': number, 'return_std': number,
    'return_max': number,
  }
)  # fmt: skip
_teacher = record(
  {'name': text, 'version': text, 'task': _named_task},
  gives=each(text, list), reaches=each(text, list), more=True,
)  # fmt: skip

_approval = record(
  {'approved': flag, 'by': text, 'time': text, 'candidate': text}
)
_estimates = record(
  {'quantities': each(optional(number), dict), 'notes': each(text, list)},
  more=True,
)

_CHECKS: dict[str, Check] = {
  'config.json': record(
    {'task': text},
    agent=record({}, kind=text, more=True), objective=anything,
    cloning=anything, evaluation=anything, demonstrations=anything,
    cycles=count, actor_steps=count, learner_steps=count, provenance=anything,
    history=each(anything, list), more=True,
  ),
  'task.json': record({'task': _task, 'ends_itself': flag, 'is_seeded': flag}),
  'demonstrator.json': _teacher,
  'advisor.json': _teacher,
  'teacher.json': record(
    {'episodes': count},
    name=text, version=text, return_mean=_figure,
    return_std=_figure, return_min=_figure, return_max=_figure, more=True,
  ),
  'cycle.json': record(
    {'cycle': count, 'episodes': count, 'steps': count},
    digest=text, learner=_learner, refused=count,
    acted_by=each(count, dict), learned_from=each(count, list),
    collected_return_mean=_figure, collected_return_std=_figure,
    evaluation_return_mean=_figure, evaluation_return_std=_figure,
    evaluation_episodes=optional(count), evaluation_failures=optional(count),
    evaluation_skipped=count, learner_steps=count, acted_steps=count,
    seconds=each(number, dict), policy_digest=text, held_back=text,
    provenance=anything, more=True,
  ),
  'gate.json': record(
    {
      'cycle': count, 'rule': each(text, list), 'verdict': text,
      'reason': text, 'candidate': text,
    },
    before=optional(text), acting_noise=number,
    estimates=optional(_estimates), approval=optional(_approval),
  ),
  'approval.json': _approval,
  'batch.json': record({'episodes': count, 'steps': count, 'digest': text}),
  'log.json': _log,
  'found.json': record(
    {'log': _log, 'policy_digest': text, 'provenance': anything}
  ),
  'data.json': record(
    {'episodes': count, 'transitions': count, 'digest': text}
  ),
  'study.json': record(
    {}, cpu_seconds=number, wall_seconds=number, more=True
  ),
}  # fmt: skip


_REMEDIES = dict.fromkeys(
  ('study.json', 'task.json', 'teacher.json'),
  'restore it, or remove it: it is made again',
)


def read(path: Path) -> dict[str, Any]:
  """A record of a run.

  Raises:
    FileNotFoundError: there is no such file.
    files.DamagedFileError: it is another one than its name says; says where,
      and what to do.
  """
  with files.advising(_REMEDIES.get(path.name, 'restore it')):
    return records.read(path, _CHECKS.get(path.name, anything))
