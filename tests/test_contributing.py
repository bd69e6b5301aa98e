"""CONTRIBUTING.md names files, modules and names that exist."""

import importlib
import re

import pytest

from tests.tree import FOLDERS, ROOT

TEXT = (ROOT / 'CONTRIBUTING.md').read_text(encoding='utf-8')
SPANS = sorted(set(re.findall(r'`([^`]+)`', TEXT)))

# For its placeholders, what is there of the kind.
EXAMPLES = (
  ('formats/', 'NAME', 'tables'),
  (r'\bagents/', 'KIND', 'bc'),
  (r'\bteachers[/.]', 'NAME', 'scripted'),
  (r'\blaunchers[/.]', 'NAME', 'annotate'),
)


def filled(span: str) -> str:
  for where, placeholder, example in EXAMPLES:
    if re.search(where, span):
      span = span.replace(placeholder, example)
  return span


def dotted() -> list[str]:
  """The modules, and names in modules, that it mentions."""
  pattern = rf'\b(?:{"|".join(FOLDERS)})(?:\.\w+)+'
  found = {name for span in SPANS for name in re.findall(pattern, filled(span))}
  return sorted(found)


def exists(name: str) -> bool:
  try:
    importlib.import_module(name)
  except ModuleNotFoundError:
    module, _, attribute = name.rpartition('.')
    try:
      return hasattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError:
      return False
  return True


def test_its_files_exist() -> None:
  paths = [filled(s) for s in SPANS if re.fullmatch(r'\.?[\w/.]+', s)]
  paths = [p for p in paths if '/' in p or re.search(r'\.(md|in|txt)$', p)]
  paths += re.findall(r'\]\(([^)#]+)\)', TEXT)
  assert len(paths) > 15
  missing = [path for path in paths if not (ROOT / path).exists()]
  assert not missing


def test_its_modules_and_names_exist() -> None:
  names = dotted()
  assert len(names) > 6
  assert [name for name in names if not exists(name)] == []


@pytest.mark.parametrize(
  ('path', 'name'),
  [
    ('agents/base.py', 'Networks'),
    ('agents/base.py', 'Agent'),
    ('agents/bc/__init__.py', 'ENTRY'),
    ('agents/config.py', 'AgentConfig'),
    ('agents/registry.py', 'KINDS'),
    ('launchers/__main__.py', 'COMMANDS'),
    ('teachers/scripted.py', 'make'),
  ],
)
def test_its_names_are_where_it_says(path: str, name: str) -> None:
  assert re.search(rf'`(\w+\.)*{name}\b', TEXT)
  text = (ROOT / path).read_text(encoding='utf-8')
  assert re.search(rf'^(class |def )?{name}\b', text, re.MULTILINE)


def test_its_make_targets_exist() -> None:
  makefile = (ROOT / 'Makefile').read_text(encoding='utf-8')
  targets = re.findall(r'`make (\w+)`', TEXT)
  assert targets
  for target in targets:
    assert re.search(rf'^{target}:', makefile, re.MULTILINE), target
