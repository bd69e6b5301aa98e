"""The lock: complete, exact, and what is installed; who may import what."""

import importlib.metadata
import re
import sys

from packaging.requirements import Requirement

from benchmarks import environments
from tests.tree import (
  FOLDERS,
  OURS,
  ROOT,
  imports,
  module_name,
  python_files,
)

PEERS = {
  f'benchmarks.offline_{environment.name}': {
    Requirement(text).name for text in environment.requirements
  }
  for environment in (environments.D3RLPY, environments.JAX)
}
"""What runs in an environment of its own, and the packages there."""


def pins(name: str) -> dict[str, str]:
  """Package → version, of a requirements file in which all are exact."""
  found = {}
  for line in (ROOT / name).read_text(encoding='utf-8').splitlines():
    requirement = line.partition('#')[0].strip()
    if requirement:
      match = re.fullmatch(r'([A-Za-z0-9._-]+)==([\w.+!]+)', requirement)
      assert match, f'{name}: {line!r} is no exact pin'
      found[normalized(match[1])] = match[2]
  return found


def normalized(name: str) -> str:
  return re.sub('[-_.]+', '-', name).lower()


def test_the_lock_holds_the_direct_needs_and_is_what_is_installed():
  lock = pins('requirements.txt')
  system, tests = pins('requirements.in'), pins('requirements-test.in')
  assert not system.keys() & tests.keys()
  assert system.items() | tests.items() <= lock.items()
  assert lock == {name: importlib.metadata.version(name) for name in lock}


def test_the_lock_is_complete():
  """Whatever a pinned package requires here is pinned too."""
  lock = pins('requirements.txt')
  missing = []
  for name in lock:
    for text in importlib.metadata.requires(name) or ():
      need = Requirement(text)
      applies = need.marker is None or need.marker.evaluate({'extra': ''})
      if applies and normalized(need.name) not in {*lock, 'pip'}:
        missing.append(f'{name} requires {text}')
  assert not missing, '\n'.join(missing)


def providers() -> dict[str, set[str]]:
  """Top-level module → the packages that bring it."""
  found: dict[str, set[str]] = {}
  for distribution in importlib.metadata.distributions():
    lines = (distribution.read_text('RECORD') or '').splitlines()
    lines += (distribution.read_text('top_level.txt') or '').splitlines()
    for top in {re.split(r'[/.,]', line, maxsplit=1)[0] for line in lines}:
      found.setdefault(top, set()).add(normalized(distribution.name))
  return found


def test_every_import_is_a_direct_need():
  brings = providers()
  system = pins('requirements.in').keys()
  everything = system | pins('requirements-test.in').keys()
  wrong = set()
  for path in python_files(*FOLDERS, 'examples'):
    room = path.relative_to(ROOT).parts[0]
    direct = system if room in (*OURS, 'examples') else everything
    elsewhere = PEERS.get(module_name(path), set())
    for module in imports(path):
      top = module.split('.')[0]
      if top in sys.stdlib_module_names or top in {*FOLDERS, *elsewhere}:
        continue
      if not brings.get(top, set()) & direct:
        wrong.add(f'{path.relative_to(ROOT)} imports {top}')
  assert not wrong, 'Not a direct need:\n' + '\n'.join(sorted(wrong))
