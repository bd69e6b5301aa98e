"""Addresses of someone's own Python: module:factory?name=value&...

The arguments are quoted as in a URL; each is a Python literal, or else text.
"""

import ast
from collections.abc import Callable
import importlib
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
  return path, {name: _value(text) for name, text in pairs}


def find(path: str) -> Callable[..., Any]:
  """The function of 'module:function'.

  Raises:
    ValueError: Python finds no such module or function.
  """
  module, _, function = path.partition(':')
  try:
    return getattr(importlib.import_module(module), function)
  except (ImportError, AttributeError, ValueError) as error:
    raise ValueError(
      f'No factory {path!r}: {error}. Give module:function of a module that '
      'Python finds (in the working directory or on PYTHONPATH).'
    ) from error


def _value(text: str) -> Any:
  """A Python literal, or the text itself."""
  try:
    return ast.literal_eval(text)
  except (ValueError, SyntaxError):
    return text
