"""What a program says that it runs with."""

import importlib.metadata
from pathlib import Path
import subprocess

import pytest

from launchers.runs import provenance


def git(root: Path, *arguments: str) -> str:
  who = ['-c', 'user.name=x', '-c', 'user.email=x@example.com']
  return subprocess.run(
    ['git', *who, *arguments],
    cwd=root, check=True, capture_output=True, text=True,
  ).stdout.strip()  # fmt: skip


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
  root = tmp_path / 'checkout'
  (root / 'agents').mkdir(parents=True)
  (root / 'agents/loss.py').write_text('1\n')
  (root / 'README.md').write_text('1\n')
  git(root, 'init', '-q')
  git(root, 'add', '-A')
  git(root, 'commit', '-qm', 'one')
  return root.resolve()


def test_a_checkout_is_clean_or_dirty(checkout: Path) -> None:
  commit = git(checkout, 'rev-parse', 'HEAD')
  assert provenance.sources(checkout) == (commit, False)
  # Words change no result, and neither do the cells that a study commits.
  (checkout / 'README.md').write_text('2\n')
  (checkout / 'studies/results/cells').mkdir(parents=True)
  (checkout / 'studies/results/cells/a.json').touch()
  assert provenance.sources(checkout) == (commit, False)
  (checkout / 'agents/new.py').touch()
  assert provenance.sources(checkout) == (commit, True)
  (checkout / 'agents/new.py').unlink()
  (checkout / 'agents/loss.py').write_text('2\n')
  assert provenance.sources(checkout) == (commit, True)


def test_outside_a_checkout_the_commit_is_unknown(
  checkout: Path, tmp_path: Path
) -> None:
  unknown = (provenance.UNKNOWN, None)
  assert provenance.sources(tmp_path) == unknown
  # An installed copy inside somebody else's repository is not its sources.
  assert provenance.sources(checkout / 'agents') == unknown


def test_without_git_the_commit_is_unknown(
  checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  monkeypatch.setenv('PATH', '')
  assert provenance.sources(checkout) == (provenance.UNKNOWN, None)


def test_packages_and_machine_are_named() -> None:
  found = provenance.collect()
  assert found['packages']['numpy'] == importlib.metadata.version('numpy')
  assert 'not installed' not in found['packages'].values()
  assert found['cores'] >= 1
  assert found['cpu']
  assert provenance.collect() is found  # Looked up once.
