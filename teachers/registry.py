"""From what a person writes after --teacher to a teacher.

cartpole-swingup/expert         a shipped snapshot
path/to/best.npz                a snapshot's file
untrained                       random weights
logs                            nobody who can be asked
module:factory                  Python of anyone's; factory(task) -> Teacher
module:factory?name=value&...   ... with arguments, quoted as in a URL
grpc://host:port                a service; see teachers.client
"""

from collections.abc import Callable
import re
import traceback
from typing import Optional

from datasets import addresses
from teachers import logged, snapshot, untrained
from teachers.asking import asking
from teachers.base import Kind, Task, Teacher
from teachers.checks import check_teacher
from teachers.errors import (
  TeacherFailedError,
  TeacherStoppedError,
  TeacherUnavailableError,
)

SERVICE = 'grpc://'
_KNOWN = (TeacherFailedError, TeacherStoppedError, TeacherUnavailableError)

OnTrouble = Callable[[Optional[str]], None]
"""Told what is wrong with a service, at each try; None: it is well again."""


def is_service(address: str) -> bool:
  """Whether a teacher answers from another process."""
  return address.startswith(SERVICE)


def check_form(address: str) -> None:
  """Refuses what looks like a service and is written as none.

  Raises:
    ValueError: says how services are written.
  """
  match = re.fullmatch(r'(?:\w+:/+|grpcs?:)?([^/?]+:\d+)/?', address)
  if is_service(address):
    is_other = not (match and address == f'{SERVICE}{match[1]}')
  else:
    is_other = bool(match or re.match(r'\w+:/', address))
  if is_other:
    form = f'{SERVICE}{match[1]}' if match else f'{SERVICE}127.0.0.1:50051'
    raise ValueError(
      f'{address!r} is no address of a teacher: a service is written '
      f'{SERVICE}HOST:PORT, as in {form}.'
    )


def is_python(address: str) -> bool:
  """Whether a teacher is made by someone's own function."""
  return not is_service(address) and ':' in address


def load(
  address: str,
  task: Task,
  *kinds: Kind,
  on_trouble: Optional[OnTrouble] = None,
  is_stopping: Optional[Callable[[], bool]] = None,
) -> Teacher:
  """The teacher of an address, which fits the task.

  Args:
    address: see the module.
    task: what it is to teach.
    *kinds: the advice that it must give.
    on_trouble: of services at any depth, told at each try without an answer.
    is_stopping: whether to wait for a service no longer.

  Raises:
    FileNotFoundError: there is no such snapshot.
    ValueError: the address or what it leads to is no teacher of this task.
  """
  if not isinstance(address, str):  # It may stand in another's address.
    raise ValueError(f'{address!r} is no address of a teacher: give a text.')
  check_form(address)
  if is_service(address):
    from teachers import client  # gRPC, which most processes do without.

    teacher: Teacher = client.connect(
      [address], on_trouble=on_trouble, is_stopping=is_stopping
    )
  elif is_python(address):
    with asking(on_trouble=on_trouble, is_stopping=is_stopping):
      teacher = _call(address, task)
  elif address == untrained.NAME:
    teacher = untrained.teacher(task)
  elif address == logged.NAME:
    teacher = logged.teacher(task)
  else:
    teacher = snapshot.load(address)
  check_teacher(teacher, task, *kinds)
  says_all = teacher.task is not None and teacher.task.fields
  if task.name and not says_all and not is_service(address):
    # Older files name their task alone, and a factory was told what to teach;
    # but a service that does not say may be anyone's.
    teacher.task = task
  return teacher


def _call(address: str, task: Task) -> Teacher:
  path, arguments = addresses.split(address)
  factory = addresses.find(path)
  addresses.check_arguments(path, factory, arguments, task)
  try:
    teacher = factory(task, **arguments)
  except (OSError, ValueError, *_KNOWN):
    raise
  except Exception as error:  # It runs anyone's factory.
    at = traceback.extract_tb(error.__traceback__)[-1]
    raise ValueError(
      f'{path} made no teacher: {error!r}, in {at.filename}, line {at.lineno}.'
    ) from error
  if not isinstance(teacher, Teacher):
    raise ValueError(
      f'{path} returned {type(teacher).__name__}, which is no '
      'teachers.base.Teacher: derive it from that class.'
    )
  return teacher
