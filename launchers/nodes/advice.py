"""The teachers of a run: who demonstrates and who advises.

They are settled when the run starts and written to its directory: a snapshot
as a copy, any other by name and version. A teacher that changes afterwards is
refused, for its advice is stored beside that of the old one.
"""

from collections.abc import Callable, Mapping, Sequence
import shlex
from typing import Any, Literal, NamedTuple, Optional

import numpy as np
from rich.console import Console

from datasets import files
from launchers.acting import places
from launchers.hosts.heartbeat import Heart
from launchers.hosts.process import WaitForStop
from launchers.runs.config import GrowingBatchConfig
from launchers.runs.run_directory import RunDirectory
from teachers import registry, snapshot, untrained
from teachers.asking import asking
from teachers.base import Kind, Task, Teacher
from teachers.checks import check_teacher
from teachers.errors import WrongTeacherError
from teachers.snapshot import SnapshotTeacher

Role = Literal['demonstrator', 'advisor']
Notify = Callable[[Optional[str]], None]
"""Told of a teacher's trouble, for a person to read; None: it is over."""

_PATIENCE = 10.0  # Seconds to wait for a service before a run's first start.


class Found(NamedTuple):
  """A teacher, checked.

  Attributes:
    teacher: itself.
    reaches: the services, as host:port, that it asks.
  """

  teacher: Teacher
  reaches: frozenset[str]


def write(
  found: Mapping[Role, Found], directory: RunDirectory, task: Task
) -> None:
  """Writes teachers to the run's directory."""
  for role, (teacher, reaches) in found.items():
    if isinstance(teacher, SnapshotTeacher):
      data = teacher.snapshot.to_bytes()
      files.write_bytes(directory.teacher_file(role), data)
    directory.write_json(
      directory.teacher_record(role),
      {
        'name': teacher.name,
        'version': teacher.version,
        'gives': sorted(teacher.gives),
        'task': task.to_json(),
        'reaches': sorted(reaches),
      },
    )


def find(
  config: GrowingBatchConfig,
  directory: RunDirectory,
  task: Task,
  console: Console,
) -> dict[Role, Found]:
  """The teachers that the run has not settled on yet, all of them checked.

  Raises:
    FileNotFoundError: there is no such snapshot.
    ValueError: a teacher is for another task, does not give what the objective
      needs, or is not the one that the run began with.
    OSError: a service does not answer.
  """
  if config.demonstrator == untrained.NAME:
    name = shlex.quote(config.task)
    console.print(
      f'[bold yellow]An untrained policy demonstrates {config.task}.[/] Train '
      f'a teacher with `python -m launchers.online --task {name}` and '
      'name it with --teacher.',
      soft_wrap=True,
    )
  wanted: list[tuple[Role, Optional[Kind]]] = [
    ('demonstrator', 'actions' if config.has_simulator else None)
  ]
  if config.objective.uses_teacher_actions:
    wanted.append(('advisor', 'actions'))
  if config.objective.uses_teacher_gradients:
    wanted.append(('advisor', 'action_gradients'))
  found: dict[Role, Found] = {}
  for role, kind in wanted:
    new = _new(config, directory, role, task, kind)
    if new is not None:
      found[role] = new
  return found


def reached(
  config: GrowingBatchConfig, directory: RunDirectory
) -> frozenset[str]:
  """The services, as host:port, that the run's teachers ask, at any depth.

  Asked before the run enters its network namespace. Of a teacher in Python only
  itself can tell: it is loaded, unless the run has it on record.

  Raises:
    ValueError: a teacher is none of the task.
    OSError, TeacherUnavailableError: a service does not answer.
  """
  roles: list[Role] = ['demonstrator']
  if config.uses_advice:
    roles.append('advisor')
  found: frozenset[str] = frozenset()
  for role in roles:
    address = getattr(config, role)
    if registry.is_service(address):
      found |= {address.removeprefix(registry.SERVICE)}
    if not registry.is_python(address):
      continue
    record = directory.read_json(directory.teacher_record(role)) or {}
    if 'reaches' not in record:
      task = places.describe(config.task, config.action_bound).task
      with asking(patience=_PATIENCE) as met:
        teacher = registry.load(address, task)
      record = {'reaches': met | teacher.reaches}
    found |= set(record['reaches'])
  return found


def load(
  config: GrowingBatchConfig,
  directory: RunDirectory,
  role: Role,
  services: Sequence[str] = (),
  notify: Optional[Notify] = None,
  wait_for_stop: WaitForStop = lambda _: False,
) -> Teacher:
  """A teacher of the run, as this process asks it.

  Args:
    config: of the run.
    directory: of the run.
    role: which one.
    services: host:port of the run's own teacher nodes.
    notify: is told while a service stays away.
    wait_for_stop: whether the program stops; a service is no longer waited for.

  Raises:
    WrongTeacherError: it is not the one that the run began with.
  """
  address: str = getattr(config, role)
  path = directory.teacher_file(role)

  addresses = [address] if registry.is_service(address) else []
  if services and address == config.advisor:
    addresses = [f'{registry.SERVICE}{service}' for service in services]
  if addresses and not (role == 'demonstrator' and path.exists()):
    from teachers import client

    teacher: Teacher = client.connect(
      addresses, on_trouble=notify, is_stopping=lambda: wait_for_stop(0)
    )
  elif path.exists():
    teacher = snapshot.read(address, path)
  else:
    record = directory.read_json(directory.teacher_record(role)) or {}
    teacher = _in_process(address, _task_in(record), notify, wait_for_stop)
  _check_version(directory, role, teacher)
  return teacher


def _in_process(
  address: str,
  task: Task,
  notify: Optional[Notify],
  wait_for_stop: WaitForStop,
) -> Teacher:
  """Somebody's Python; a node that waits for it is not taken for hung."""

  def load_it() -> Teacher:
    # It may ask services, which are waited for as any other is.
    return registry.load(
      address, task, on_trouble=notify, is_stopping=lambda: wait_for_stop(0)
    )

  if not isinstance(wait_for_stop, Heart):
    return load_it()
  with wait_for_stop.waiting():
    teacher = load_it()
  return _Awaited(teacher, wait_for_stop)


class _Awaited(Teacher):
  """A teacher that may take any time."""

  def __init__(self, teacher: Teacher, heart: Heart):
    super().__init__(
      teacher.name,
      teacher.version,
      teacher.observation_size,
      teacher.action_size,
      teacher.task,
    )
    self._teacher = teacher
    self._heart = heart

  @property
  def gives(self) -> frozenset[Kind]:
    """See `Teacher.gives`."""
    return self._teacher.gives

  def actions(self, observations: np.ndarray) -> np.ndarray:
    """See `Teacher.actions`."""
    with self._heart.waiting():
      return self._teacher.actions(observations)

  def action_gradients(
    self, observations: np.ndarray, actions: np.ndarray
  ) -> np.ndarray:
    """See `Teacher.action_gradients`."""
    with self._heart.waiting():
      return self._teacher.action_gradients(observations, actions)


def _new(
  config: GrowingBatchConfig,
  directory: RunDirectory,
  role: Role,
  task: Task,
  kind: Optional[Kind],
) -> Optional[Found]:
  """A teacher that is to be written down; None: it was, and still is that."""
  record = directory.read_json(directory.teacher_record(role))
  if record is not None and (
    directory.teacher_file(role).exists()
    or registry.is_service(getattr(config, role))
    or record.get('reaches')
  ):
    return None  # Whoever asks a service waits for it and checks its version.
  with asking(patience=_PATIENCE) as met:
    teacher = registry.load(getattr(config, role), task)
  check_teacher(teacher, task, *([kind] if kind else []))
  if record is not None:
    _check_version(directory, role, teacher)
    return None
  return Found(teacher, frozenset(met) | teacher.reaches)


def _task_in(record: dict[str, Any]) -> Task:
  """The task of a record; older ones have a list of its name and sizes."""
  tree = record['task']
  return Task(*tree) if isinstance(tree, list) else Task.from_json(tree)


def _check_version(
  directory: RunDirectory, role: Role, teacher: Teacher
) -> None:
  name, version = directory.teacher_identity(role)
  if teacher.version != version:
    raise WrongTeacherError(
      f'The {role} {teacher.name} is of version {teacher.version}; this run '
      f'began with {name} of version {version}. Bring that one back, or start '
      'another run with another --name.'
    )
