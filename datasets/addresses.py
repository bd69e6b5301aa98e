"""Addresses of someone's own Python: module:factory?name=value&...

The arguments are quoted as in a URL; each is a Python literal, or else text.
"""

import ast
from collections.abc import Callable, Mapping
import difflib
import importlib
import inspect
from typing import Any
import urllib.parse


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
    close = difflib.get_close_matches(function, dir(module))
    hint = f' Did you mean {", ".join(close)}?' if close else ''
    raise ValueError(
      f'No factory {path!r}: {name} has no function {function!r}.{hint}'
    )
  return found


def check_arguments(
  path: str, factory: Callable[..., Any], arguments: Mapping[str, Any]
) -> None:
  """Refuses arguments that a factory does not take.

  Raises:
    ValueError: says which, and what it takes.
  """
  signature = inspect.signature(factory)
  try:
    signature.bind(**arguments)
  except TypeError as error:
    raise ValueError(
      f'{path} takes {signature}: {error}. Write its arguments as '
      f'{path}?name=value&name=value.'
    ) from error


def _value(text: str) -> Any:
  """A Python literal, or the text itself."""
  try:
    return ast.literal_eval(text)
  except (ValueError, SyntaxError):
    return text
