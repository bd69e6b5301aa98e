"""The door of every command: its words become its configuration, or a refusal.

Options that there are not are answered with the closest ones, help keeps to the
terminal's width, and a file system's error names the option of its path.
"""

from collections.abc import Iterator, Sequence
import contextlib
import dataclasses
import errno
import io
import os
from pathlib import Path
import re
import shutil
import sys
import textwrap
from typing import (
  Annotated,
  Any,
  Optional,
  TextIO,
  TypeVar,
  get_origin,
)

import tyro

from agents import registry
from datasets import closest
from launchers.hosts import process, temporaries

_Config = TypeVar('_Config')

_paths: dict[Path, str] = {}
"""What this process was given to read and write, and the option of each."""

_AGENT = 'agent'  # The option of a command whose own are an agent's.

_BARE = {
  errno.EACCES: 'this user may not read or write {path}',
  errno.EEXIST: '{file} is a file where a directory is needed',
  errno.EISDIR: '{path} is a directory where a file is needed',
  errno.ENOENT: '{path} does not exist',
  errno.ENOTDIR: '{file} is a file where a directory is needed',
}


def parse(
  kind: type[_Config],
  module: str,
  words: Optional[Sequence[str]] = None,
  default: Optional[_Config] = None,
) -> _Config:
  """The configuration that the words of a command say.

  Args:
    kind: its class.
    module: the command, as `python -m` takes it.
    words: after the command; None: those of this process.
    default: where the words say nothing; None: the class's own.

  Raises:
    ValueError: an option that there is not, or a value that none can have.
    SystemExit: help is printed; or what is missing, or cannot be read.
  """
  words = sys.argv[1:] if words is None else words
  program = process.program(module)
  defaults: dict[str, Any] = {} if default is None else {'default': default}
  known = _names(default or kind)
  page, refusal = _Page(sys.stdout), _Page(sys.stderr)
  try:
    with (
      contextlib.redirect_stdout(page),
      contextlib.redirect_stderr(refusal),
    ):
      config = tyro.cli(kind, prog=program, args=words, **defaults)
  except ValueError as error:
    raise ValueError(_by_option(str(error), known)) from error
  except SystemExit as end:
    if end.code:
      _check_names(words, known, program)
      _check_values(refusal.getvalue(), known)
    is_help = not {'-h', '--help'}.isdisjoint(words)
    print(_narrowed(page) if is_help else page.getvalue(), end='')
    print(refusal.getvalue(), end='', file=sys.stderr)
    raise
  _paths.clear()
  for name, value in _leaves(config):
    for path in value if isinstance(value, tuple) else (value,):
      if isinstance(path, (str, Path)) and str(path):
        _paths[Path(path).absolute()] = name
  return config


def describe(error: BaseException) -> str:
  """The text of an error; of the file system, with the option and the remedy.

  What somebody has put in words already gets no other remedy.
  """
  text = temporaries.describe(error)
  if not isinstance(error, OSError) or not isinstance(error.filename, str):
    return text
  path = Path(error.filename)
  absolute = path.absolute()
  places = (p for p in (absolute, *absolute.parents) if p in _paths)
  option = _paths.get(next(places, absolute), '')
  if error.errno is not None and error.strerror == os.strerror(error.errno):
    lineage = (path, *path.parents)
    file = next((place for place in lineage if place.is_file()), path)
    what = _BARE.get(error.errno, f'{{path}}: {error.strerror}')
    text = what.format(path=path, file=file) + '.'
    return f'{text} Name another path with {option}.' if option else text
  text = f'{path}: {error.strerror}.'
  return f'{text} It comes from {option}.' if option else text


class _Page(io.StringIO):
  """Holds what was to be printed, in the colours and signs of the terminal."""

  def __init__(self, terminal: TextIO):
    super().__init__()
    self._terminal = terminal

  @property
  def encoding(self) -> str:  # type: ignore[override]  # Of a text in memory.
    return self._terminal.encoding

  def isatty(self) -> bool:
    return self._terminal.isatty()


def _names(config: Any) -> list[str]:
  """The options of a configuration or its class, without the first dashes."""
  names = ['help']
  for name, value in _leaves(config, ''):
    head, dot, tail = name.rpartition('.')
    names += [name, f'{head}{dot}no-{tail}'][: 1 + isinstance(value, bool)]
  return names


def _check_names(words: Sequence[str], known: list[str], program: str) -> None:
  """Refuses an option that there is not.

  Raises:
    ValueError: with the closest ones.
  """
  for word in words:
    match = re.match('--?([a-z][^=]+)', word)
    name = match[1].replace('_', '-') if match else ''
    if name and name not in known:
      hint = closest.hint(name, known, '.')
      hint = re.sub(r'(?<= )([^ ]+)(?=[,?])', r'--\1', hint)
      hint = _of_other_agents(name) or hint
      raise ValueError(
        f'There is no option {word.partition("=")[0]}.{hint} {program} --help '
        'lists them.'
      )


def _of_other_agents(name: str) -> str:
  """A sentence on the agents that have an option; '' where none has."""
  group, _, option = name.rpartition('.')
  kinds = registry.having(option.replace('-', '_')) if group == _AGENT else []
  if not kinds:
    return ''
  return f' Agents that have it: {", ".join(kinds)}; --{_AGENT}.kind names one.'


def _check_values(refusal: str, known: list[str]) -> None:
  """Refuses what a configuration refused, by the option and not the class.

  Raises:
    ValueError: what it said.
  """
  plain = re.sub('\x1b\\[[0-9;]*m', '', refusal)
  text = ' '.join(line.strip('│| ') for line in plain.splitlines())
  said = re.search(r'Error parsing (\w[\w.]*): (.*?) [─-]{3}', text)
  if said:
    raise ValueError(_by_option(said[2], known, said[1]))


def _by_option(text: str, known: list[str], place: str = '') -> str:
  """What a configuration said of a field of its own, said of the option."""
  field, _, rest = text.partition(' ')
  name = field.replace('_', '-')
  both = f'{place.rpartition(".")[2]}.{name}'  # As in objective.weight.
  option = next((f'--{n}' for n in (both, name) if n in known), field)
  return f'{option} {rest}'


def _narrowed(page: _Page) -> str:
  """Help that no terminal breaks in the middle of a word."""
  width = shutil.get_terminal_size().columns
  lines = []
  for line in page.getvalue().splitlines():
    plain = re.sub('\x1b\\[[0-9;]*m', '', line)
    is_text = len(plain) > width and plain[:1].isalnum()
    lines += textwrap.wrap(plain, width) if is_text else [line]
  return '\n'.join(lines) + '\n'


def _leaves(config: Any, prefix: str = '--') -> Iterator[tuple[str, Any]]:
  """The options of a configuration, by name; '' is one that has none."""
  for field in dataclasses.fields(config):
    make = field.default_factory  # A class has its other defaults alone.
    default = make() if callable(make) else None
    value = getattr(config, field.name, default)
    # Those are in place of a name, or have the names of their parts alone.
    is_named = get_origin(field.type) is not Annotated
    name = f'{prefix}{field.name.replace("_", "-")}'
    if dataclasses.is_dataclass(value):
      yield from _leaves(value, f'{name}.' if is_named else prefix)
    else:
      yield name if is_named else '', value
