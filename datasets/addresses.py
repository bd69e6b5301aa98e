"""Addresses of someone's own Python: module:factory?name=value&...

The arguments are quoted as in a URL; each is a Python literal, or else text.
"""

import ast
from collections.abc import Callable, Mapping
import importlib
import inspect
from typing import Any
import urllib.parse

from datasets import closest


def split(address: str) -> tuple[str, dict[str, Any]]:
  """What stands before the '?', and the arguments after it.

  Raises:
    ValueError: the arguments are not written as name=value&name=value.
  """
  path, _, query = address.partition('?')
  try:
    pairs = urllib.parse.parse_qsl(
      query, keep_blank_values=True, strict_parsing=bool(query)
    )
  except ValueError as error:
    raise ValueError(
      f'{query!r} in {address!r}: {error}. Write ?name=value&name=value.'
    ) from error
  names = [name for name, _ in pairs]
  if len({*names}) < len(names):
    raise ValueError(f'{query!r} in {address!r} gives a name twice.')
  return path, {name: _value(text) for name, text in pairs}


def find(path: str) -> Callable[..., Any]:
  """The function of 'module:function'.

  Raises:
    ValueError: Python finds no such module or function, or the module cannot
      be imported; says which, and the closest names.
  """
  name, _, function = path.partition(':')
  pieces = name.split('.')
  if not all(piece.isidentifier() for piece in pieces):
    raise ValueError(f'{path!r} is no module:function: {name!r} is no module.')
  try:
    module = importlib.import_module(name)
  except Exception as error:  # It runs anyone's module.
    missing = getattr(error, 'name', None)
    parents = ['.'.join(pieces[: i + 1]) for i in range(len(pieces))]
    if isinstance(error, ModuleNotFoundError) and missing in parents:
      raise ValueError(
        f'No factory {path!r}: {error}. Give module:function of a module that '
        'Python finds (in the working directory or on PYTHONPATH).'
      ) from error
    raise ValueError(
      f'{name} was found, but importing it failed: '
      f'{type(error).__name__}: {error}'
    ) from error
  found = getattr(module, function, None)
  if not callable(found):
    hint = closest.hint(function, dir(module))
    raise ValueError(
      f'No factory {path!r}: {name} has no function {function!r}.{hint}'
    )
  return found


def check_arguments(
  path: str,
  factory: Callable[..., Any],
  arguments: Mapping[str, Any],
  *first: Any,
) -> None:
  """Refuses arguments that a factory does not take.

  Args:
    path: of the factory, as it was written.
    factory: what will be called.
    arguments: by name, as they were written.
    *first: what it is given before them.

  Raises:
    ValueError: says which, the closest names, and what it takes.
  """
  signature = inspect.signature(factory)
  try:
    signature.bind(*first, **arguments)
  except TypeError as error:
    names = list(signature.parameters)[len(first) :]
    unknown = [name for name in arguments if name not in names]
    why = f'it takes no argument {unknown[0]!r}' if unknown else str(error)
    hint = closest.hint(unknown[0], names) if unknown else ''
    takes = ', '.join(names) or 'none'
    raise ValueError(
      f'{path}: {why}.{hint} Its arguments, written as '
      f'{path}?name=value&name=value, are: {takes}.'
    ) from error


def _value(text: str) -> Any:
  """A Python literal, or the text itself."""
  try:
    return ast.literal_eval(text)
  except (ValueError, SyntaxError):
    return text
