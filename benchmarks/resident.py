"""The memory that a process holds, as the kernel counts it."""

import pathlib
from typing import Union


def resident(process: Union[int, str] = 'self') -> int:
  """Bytes that are resident now, of a process of the given id."""
  return _status(process, 'VmRSS')


def peak(process: Union[int, str] = 'self') -> int:
  """The most bytes that ever were resident.

  `ru_maxrss` would count the parent's memory, too, which a process has until
  it executes its own program.
  """
  return _status(process, 'VmHWM')


def _status(process: Union[int, str], field: str) -> int:
  path = pathlib.Path('/proc') / str(process) / 'status'
  for line in path.read_text().splitlines():
    name, _, value = line.partition(':')
    if name == field:
      return 1024 * int(value.split()[0])
  raise OSError(f'{path} has no {field}: the process is a zombie.')
