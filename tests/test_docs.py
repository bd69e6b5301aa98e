"""What docs/ says is so: its modules run, its commands and verdicts exist."""

import json
import os
from pathlib import Path
import re
import shutil
import subprocess
import sys
from typing import Any

import pytest

from launchers.studies import cell_check, measures
from launchers.studies import file as study_file
from tests.test_layout import ROOT, help_of

TEACHERS = (ROOT / 'docs' / 'teachers.md').read_text(encoding='utf-8')
ENVIRONMENTS = (ROOT / 'docs' / 'environments.md').read_text(encoding='utf-8')
STUDIES = (ROOT / 'docs' / 'studies.md').read_text(encoding='utf-8')
MACHINES = (ROOT / 'docs' / 'machines.md').read_text(encoding='utf-8')
GATE = (ROOT / 'docs' / 'gate.md').read_text(encoding='utf-8')


def modules(text: str) -> dict[str, str]:
  """The text's Python modules by file name, which their first line gives."""
  blocks = re.findall(r'```python\n(.*?)```', text, re.DOTALL)
  found = {}
  for block in blocks:
    match = re.match(r'# (\w+\.py)\n', block)
    assert match, f'This block is no module: {block[:80]}'
    found[match[1]] = block
  return found


def commands() -> list[str]:
  """The commands of the shell blocks, one a line, and those in the texts."""
  texts = TEACHERS + ENVIRONMENTS + STUDIES + MACHINES + GATE
  blocks = re.findall(r'```sh\n(.*?)```', texts, re.DOTALL)
  lines = '\n'.join(blocks).replace('\\\n', ' ').splitlines()
  spans = re.findall(r'`(python -m [^`\n]+)`', texts)
  return [line for line in [*lines, *spans] if line.startswith('python -m ')]


def options_by_module() -> dict[str, set[str]]:
  found: dict[str, set[str]] = {}
  for command in commands():
    module, *words = command.split()[2:]
    named = {word for word in words if word.startswith('--')}
    found.setdefault(module, set()).update(named)
  return found


@pytest.mark.parametrize(
  ('text', 'name'),
  [(TEACHERS, 'my_teacher'), (ENVIRONMENTS, 'my_environment')],
  ids=['teachers', 'environments'],
)
def test_its_module_passes_its_tests(
  text: str, name: str, tmp_path: Path
) -> None:
  files = modules(text)
  assert set(files) == {f'{name}.py', f'test_{name}.py'}
  for file, block in files.items():
    (tmp_path / file).write_text(block, encoding='utf-8')
  result = subprocess.run(
    [
      sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider',
      str(tmp_path / f'test_{name}.py'),
    ],
    cwd=ROOT,
    env={**os.environ, 'PYTHONPATH': str(ROOT)},
    capture_output=True,
    text=True,
    timeout=120,
  )  # fmt: skip
  assert result.returncode == 0, result.stdout
  passed = re.search(r'(\d+) passed', result.stdout)
  assert passed, result.stdout
  assert int(passed[1]) > 10


LAUNCHERS = sorted(
  module for module in options_by_module() if module.startswith('launchers.')
)


def test_it_prints_the_commands_that_take_a_teacher() -> None:
  named = {module.partition('.')[2] for module in LAUNCHERS}
  assert {'check_environment', 'approve', 'rollback'} <= named
  assert named >= {
    'annotate', 'demonstrate', 'evaluate', 'growing_batch', 'teach',
  }  # fmt: skip


@pytest.mark.parametrize('module', LAUNCHERS)
def test_the_options_of_its_commands_exist(module: str) -> None:
  known = help_of(module)
  used = options_by_module()[module]
  unknown = {
    option
    for option in used
    if not re.search(rf'{re.escape(option.replace("_", "-"))}(?![\w.-])', known)
  }
  assert not unknown, f'{module} has no {sorted(unknown)}'


def test_its_other_modules_and_files_exist() -> None:
  for module in options_by_module():
    if module.startswith('benchmarks.'):
      assert ROOT.joinpath(*module.split('.')).with_suffix('.py').is_file()
  for module in re.findall(r'`(teachers\.\w+):make', TEACHERS):
    path = ROOT.joinpath(*module.split('.')).with_suffix('.py')
    assert path.is_file(), module
    assert '\ndef make(' in path.read_text(encoding='utf-8'), module
  for link in re.findall(r'\]\(([^)#]+)\)', TEACHERS + ENVIRONMENTS + STUDIES):
    assert (ROOT / 'docs' / link).exists(), link


def test_its_columns_are_logged() -> None:
  section = TEACHERS.partition('columns of `metrics.csv`')[2]
  rows = section.partition('\n\n')[0].splitlines()[2:]
  columns = {
    name for row in rows for name in re.findall(r'`(\w+)`', row.split('|')[3])
  }
  assert 'teacher_cosine' in columns
  source = ROOT / 'agents' / 'parts' / 'regularizers.py'
  text = source.read_text(encoding='utf-8')
  logged = re.findall(r"'(\w+)': ", text) + re.findall(r": '(\w+)'", text)
  assert columns <= set(logged)


def verdicts(size: str) -> dict[str, str]:
  """The committed verdict on each claim by the figures' studies of a size."""
  found = {}
  for path in (ROOT / 'studies' / 'results').glob(f'figure*-{size}'):
    results = json.loads((path / 'results.json').read_text(encoding='utf-8'))
    assert not results['missing'], path
    for verdict in results['verdicts']:
      found[verdict['claim']['id']] = verdict['status']
  return found


def test_the_verdicts_in_the_results_are_those_of_the_runs() -> None:
  text = (ROOT / 'docs' / 'results.md').read_text(encoding='utf-8')
  rows = re.findall(r'^\| (A-C\w+) \|.*\| (.+) \| (.+) \|$', text, re.MULTILINE)
  for column, size in ((1, 'small'), (2, 'middle')):
    said = {row[0]: row[column] for row in rows if row[column] != '–'}
    assert said == verdicts(size)
  for link in re.findall(r'\]\(([^)#]+)\)', text):
    assert (ROOT / 'docs' / link).exists(), link


def test_the_verdicts_on_logs_are_those_of_the_runs() -> None:
  text = (ROOT / 'docs' / 'results.md').read_text(encoding='utf-8')
  text = text.partition('## What can be learned from a log')[2]
  table = text.partition('| claim |')[2].partition('\n\n')[0]
  rows = re.findall(r'^\| (\S+) \|.*\| (.+) \| (.+) \|$', table, re.MULTILINE)
  rows = [row for row in rows if row[0] != '---']
  assert len(rows) == 8
  for column, ending in ((1, ''), (2, '-fresh-seeds')):
    found = {}
    for name in ('p2-priors', 'extrapolation-small'):
      path = ROOT / 'studies' / 'results' / f'{name}{ending}' / 'results.json'
      if ending and not path.exists():
        continue  # Not run again yet.
      results = json.loads(path.read_text(encoding='utf-8'))
      assert not results['missing'], path
      for verdict in results['verdicts']:
        found[verdict['claim']['id']] = verdict['status']
    said = {row[0]: row[column] for row in rows if row[column] != '–'}
    assert said == found


def test_the_figures_of_table_6_are_those_of_the_runs() -> None:
  text = (ROOT / 'docs' / 'results.md').read_text(encoding='utf-8')
  text = text.partition('### Table 6')[2].partition('\n## ')[0]
  path = ROOT / 'studies' / 'results' / 'table6-cheetah' / 'results.json'
  results = json.loads(path.read_text(encoding='utf-8'))
  scores = {row['method']: row['scores'] for row in results['table']}
  rows = re.findall(r'^\| ([\w+ ]+) \| (\d+) \| (\d+) \|', text, re.MULTILINE)
  methods = ('abm_mpo', 'abm_mpo:prior', 'bm_mpo', 'bm_mpo:prior', 'mpo')
  for (_, *said), method in zip(rows, methods, strict=True):
    found = [scores[method][m]['value'] for m in ('final', 'late')]
    assert [int(value) for value in said] == [round(value) for value in found]
  assert f'Of {word(results, "planned_runs")} trainings' in text
  assert f'trainings {word(results, "finished_runs")} are here' in text
  statuses = {v['status'] for v in results['verdicts']}
  assert statuses == {'not shown', 'incomplete'}


def word(results: dict[str, Any], key: str) -> str:
  return {3: 'three', 9: 'nine'}[results['provenance'][key]]


def test_the_members_of_a_cell_are_those_it_lists() -> None:
  section = STUDIES.partition('## The file of a cell')[2].partition('\n## ')[0]
  listed = re.findall(r'^\| `(\w+)`', section, re.MULTILINE)
  assert set(listed) == set(cell_check.MEMBERS)


def test_the_studies_that_it_shows_are_some(tmp_path: Path) -> None:
  texts = re.findall(r'```toml\n(.*?)```', STUDIES, re.DOTALL)
  shutil.copytree(ROOT / 'studies' / 'sizes', tmp_path / 'sizes')
  path = tmp_path / 'mine.toml'
  for text, cells in zip(texts, (12, 9), strict=True):
    path.write_text(text, encoding='utf-8')
    study = study_file.load(path)
    measures.check(study)
    assert len(study.cells) == cells
