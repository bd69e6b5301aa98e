"""The house rules that a machine can check, on the files as they stand."""

import ast
import importlib.util
from pathlib import Path
import re
import subprocess
import sys

import pytest

from tests.rooms import MAY_IMPORT
from tests.tree import FOLDERS, ROOT, is_ours, python_files, tracked_files

MAX_LINES = 300  # A hard limit; the soft one is 250.


def test_no_file_is_too_long():
  long = {
    str(path.relative_to(ROOT)): count
    for path in python_files(*FOLDERS)
    if (count := len(path.read_text(encoding='utf-8').splitlines())) > MAX_LINES
  }
  assert not long, f'Split them (soft limit 250 lines): {long}'


def test_every_package_says_what_it_is():
  for room in MAY_IMPORT:
    path = ROOT / room.replace('.', '/') / '__init__.py'
    tree = ast.parse(path.read_text(encoding='utf-8'))
    assert ast.get_docstring(tree), f'{room}/__init__.py has no docstring'


@pytest.mark.parametrize(
  'pattern',
  [
    r'/(work|root|home)/\w',  # Somebody's directories.
    r'file://|/opt/(pypi|wheels)',
    r'--(extra-)?index-url\b(?! )|--find-links\b(?! )',
    r'https?://[\w.:@-]*(pypi|artifactory|nexus|registry|mirror)[\w.-]*[/:]',
    r'BEGIN [A-Z ]*PRIVATE KEY|password\s*=\s*[\'"]',
  ],
)
def test_no_file_holds_a_trace_of_a_machine(pattern):
  expression = re.compile(pattern)
  found = []
  for path in tracked_files():
    if path == Path(__file__).resolve() or path.suffix in ('.npz', '.png'):
      continue
    lines = path.read_text(encoding='utf-8').splitlines()
    found += [
      f'{path.relative_to(ROOT)}:{number}: {line.strip()}'
      for number, line in enumerate(lines, 1)
      if expression.search(line)
    ]
  assert not found, '\n'.join(found)


def readme_commands() -> list[str]:
  """The commands of the README, from its fenced blocks and its tables."""
  text = (ROOT / 'README.md').read_text(encoding='utf-8')
  blocks = re.findall(r'```(?:sh|bash)\n(.*?)```', text, re.DOTALL)
  lines = '\n'.join(blocks).replace('\\\n', ' ').splitlines()
  spans = re.findall(r'`((?:\S*python -m|make) [^`\n]+)`', text)
  return [line.partition('#')[0].strip() for line in [*lines, *spans]]


def test_the_commands_of_the_readme_exist():
  commands = readme_commands()
  assert len(commands) > 5
  makefile = (ROOT / 'Makefile').read_text(encoding='utf-8')
  options: dict[str, set[str]] = {}
  for command in commands:
    if match := re.match(r'make (\w+)', command):
      assert re.search(rf'^{match[1]}:', makefile, re.MULTILINE), command
    if match := re.search(r'python -m ([\w.]+)(.*)', command):
      if match[1].split('.')[0] in FOLDERS:
        named = re.findall(r'(--[a-z][\w.-]*)', match[2])
        options.setdefault(match[1], set()).update(named)
      else:
        assert importlib.util.find_spec(match[1].split('.')[0]), command
  for module, used in options.items():
    assert is_ours(module), f'python -m {module}'
    if module.startswith('launchers.'):
      known = help_of(module)
      unknown = {o for o in used if o.replace('_', '-') not in known}
      assert not unknown, f'{module} has no {sorted(unknown)}'


def help_of(module: str) -> str:
  result = subprocess.run(
    [sys.executable, '-m', module, '--help'],
    cwd=ROOT, capture_output=True, text=True, timeout=60,
  )  # fmt: skip
  assert result.returncode == 0, result.stderr
  return result.stdout.replace('_', '-')
