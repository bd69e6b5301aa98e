"""Fails when fewer tests were run than the repository holds.

The tests that it holds are counted twice, so that no pattern can hide one:
pytest collects them without any of the options of a run, and every Python file
of the repository that defines tests must be among the collected.
"""

import ast
from pathlib import Path
import re
import subprocess
import sys
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent


def collected() -> dict[str, int]:
  """File → number of tests, with the options of a run left out."""
  command = [sys.executable, '-m', 'pytest', '--collect-only', '-qq']
  command += ['-o', 'addopts=', '-p', 'no:cacheprovider', '-p', 'no:warnings']
  result = subprocess.run(
    [*command, 'tests'],
    cwd=ROOT,
    capture_output=True,
    text=True,
  )
  if result.returncode:
    sys.exit(f'Collecting the tests failed:\n{result.stdout}{result.stderr}')
  lines = re.findall(r'^(\S+\.py): (\d+)$', result.stdout, re.MULTILINE)
  return {name: int(number) for name, number in lines}


def files_with_tests() -> set[str]:
  """Tracked or new Python files that define tests."""
  listing = subprocess.run(
    ['git', 'ls-files', '-co', '--exclude-standard', '*.py'],
    cwd=ROOT,
    check=True,
    capture_output=True,
    text=True,
  ).stdout
  found = set()
  for name in listing.splitlines():
    path = ROOT / name
    if not path.exists():
      continue
    tree = ast.parse(path.read_text(encoding='utf-8'))
    if any(map(_is_test, tree.body)):
      found.add(name)
  return found


def _is_test(node: ast.stmt) -> bool:
  """A test of a module, or a class of tests; no contract to inherit."""
  if isinstance(node, ast.ClassDef) and node.name.startswith('Test'):
    return any(map(_is_test, node.body))
  return isinstance(node, ast.FunctionDef) and node.name.startswith('test_')


def main(reports: list[Path]) -> int:
  """Compares; prints one line, or what is missing."""
  counts = collected()
  total = sum(counts.values())
  hidden = sorted(files_with_tests() - counts.keys())
  cases = [
    case
    for report in reports
    for case in ElementTree.parse(report).iter('testcase')
  ]
  skipped = [case for case in cases if case.find('skipped') is not None]
  for case in skipped:
    reason = case.find('skipped').get('message')
    print(f'skipped: {case.get("classname")}.{case.get("name")}: {reason}')
  print(
    f'{total} tests in the repository, {len(cases)} run, '
    f'{len(skipped)} of them skipped.'
  )
  if hidden:
    print('pytest collects nothing from:', *hidden, file=sys.stderr)
  if len(cases) < total:
    print(f'{total - len(cases)} tests were not run.', file=sys.stderr)
  return bool(hidden) or len(cases) < total


if __name__ == '__main__':
  sys.exit(main([Path(name) for name in sys.argv[1:]]))
