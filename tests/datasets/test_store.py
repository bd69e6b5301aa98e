"""The store keeps episodes, whole, once, and finds every damage."""

import errno
import os
import pathlib
import random
import signal
import subprocess
import sys

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from datasets import files, validation
from datasets.packed import digest_of_episode, pack
from datasets.store import (
  EpisodeConflictError,
  EpisodeStore,
  digest_of,
  file_name,
)
from datasets.types import EpisodeId
from tests.datasets.samples import assert_same, episodes, make_episode

# Commits episode 0, then dies at a boundary while committing episode 1.
COMMITTER = """
import os, signal, sys
from datasets import files
from datasets.store import EpisodeStore
from tests.datasets.samples import make_episode
store = EpisodeStore(sys.argv[1])
store.commit(make_episode(0))
def die(name, _):
  if name == sys.argv[2]:
    os.kill(os.getpid(), signal.SIGKILL)
files.boundary_hook = die
store.commit(make_episode(1))
"""


@pytest.fixture
def store(tmp_path):
  return EpisodeStore(tmp_path / 'episodes')


@given(st.lists(episodes(), max_size=5, unique_by=lambda e: e.identity))
@settings(max_examples=25, deadline=None)
def test_what_is_committed_is_read(tmp_path_factory, committed):
  directory = tmp_path_factory.mktemp('store')
  store = EpisodeStore(directory)
  digests = {e.identity: store.commit(e) for e in committed}
  for opened in (store, EpisodeStore(directory)):
    assert len(opened) == len(committed)
    assert opened.digests() == digests
    assert list(opened.digests()) == sorted(digests)
    for read, episode in zip(
      opened, sorted(committed, key=lambda e: e.identity), strict=True
    ):
      assert_same(read, episode)
      assert_same(opened.read(episode.identity), episode)
      assert episode.identity in opened
      assert digest_of_episode(episode) == digests[episode.identity]
  assert store.quarantine() == []


def test_committing_twice_changes_nothing(store):
  episode = make_episode(with_advice=True)
  digest = store.commit(episode)
  path = store.directory / file_name(episode.identity)
  before = path.stat()
  assert store.commit(episode) == digest
  assert EpisodeStore(store.directory).commit(episode) == digest
  after = path.stat()
  assert (before.st_ino, before.st_mtime_ns) == (
    after.st_ino,
    after.st_mtime_ns,
  )


@pytest.mark.parametrize(
  'fields',
  [
    {'rewards': np.zeros(20, np.float32)},
    {'policy': 'another'},
    {'annotation': make_episode(with_advice=True).annotation},
  ],
)
def test_an_identity_has_one_content(store, fields):
  episode = make_episode()
  store.commit(episode)
  with pytest.raises(EpisodeConflictError, match='run-001-000-000000'):
    store.commit(episode._replace(**fields))
  assert_same(store.read(episode.identity), episode)


def test_many_are_committed_as_one_after_the_other(store, tmp_path):
  committed = [make_episode(n) for n in range(20)]
  store.commit_all([pack(episode) for episode in [*committed, committed[3]]])
  apart = EpisodeStore(tmp_path / 'apart')
  assert store.digests() == {e.identity: apart.commit(e) for e in committed}
  for path in store.directory.iterdir():
    assert path.read_bytes() == (apart.directory / path.name).read_bytes()


def test_of_many_no_two_have_one_identity(store):
  episode = make_episode(1)
  other = episode._replace(policy='another')
  with pytest.raises(EpisodeConflictError, match='used once'):
    store.commit_all([pack(make_episode(0)), pack(episode), pack(other)])
  assert len(store) == 0


def test_an_unknown_identity(store):
  with pytest.raises(KeyError, match='not in'):
    store.read(EpisodeId('run', 0, 0, 0))
  assert EpisodeId('run', 0, 0, 0) not in store
  assert 'run' not in store


def test_sorted_by_identity_not_by_name(store):
  identities = [
    EpisodeId('run', *rest)
    for rest in [(2, 0, 0), (10, 0, 0), (1000, 0, 5), (1000, 0, 10**7)]
  ]
  for identity in random.Random(0).sample(identities, 4):
    store.commit(make_episode(identity=identity))
  assert list(store.digests()) == identities
  assert [episode.identity for episode in store] == identities


@pytest.mark.parametrize(
  'run', ['.', '..', 'a/b', 'a-1-2-3', 'ü', '%41', ' ', '-', 'A.npz', '\0']
)
def test_names_of_runs(store, run):
  episode = make_episode(identity=EpisodeId(run, 1, 2, 3))
  store.commit(episode)
  assert [read.identity for read in store] == [episode.identity]
  assert all(p.parent == store.directory for p in store.directory.iterdir())


@given(st.lists(episodes().map(lambda e: e.identity), min_size=2, max_size=2))
@settings(max_examples=50, deadline=None)
def test_every_identity_has_its_own_name(pair):
  assert (file_name(pair[0]) == file_name(pair[1])) == (pair[0] == pair[1])


@pytest.mark.parametrize(
  ('identity', 'message'),
  [
    (EpisodeId('r' * 300, 0, 0, 0), 'shorter'),
    (EpisodeId('', 0, 0, 0), 'no name'),
    (EpisodeId('run', -1, 0, 0), 'count from 0'),
  ],
)
def test_identities_without_a_name(store, identity, message):
  with pytest.raises(ValueError, match=message):
    store.commit(make_episode(identity=identity))


def test_digest_of_a_set():
  one = {EpisodeId('run', 1, 0, i): str(i) * 64 for i in range(4)}
  shuffled = dict(random.Random(1).sample(list(one.items()), 4))
  assert digest_of(one) == digest_of(shuffled)
  fewer = dict(list(one.items())[:3])
  other = {**one, EpisodeId('run', 1, 0, 0): 'f' * 64}
  assert len({digest_of(x) for x in (one, fewer, other, {})}) == 4


def test_another_process_sees_what_is_committed(store):
  reader = EpisodeStore(store.directory)
  assert reader.digests() == {}
  store.commit(make_episode(0))
  assert len(reader.digests()) == 1
  store.commit(make_episode(1))
  assert reader.digests() == store.digests()


@pytest.mark.parametrize('boundary', files.BOUNDARIES)
def test_a_kill_leaves_the_episode_or_nothing(tmp_path, boundary):
  command = [sys.executable, '-c', COMMITTER, str(tmp_path), boundary]
  assert subprocess.run(command).returncode == -signal.SIGKILL
  store = EpisodeStore(tmp_path)
  assert store.quarantine() == []
  assert not list(tmp_path.glob('.*')), 'The leftovers are cleared.'
  committed = list(store)
  is_whole = boundary in ('renamed', 'dir_fsynced')
  assert len(committed) == 1 + is_whole
  for index, episode in enumerate(committed):
    assert_same(episode, make_episode(index))
  # Going on is committing again what may have been lost.
  for index in range(2):
    store.commit(make_episode(index))
  assert len(store.digests()) == 2


def test_a_full_disk_loses_nothing(store, monkeypatch):
  store.commit(make_episode(0))

  def full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

  with monkeypatch.context() as patch:
    patch.setattr(os, 'write', full)
    with pytest.raises(files.OutOfSpaceError, match='000001'):
      store.commit(make_episode(1))
  assert len(list(store.directory.iterdir())) == 1
  store.commit(make_episode(1))
  assert len(store.digests()) == 2


def test_a_store_is_made_with_its_parents(tmp_path):
  directory: pathlib.Path = tmp_path / 'a' / 'b'
  assert list(EpisodeStore(directory)) == []
  assert directory.is_dir()


def test_a_directory_of_such_directories_names_them(tmp_path):
  for name in ('000', '001'):
    EpisodeStore(tmp_path / name).commit(make_episode())
  (tmp_path / 'demonstrator.npz').touch()
  with pytest.raises(
    FileNotFoundError, match=r'no episodes itself.*000, .*001'
  ):
    EpisodeStore.open(tmp_path)
  (tmp_path / '000' / 'quarantine').mkdir()
  assert len(EpisodeStore.open(tmp_path / '000')) == 1


def test_reading_makes_and_clears_nothing(tmp_path):
  with pytest.raises(FileNotFoundError, match='no such directory'):
    EpisodeStore.open(tmp_path / 'mistyped')
  assert not list(tmp_path.iterdir())
  EpisodeStore(tmp_path / 'there').commit(make_episode())
  aside = tmp_path / 'there' / '.x.aside'
  aside.touch()
  assert len(EpisodeStore.open(tmp_path / 'there')) == 1
  assert aside.exists()


def test_what_a_check_refuses_is_named_or_set_aside(store):
  def check(episode):
    if episode.identity.episode:
      raise validation.EpisodeRefused('it is odd')

  good, bad = make_episode(0), make_episode(1)
  store.commit(good)
  store.commit(bad)
  with pytest.raises(validation.EpisodeRefused) as refusal:
    list(store.checked(check))
  assert file_name(bad.identity) in str(refusal.value)
  assert len(list(store.checked(check, [good.identity]))) == 1
  ((moved, reason),) = store.quarantine(check)
  assert (moved.name, reason) == (file_name(bad.identity), 'it is odd')
  assert list(store.digests()) == [good.identity]
