"""What a worker acted is kept until the run has it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datasets import arrays, encoding
from datasets.files import OutOfSpaceError
from datasets.store import EpisodeStore
from datasets.types import Episode, EpisodeId
from launchers.acting.outcomes import ActingStoppedError
from launchers.workers.scratch import Scratch, ScratchInUseError


def episode(number: int, reward: float = 1.0) -> Episode:
  ones = np.ones(3, np.float32)
  return Episode(
    EpisodeId('run', 1, 0, number), 'digest', np.zeros((4, 2), np.float32),
    np.zeros((3, 1), np.float32), reward * ones, ones,
  )  # fmt: skip


class Run:
  """Takes episodes, or is away until the worker is to stop."""

  def __init__(self) -> None:
    self.taken: list[Episode] = []
    self.told: list[str] = []
    self.is_away = False

  def send(self, data: bytes) -> str:
    if self.is_away:
      raise ActingStoppedError
    content = arrays.decode(data, 'test')
    self.taken.append(encoding.from_arrays(content.arrays, content.metadata))
    return ''

  def scratch(self, directory: Path) -> Scratch:
    return Scratch(directory, self.send, self.told.append)

  @property
  def numbers(self) -> list[int]:
    return [e.identity.episode for e in self.taken]


def test_what_is_acknowledged_is_not_kept(tmp_path: Path) -> None:
  run = Run()
  with run.scratch(tmp_path) as scratch:
    for number in range(3):
      scratch.put(episode(number))
  assert run.numbers == [0, 1, 2]
  assert not list(EpisodeStore(tmp_path))


def test_what_is_not_is_brought_by_the_next_worker(tmp_path: Path) -> None:
  run = Run()
  run.is_away = True
  with run.scratch(tmp_path) as scratch:
    scratch.put(episode(0))
  assert len(EpisodeStore(tmp_path)) == 1
  run.is_away = False
  with run.scratch(tmp_path) as scratch:
    scratch.put(episode(1))
  assert run.numbers == [0, 1]


def test_a_full_disk_keeps_nobody_from_acting(
  tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  def commit(*_: Any) -> None:
    raise OutOfSpaceError('No space is left.')

  run = Run()
  monkeypatch.setattr(EpisodeStore, 'commit_all', commit)
  with run.scratch(tmp_path) as scratch:
    for number in range(3):
      scratch.put(episode(number))
      assert run.numbers == list(range(number + 1))
  said = 'No space is left. Until then episodes are brought without being kept.'
  assert run.told == [said]


def test_what_an_earlier_run_left_is_in_nobodys_way(tmp_path: Path) -> None:
  EpisodeStore(tmp_path).commit(episode(0, reward=2.0))
  run = Run()
  scratch = run.scratch(tmp_path)  # Whose thread has not begun.
  scratch.put(episode(0))
  assert [e.rewards[0] for e in run.taken] == [1.0]
  with scratch:
    pass
  assert run.numbers == [0]


def test_two_workers_do_not_share_it(tmp_path: Path) -> None:
  run = Run()
  in_use = pytest.raises(ScratchInUseError, match='another --scratch')
  with run.scratch(tmp_path), in_use:
    run.scratch(tmp_path)
