"""Names of runs that tell apart all that is not the same."""

from collections.abc import Mapping
import hashlib
import json
from typing import Any

from launchers.environments import names

Options = Mapping[str, Any]

_LONGEST_TASK = 40  # Characters, of the 100 that a run's name may have.


def short(task: str) -> str:
  """A task in a run's name, whose digest tells long ones apart."""
  return names.slug(task)[:_LONGEST_TASK].strip('-.')


def digest(tree: Options, plain: Options) -> str:
  """Of what differs from the defaults.

  An option that is new, and whose default is what was done before, leaves the
  names of finished runs alone.

  Args:
    tree: options, of JSON's types.
    plain: those that are the defaults.
  """
  text = json.dumps(_changes(plain, tree), sort_keys=True).encode()
  return hashlib.sha256(text).hexdigest()[:8]


def _changes(plain: Options, tree: Options) -> dict[str, Any]:
  """The leaves of `tree` that are not those of `plain`."""
  found: dict[str, Any] = {}
  for key, value in tree.items():
    default = plain.get(key)
    if isinstance(value, dict) and isinstance(default, Mapping):
      value = _changes(default, value) or default
    if value != default:
      found[key] = value
  return found
