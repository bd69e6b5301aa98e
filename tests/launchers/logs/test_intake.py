"""What comes from outside is taken once, and what cannot be is named."""

import json
from pathlib import Path
import time

import numpy as np
import pytest

from agents.deployed.policy import Policy
from datasets.types import EpisodeId
from launchers.environments import described
from launchers.logs import columns, door, intake, watching
from launchers.logs.door import Door, Outcome
from launchers.logs.meaning import Meaning
from launchers.runs import standing
from launchers.runs.run_directory import RunDirectory
from teachers import untrained
from tests.launchers.environments.test_described import GOOD
from tests.launchers.logs import kiln

QUOTA = 6


def policy(seed: int = 0) -> Policy:
  return untrained.make(3, 1, seed, (4,))


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
  """One that has just begun: 6 episodes a cycle, 2 cycles after cycle 0."""
  directory = RunDirectory(tmp_path / 'kiln-run')
  directory.root.mkdir()
  config = {
    'task': 'kiln.toml', 'cycles': 2, 'episode_steps': kiln.STEPS,
    'actor_steps': 2 * QUOTA * kiln.STEPS,
    'demonstrations': {'episodes': QUOTA},
  }  # fmt: skip
  directory.config.write_text(json.dumps(config))
  directory.system.write_text(GOOD)
  return directory


def log(path: Path, seed: int = 0, **more: np.ndarray) -> Path:
  arrays = {k: np.append(v, v[-1]) if k in ('heat_0', 'heat_1', 'draught')
            else v for k, v in kiln.columns(seed).items()}  # fmt: skip
  np.savez(path, **{**arrays, **more})
  return path


def enter(
  run: RunDirectory, *paths: Path, claimed: str = '', cycle: int | None = None
) -> tuple[Outcome, list[str]]:
  """As the command does."""
  now, lines = intake.open_cycle(run, cycle), list[str]()
  system = described.load(run.system)
  entrance = Door(
    intake.Intake(run, system, now),
    Meaning(system, columns.Columns()),
    'episode',
    claimed,
    lines.append,
  )
  for path in paths:
    entrance.take(path)
  return entrance.outcome, lines


def test_each_is_taken_once(run: RunDirectory, tmp_path: Path) -> None:
  logs = [log(tmp_path / f'{i}.npz', i) for i in range(4)]
  assert enter(run, *logs[:3]) == (Outcome(3, 0, 0, 0), [])
  assert enter(run, *logs) == (Outcome(1, 3, 0, 0), [])
  again = log(tmp_path / 'renamed.npz', 2)
  assert enter(run, again) == (Outcome(0, 1, 0, 0), [])
  assert standing.of(run).missing == QUOTA - 4
  inbox = run.inbox(0)
  assert [i.episode for i in inbox.identities()] == [0, 1, 2, 3]
  assert inbox.identities()[0] == EpisodeId('kiln-run', 0, 0, 0)
  rows = run.ingested(0).read_text().splitlines()[1:]
  assert [row.split(',')[2] for row in rows] == [str(path) for path in logs]


def test_more_than_it_takes_is_left(run: RunDirectory, tmp_path: Path) -> None:
  logs = [log(tmp_path / f'{i}.npz', i) for i in range(8)]
  assert enter(run, *logs)[0] == Outcome(6, 0, 2, 0)
  assert standing.of(run).missing == 0


def test_what_is_bad_stops_no_other(run: RunDirectory, tmp_path: Path) -> None:
  bad = log(tmp_path / 'bad.npz', 1, gas=np.full(30, 4.5))
  torn = tmp_path / 'torn.npz'
  torn.write_bytes(log(tmp_path / 'x.npz', 2).read_bytes()[:900])
  good = log(tmp_path / 'good.npz', 3)
  outcome, lines = enter(run, bad, torn, tmp_path / 'gone.npz', good)
  assert outcome == Outcome(1, 0, 0, 3)
  assert [
    str(p) in line
    for p, line in zip((bad, torn, tmp_path / 'gone.npz'), lines, strict=True)
  ] == [True] * 3
  assert 'row 0 of it: gas is 4.5 m^3/h, beyond its bounds 0 to 4' in lines[0]


def test_a_kill_between_the_journal_and_the_episode(
  run: RunDirectory, tmp_path: Path
) -> None:
  logs = [log(tmp_path / f'{i}.npz', i) for i in range(3)]
  enter(run, *logs)
  whole = run.inbox(0).digests()
  run.inbox(0).discard(EpisodeId('kiln-run', 0, 0, 1))  # It was not written.
  assert enter(run, *logs)[0] == Outcome(1, 2, 0, 0)
  assert run.inbox(0).digests() == whole


def test_a_number_whose_episode_was_lost_is_given_again(
  run: RunDirectory, tmp_path: Path
) -> None:
  logs = [log(tmp_path / f'{i}.npz', i) for i in range(3)]
  enter(run, *logs[:2])
  run.inbox(0).discard(EpisodeId('kiln-run', 0, 0, 0))
  assert enter(run, logs[2])[0] == Outcome(1, 0, 0, 0)
  assert enter(run, logs[0])[0] == Outcome(1, 0, 0, 0)
  assert enter(run, *logs)[0] == Outcome(0, 3, 0, 0)


def test_one_policy_acts_in_a_cycle(run: RunDirectory, tmp_path: Path) -> None:
  first, second = policy(0), policy(1)
  run.cycle(0).mkdir(parents=True)
  run.publish(0, first.to_bytes())
  named = log(tmp_path / 'named.npz', 0, policy=np.array(first.digest))
  other = log(tmp_path / 'other.npz', 1, policy=np.array('f' * 64))
  silent = log(tmp_path / 'silent.npz', 2)
  outcome, lines = enter(run, named, other, silent)
  assert outcome == Outcome(1, 0, 0, 2)
  assert f'cycle 1 is collected by {first.digest}' in lines[0]
  assert 'does not say which policy acted' in lines[1]
  assert enter(run, silent, claimed=first.digest)[0] == Outcome(1, 0, 0, 0)
  assert enter(run, other, claimed=first.digest)[0] == Outcome(0, 0, 0, 1)
  run.cycle(1).mkdir(exist_ok=True)
  run.publish(1, second.to_bytes())
  outcome, (line,) = enter(run, named)
  assert outcome.refused == 1
  assert 'the policy of cycle 0 acted in it' in line


def test_a_log_of_an_earlier_cycle_is_not_taken_again(
  run: RunDirectory, tmp_path: Path
) -> None:
  """Where the gate held a policy back, the same one acts in the next cycle."""
  digest = policy().digest
  run.cycle(0).mkdir(parents=True)
  run.publish(0, policy().to_bytes())
  path = log(tmp_path / 'log.npz', 0, policy=np.array(digest))
  assert enter(run, path)[0] == Outcome(1, 0, 0, 0)
  run.publish(1, policy().to_bytes())
  assert standing.of(run).policy == digest
  assert enter(run, path)[0] == Outcome(0, 1, 0, 0)
  new = log(tmp_path / 'new.npz', 1, policy=np.array(digest))
  assert enter(run, new)[0] == Outcome(1, 0, 0, 0)


def test_a_cycle_that_takes_none(run: RunDirectory, tmp_path: Path) -> None:
  with pytest.raises(ValueError, match=r'Cycle 1 .* has not begun'):
    enter(run, cycle=1)
  batch = run.cycle(0) / 'batch.json'
  run.write_json(batch, {'episodes': 6, 'steps': 180, 'digest': 'abc'})
  for cycle in (0, None):
    with pytest.raises(ValueError, match='learned already'):
      enter(run, cycle=cycle)
  for cycle in range(3):
    run.cycle(cycle).mkdir(exist_ok=True)
    run.publish(cycle, policy(cycle).to_bytes())
  with pytest.raises(ValueError, match='is done'):
    enter(run)
  run.system.unlink()
  with pytest.raises(ValueError, match='acts its own episodes'):
    enter(run)
  with pytest.raises(FileNotFoundError, match='no run directory'):
    enter(RunDirectory(tmp_path))


def test_what_comes_new_is_looked_at_once(
  tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  monkeypatch.setattr(watching, '_SETTLED', 0.1)
  place = tmp_path / 'logs'
  (place / 'below').mkdir(parents=True)
  (place / 'rlds').mkdir()
  (place / 'rlds' / 'features.json').write_text('{}')
  one, two = place / 'a.npz', place / 'below' / 'b.csv'
  one.write_text('1')
  two.write_text('2')
  (place / '.b.aside').write_text('3')
  dataset = place / 'rlds'
  assert [*watching.looks([place], None)] == [[one, two, dataset]]
  looks = watching.looks([place], 0.05)
  found: list[Path] = []
  deadline = time.monotonic() + 20
  while len(found) < 3 and time.monotonic() < deadline:
    found += next(looks)
  assert sorted(found) == sorted([one, two, dataset])
  assert next(looks) == []
  one.write_text('longer')
  while time.monotonic() < deadline:
    found = next(looks)
    if found:
      break
  assert found == [one]
  with pytest.raises(FileNotFoundError, match='gone'):
    next(watching.looks([place / 'gone'], None))


def test_many_are_kept_in_batches(
  run: RunDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  monkeypatch.setattr(door, '_BATCH', 2)
  lines = ['episode,heat_0,heat_1,draught,gas,yield']
  for i in range(5):
    made = kiln.columns(i)
    for row in range(kiln.STEPS):
      cells = ','.join(repr(float(made[name][row])) for name in made)
      lines.append(f'{i},{cells}')
  path = tmp_path / 'table.csv'
  path.write_text('\n'.join(lines) + '\n')
  assert enter(run, path) == (Outcome(5, 0, 0, 0), [])
  assert enter(run, path) == (Outcome(0, 5, 0, 0), [])
