"""Episodes as arrays and metadata, those of older files included."""

import pytest

from datasets import arrays, encoding
from datasets.packed import digest_of_episode
from datasets.store import EpisodeStore
from tests.datasets.samples import TASK, assert_same, make_episode


def test_a_task_is_kept_and_changes_the_digest() -> None:
  episode = make_episode(task=TASK)
  read = encoding.from_arrays(*encoding.to_arrays(episode))
  assert read.task == TASK
  assert_same(read, episode)
  assert digest_of_episode(episode) != digest_of_episode(make_episode())


def test_the_episodes_of_a_task_share_one_object() -> None:
  pairs = [encoding.to_arrays(make_episode(i, task=TASK)) for i in (0, 1)]
  one, other = (encoding.from_arrays(*pair) for pair in pairs)
  assert one.task is other.task


def test_files_without_a_task_keep_their_digests(tmp_path) -> None:
  """Or a run of an older version could not go on."""
  old = make_episode(0, with_advice=True)
  content, metadata = encoding.to_arrays(old)
  assert sorted(metadata) == ['identity', 'policy', 'teacher', 'version']
  # What the version before tasks gave.
  digest = 'c68fc6a1f06f75cd9c50b33fbdef5a65ea25e5b51f01f23748cacd65e01aa3a9'
  assert arrays.digest_of_content(content, metadata) == digest
  store = EpisodeStore(tmp_path)
  assert store.commit(old) == digest
  assert store.read(old.identity).task is None
  assert store.digests() == {old.identity: digest}


@pytest.mark.parametrize('task', [None, 'made-up', {'name': 'made-up'}])
def test_a_task_that_is_none_is_refused(task) -> None:
  content, metadata = encoding.to_arrays(make_episode())
  with pytest.raises(ValueError, match='is no task'):
    encoding.from_arrays(content, {**metadata, 'task': task})
