"""A worker needs the packages of requirements-worker.txt, and no others."""

from importlib import metadata
import subprocess
import sys

from packaging.requirements import Requirement

from tests.test_packages import normalized, pins, providers
from tests.tree import FOLDERS, ROOT

PROGRAM = """
import sys
others = set(sys.argv[1].split(','))

class Others:
  def find_spec(self, name, path=None, target=None):
    if path is None and name in others:
      raise ModuleNotFoundError(f'{name} is on no worker', name=name)

sys.meta_path.insert(0, Others())
import launchers.join, launchers.status
import launchers.workers.process
from launchers.acting import places, worker
from launchers.workers import core
print(places.describe('cartpole-swingup').task.name)
"""


def distributions() -> set[str]:
  """The packages that are installed on a worker."""
  found: set[str] = set()
  waiting = set(pins('requirements-worker.txt'))
  while waiting:
    name = waiting.pop()
    found.add(name)
    for text in metadata.requires(name) or ():
      need = Requirement(text)
      if need.marker is None or need.marker.evaluate({'extra': ''}):
        waiting |= {normalized(need.name)} - found
  return found


def test_what_it_imports_is_installed() -> None:
  wanted = distributions()
  others = {module for module, by in providers().items() if not by & wanted}
  others -= {*FOLDERS, *sys.stdlib_module_names}
  assert {'tensorflow', 'pandas', 'pint'} <= others
  result = subprocess.run(
    [sys.executable, '-c', PROGRAM, ','.join(others)],
    cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
  )  # fmt: skip
  assert result.returncode == 0, result.stderr
  assert result.stdout.strip() == 'cartpole-swingup'
