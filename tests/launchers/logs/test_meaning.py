"""A log becomes the episode that it says, or is refused by its row."""

from collections.abc import Mapping
from pathlib import Path
import types
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from datasets.formats.raw import RawEpisode
from datasets.types import Episode, EpisodeId
from datasets.validation import EpisodeRefused, check_episode
from launchers.logs.columns import Columns
from launchers.logs.meaning import UNKNOWN, Meaning
from tests.launchers.logs import kiln

IDENTITY = EpisodeId('log', 0, 0, 0)


def read(
  directory: Path,
  raw: RawEpisode,
  columns: Columns | None = None,
  texts: Mapping[str, str] = types.MappingProxyType({}),
) -> Episode:
  system = kiln.system(directory, texts)
  episode = Meaning(system, columns or Columns()).episode(raw, IDENTITY)
  check_episode(episode, system.task.spec, task=system.task)
  return episode


def test_its_numbers_are_those_of_the_log(tmp_path: Path) -> None:
  log = kiln.columns()
  episode = read(tmp_path, kiln.raw())
  assert episode.policy == UNKNOWN
  seen = np.stack([log['heat_0'], log['heat_1'], log['draught']], 1)
  np.testing.assert_array_equal(
    episode.observations, np.vstack([seen, [1, 2, 3]]).astype(np.float32)
  )
  np.testing.assert_allclose(episode.actions[:, 0], log['gas'] / 2 - 1, 1e-5)
  np.testing.assert_array_equal(
    episode.rewards, log['yield'].astype(np.float32)
  )
  assert episode.discounts.all()


def test_units_become_those_of_the_description(tmp_path: Path) -> None:
  log = kiln.columns()
  kelvin = {k: log[k] + 273.15 for k in ('heat_0', 'heat_1')}
  raw = kiln.raw(**kelvin, gas=log['gas'] * 1000 / 60)
  final = {'heat_0': 274.15, 'heat_1': 275.15, 'draught': 3.0}
  raw = raw._replace(final={k: np.asarray(v) for k, v in final.items()})
  there = read(tmp_path, raw, Columns(units={'heat': 'K', 'gas': 'l/min'}))
  here = read(tmp_path, kiln.raw())
  np.testing.assert_allclose(there.observations, here.observations, 1e-5, 1e-5)
  np.testing.assert_allclose(there.actions, here.actions, 1e-5, 1e-5)


def test_columns_may_be_called_otherwise(tmp_path: Path) -> None:
  log = kiln.columns()
  raw = kiln.raw(
    heat_0=None, heat_1=None, gas=None, t1=log['heat_0'], t2=log['heat_1'],
    valve=log['gas'],
  )  # fmt: skip
  final = {'t1': 1.0, 't2': 2.0, 'draught': 3.0}
  raw = raw._replace(final={k: np.asarray(v) for k, v in final.items()})
  columns = Columns(fields={'heat': ('t1', 't2'), 'gas': ('valve',)})
  there, here = read(tmp_path, raw, columns), read(tmp_path, kiln.raw())
  np.testing.assert_array_equal(there.observations, here.observations)
  np.testing.assert_array_equal(there.actions, here.actions)


@pytest.mark.parametrize(
  'names',
  [
    ('observations', 'actions', 'rewards'),
    ('observation.state', 'action', 'reward'),
  ],
)
def test_the_usual_names_need_no_map(
  tmp_path: Path, names: tuple[str, str, str]
) -> None:
  log = kiln.columns()
  seen = np.stack([log['heat_0'], log['heat_1'], log['draught']], 1)
  arrays = dict(zip(names, (seen, log['gas'], log['yield']), strict=True))
  raw = RawEpisode('it', arrays, {names[0]: np.array([1.0, 2.0, 3.0])})
  there, here = read(tmp_path, raw), read(tmp_path, kiln.raw())
  np.testing.assert_array_equal(there.observations, here.observations)
  np.testing.assert_array_equal(there.rewards, here.rewards)


def test_what_came_of_the_last_step(tmp_path: Path) -> None:
  """A row without action, one row more, the next ones, or nobody knows."""
  whole = kiln.raw()
  longer = {
    k: np.append(v, whole.final[k]) if k in whole.final else v
    for k, v in whole.columns.items()
  }
  blank = {
    k: v if k in whole.final else np.append(v, np.nan)
    for k, v in longer.items()
  }
  expected = read(tmp_path, whole)
  for columns in (longer, blank):
    got = read(tmp_path, RawEpisode('it', columns, {}))
    np.testing.assert_array_equal(got.observations, expected.observations)
    np.testing.assert_array_equal(got.actions, expected.actions)
    assert got.num_steps == kiln.STEPS
  got = read(tmp_path, whole._replace(final={}))
  assert got.num_steps == kiln.STEPS - 1
  np.testing.assert_array_equal(got.observations, expected.observations[:-1])
  assert got.discounts.all()


def test_an_end_is_a_termination_or_a_cut(tmp_path: Path) -> None:
  short = {k: v[:9] for k, v in kiln.columns().items()}
  last = np.arange(9) == 8
  for name, discount in (('terminals', 0.0), ('timeouts', 1.0)):
    raw = RawEpisode('it', {**short, name: last}, kiln.raw().final)
    episode = read(tmp_path, raw)
    assert episode.num_steps == 9
    assert episode.discounts[-1] == discount
  both = {**short, 'terminated': last, 'truncated': last}
  episode = read(tmp_path, RawEpisode('it', both, {}))
  assert (episode.num_steps, episode.discounts[-1]) == (9, 0.0)
  mine = Columns(termination='broke')
  raw = RawEpisode('it', {**short, 'broke': last * 1.0}, {})
  assert read(tmp_path, raw, mine).discounts[-1] == 0


def test_rewards_by_a_function(tmp_path: Path) -> None:
  function = {
    "column = 'yield'": f"function = '{__name__}:my_reward'",
  }
  episode = read(tmp_path, kiln.raw(**{'yield': None}), texts=function)
  np.testing.assert_allclose(
    episode.rewards,
    episode.observations[1:, :2].sum(1) - kiln.columns()['gas'],
    1e-5,
  )
  for name, said in (('my_bad_reward', 'shape'), ('my_worse', 'KeyError')):
    function["column = 'yield'"] = f"function = '{__name__}:{name}'"
    with pytest.raises(EpisodeRefused, match=said):
      read(tmp_path, kiln.raw(), texts=function)


def my_reward(seen: Any, done: Any) -> np.ndarray:
  return seen['heat'][1:].sum(1) - done['gas']


def my_bad_reward(seen: Any, done: Any) -> np.ndarray:
  del done
  return seen['heat']


def my_worse(seen: Any, done: Any) -> np.ndarray:
  del done
  return seen['cold']


def test_who_acted(tmp_path: Path) -> None:
  for value in (np.array('abc'), np.array(['abc'] * 30)):
    assert read(tmp_path, kiln.raw(policy=value)).policy == 'abc'
  two = np.array(['abc'] * 29 + ['def'])
  with pytest.raises(EpisodeRefused, match='2 policies acted in it: abc, def'):
    read(tmp_path, kiln.raw(policy=two))


def changed(name: str, row: int, value: float) -> dict[str, np.ndarray]:
  column = kiln.columns()[name].copy()
  column[row] = value
  return {name: column}


@pytest.mark.parametrize(
  ('changes', 'said'),
  [
    (changed('heat_1', 7, 90.5),
     r'row 7 of it: heat\[1\] is 90.5 degC, beyond its bounds -1 to 90'),
    (changed('heat_0', 3, np.nan), r'row 3 of it: heat\[0\] is nan'),
    (changed('gas', 11, -0.2), 'row 11 of it: gas is -0.2 m.*3/h, beyond'),
    (changed('gas', 11, np.inf), 'row 11 of it: gas is inf'),
    (changed('yield', 5, np.nan), 'row 5 of it: the reward is nan'),
    ({'gas': None}, "no column 'gas'"),
    ({'yield': None}, "no column 'yield'"),
    ({'draught': np.ones((30, 2))}, "'draught' has 2 numbers a row"),
    ({'draught': np.array(['x'] * 30)}, "'draught' holds no numbers"),
    ({'gas': np.ones(28)}, '30 rows of observations and 28 of actions'),
    ({'terminals': np.arange(30) == 4}, 'row 4 of it: .* but 25 rows follow'),
  ],
)  # fmt: skip
def test_what_is_wrong_is_said(
  tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
  with pytest.raises(EpisodeRefused, match=said):
    read(tmp_path, kiln.raw(**changes))


def test_what_is_not_whole_is_refused(tmp_path: Path) -> None:
  short = {k: v[:9] for k, v in kiln.columns().items()}
  with pytest.raises(EpisodeRefused, match='9 of 30 steps, and no column'):
    read(tmp_path, RawEpisode('it', short, kiln.raw().final))
  with pytest.raises(EpisodeRefused, match=r'31 steps, but .* at 30'):
    read(tmp_path, RawEpisode('it', kiln.columns(steps=31), kiln.raw().final))


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 29), st.sampled_from(['heat_0', 'draught', 'gas']),
       st.sampled_from([np.nan, np.inf, -np.inf, 1e9]))  # fmt: skip
def test_no_number_of_a_log_is_taken_on_trust(
  tmp_path_factory: pytest.TempPathFactory, row: int, name: str, value: float
) -> None:
  directory = tmp_path_factory.mktemp('kiln')
  raw = kiln.raw(**changed(name, row, value))
  if name == 'draught' and value == 1e9:  # Nobody has bounded it.
    assert read(directory, raw).observations[row, 2] == np.float32(1e9)
    return
  with pytest.raises(EpisodeRefused, match=f'row {row} of it'):
    read(directory, raw)
