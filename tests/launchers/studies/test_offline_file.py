"""Studies of logs: what their files say, and what is refused."""

import json
from pathlib import Path

import pytest

from datasets.tasks import Task
from launchers.studies import config as study_config
from launchers.studies import file as study_file
from launchers.studies import logs, measures
from launchers.studies.config import Study, StudyError
from launchers.studies.offline import LogConfig

SMALL = """
title = 'Small'
baseline = 'bc'
run = {learner_steps = 400, evaluation_interval = 100}
agent = {batch_size = 32, snippet_length = 5}
grid = [{task = ['studies.point:make'], log = ['mixed'], seed = [1, 0],
         method = ['bc', 'abm_mpo', 'abm_mpo:prior', 'mine']}]
[logs.mixed]
make = 'studies.point:write_log?episodes=9'
[methods.mine]
learner_steps = 800
agent = {kind = 'abm_mpo', snippet_length = 1}
[[claim]]
id = 'C'
text = 'It is better.'
test = [{measure = 'final', method = 'abm_mpo', above_method = 'bc', times = 2}]
"""
MAKE = "make = 'studies.point:write_log?episodes=9'"


def load(tmp_path: Path, text: str, **kwargs: object) -> Study:
  path = tmp_path / 'small.toml'
  path.write_text(text)
  study = study_file.load(path, **kwargs)  # type: ignore[arg-type]
  measures.check(study)
  return study


def test_a_grid_becomes_columns_of_runs(tmp_path: Path) -> None:
  study = load(tmp_path, SMALL)
  assert study.is_of_logs
  assert [(c.seed, c.method) for c in study.columns[:5]] == [
    (1, 'bc'), (1, 'abm_mpo'), (1, 'abm_mpo:prior'), (1, 'mine'), (0, 'bc'),
  ]  # fmt: skip
  assert [cell.method for cell in study.cells[:3]] == ['bc', 'abm_mpo', 'mine']
  (test,) = study.claims[0].tests
  assert (test.bound, test.times) == ('bc', 2.0)


def test_a_prior_is_of_the_run_of_its_policy(tmp_path: Path) -> None:
  _, policy, prior, *_ = load(tmp_path, SMALL).columns
  assert prior.name == policy.name == policy.column
  assert prior.column == f'{policy.name}:prior'
  assert prior.run == policy
  alone = SMALL.replace("'abm_mpo', 'abm_mpo:prior'", "'abm_mpo:prior'")
  text = alone.replace("method = 'abm_mpo'", "method = 'abm_mpo:prior'")
  study = load(tmp_path, text)
  assert policy.name in [cell.name for cell in study.cells]


def test_each_agent_takes_the_options_that_it_has(tmp_path: Path) -> None:
  cloning, policy, mine = load(tmp_path, SMALL).cells[:3]
  assert cloning.config.agent.batch_size == 32
  assert policy.config.agent.batch_size == 32
  assert policy.config.agent.snippet_length == 5
  assert (mine.config.agent.kind, mine.config.agent.snippet_length) == (
    'abm_mpo', 1,
  )  # fmt: skip
  assert mine.config.agent.batch_size == 32
  assert [c.learner_steps for c in (cloning, mine)] == [400, 800]


def test_runs_of_a_seed_share_their_log(tmp_path: Path) -> None:
  cells = load(tmp_path, SMALL).cells
  assert cells[0].start == cells[1].start != cells[3].start
  assert cells[3].start.seed == 0
  found = SMALL.replace(MAKE, "data = ['a', 'b']\nfirst_episodes = 3")
  starts = load(tmp_path, found).starts
  assert len(starts) == 1
  (start,) = starts.values()
  assert isinstance(start, LogConfig)
  assert start.directories(Path('x')) == (Path('a'), Path('b'))


def test_what_differs_has_another_name(tmp_path: Path) -> None:
  names = {cell.name for cell in load(tmp_path, SMALL).cells}
  assert len(names) == 6
  bigger = SMALL.replace("'mine']", "'mine', 'mpo']")
  assert names < {cell.name for cell in load(tmp_path, bigger).cells}
  for old, new in (
    ('episodes=9', 'episodes=10'),
    ('batch_size = 32', 'batch_size = 64'),
    ('evaluation_interval = 100', 'evaluation_interval = 50'),
  ):
    other = load(tmp_path, SMALL.replace(old, new))
    assert not names & {cell.name for cell in other.cells}, old


def test_a_name_stays() -> None:
  """One that was given once: results are kept by it."""
  root = Path(study_config.__file__).parents[2]
  study = study_file.load(root / 'studies/p2-priors.toml')
  assert study.cells[0].name == (
    'studies.point-make-conflicting-mpo-1-12aac1f4'
  )


def test_a_configuration_holds_no_path_of_the_machine(tmp_path: Path) -> None:
  cell = load(tmp_path, SMALL).cells[0]
  assert cell.configuration['log']['make'] in MAKE
  assert str(Path.cwd()) not in json.dumps(cell.configuration)


@pytest.mark.parametrize(
  ('old', 'new', 'message'),
  [
    ("'bc', 'abm", "'bcc', 'abm", "no method 'bcc'. Did you mean bc"),
    ('abm_mpo:prior', 'abm_mpo:priors', "no method 'abm_mpo:priors'"),
    ("kind = 'abm_mpo'", "kind = 'amb_mpo'", "no agent 'amb_mpo'. Did"),
    ("kind = 'abm_mpo', ", '', 'methods.mine.agent is .*; give it a kind'),
    ("agent = {kind = 'abm_mpo', snippet_length = 1}", 'agent = 3',
     'methods.mine.agent is 3'),
    ("log = ['mixed']", "log = ['mixde']", "no log 'mixde'. Did"),
    ("'mixed'", "'other'", "no log 'other'"),
    ('batch_size', 'bach_size', "'bach_size', which .* Did"),
    ('snippet_length = 5', 'vae_layer_sizes = [3]', 'an option of no agent'),
    ('learner_steps = 400', 'learner_step = 400', "no option 'learner_step'"),
    ('learner_steps = 400', 'actor_steps = 400', "no option 'actor_steps'"),
    ('learner_steps = 400', "data = ['x']", 'run has data, which the grid'),
    ('learner_steps = 800', 'seed = 3', 'methods.mine has seed, which'),
    ('learner_steps = 800', 'objective = {}', "no option 'objective'"),
    ('seed = [1, 0],', 'seed = [1], cycles = [4],', "unknown 'cycles'"),
    ("log = ['mixed']", "tier = ['expert']", 'lacks log, has an unknown .tier'),
    ('[methods.mine]', '[teachers.x]\n[methods.mine]', "unknown 'teachers'"),
    (MAKE, '', r'logs.mixed is {}; give it either make'),
    (MAKE, f"{MAKE}\ndata = ['x']", 'give it either make .* or data'),
    (MAKE, 'data = [3]', r'logs.mixed.data\[0\] is 3'),
    (MAKE, 'make = 3', 'logs.mixed.make is 3'),
    (MAKE, f'{MAKE}\nfirst_episodes = 0', 'first_episodes is 0; give'),
    (MAKE, f'{MAKE}\nfirst = 1', 'unknown .first.; it takes data, first_ep'),
    ('[logs.mixed]', "[logs.'a b']", r'logs.a b: the name becomes part'),
    ('times = 2', 'times = nan', r'test\[0\].times is nan'),
    ("above_method = 'bc', times", 'above = 1, times', 'times is of the'),
    ('interval = 100', 'interval = 101', 'run.evaluation_interval at least 1'),
  ],
)  # fmt: skip
def test_what_is_no_study_of_logs_is_refused(
  tmp_path: Path, old: str, new: str, message: str
) -> None:
  assert old in SMALL
  with pytest.raises(StudyError, match=message):
    load(tmp_path, SMALL.replace(old, new, 1))


def test_a_study_of_runs_has_no_logs_and_no_agents(tmp_path: Path) -> None:
  text = SMALL[: SMALL.index('[logs')] + SMALL[SMALL.index('[methods') :]
  with pytest.raises(StudyError, match="of runs has an unknown 'agent'"):
    load(tmp_path, text)
  misspelt = SMALL.replace('[logs.', '[log.')
  with pytest.raises(StudyError, match=r"unknown 'log'.*mean logs") as refusal:
    load(tmp_path, misspelt)
  assert "'agent'" not in str(refusal.value)


@pytest.mark.parametrize(
  ('log', 'message'),
  [
    ({'make': 'nowhere:make'}, "logs.it: .*'nowhere'"),
    ({'make': 'studies.point:wrte_log'}, 'Did you mean write_log'),
    ({'make': 'studies.point:write_log?epsodes=3'}, 'Did you mean episodes'),
    ({'make': 'studies.point:write_log?episodes'}, 'Write .name=value'),
    ({'data': ('/nowhere/at/all',)}, 'logs.it: .*/nowhere/at/all'),
  ],
)
def test_a_log_that_cannot_be_is_refused(
  log: dict[str, object], message: str
) -> None:
  config = LogConfig('it', 'it', 0, **log)  # type: ignore[arg-type]
  with pytest.raises(StudyError, match=message):
    logs.check(config, Task('it', 2, 2))
