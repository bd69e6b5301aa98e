"""What is refused, and how the refusal reads."""

from typing import Any

import numpy as np
import pytest

from datasets.tasks import Field, Task
from datasets.types import Annotation, EnvironmentSpec, EpisodeId
from datasets.validation import EpisodeRefused, check_episode, check_task
from tests.datasets.samples import CHEETAH, make_episode

NAN, INF = float('nan'), float('inf')
WRONG: Any = 'x'


def _with(name, where, value):
  array = getattr(make_episode(), name).copy()
  array[where] = value
  return {name: array}


def _advice(**fields):
  fields = {
    'teacher': 'teacher',
    'version': 'v1',
    'actions': np.zeros((20, 6), np.float32),
    **fields,
  }
  return {'annotation': Annotation(**fields)}


REFUSED = [
  (_with('observations', (3, 2), NAN), 'observations[3, 2] is nan'),
  (_with('observations', (20, 0), INF), 'observations[20, 0] is inf'),
  (_with('rewards', 7, -INF), 'rewards[7] is -inf'),
  (_with('actions', (1, 5), NAN), 'actions[1, 5] is nan'),
  (_with('actions', (1, 5), 1.001), 'actions[1, 5] is 1.001'),
  (_with('actions', (0, 0), -2), 'actions[0, 0] is -2.0'),
  (_with('discounts', 2, 0.99), 'discounts[2] is 0.99'),
  (_with('discounts', 2, 0), '17 steps follow'),
  ({'observations': np.zeros((20, 17), np.float32)}, '(21, 17)'),
  ({'observations': np.zeros((21, 16), np.float32)}, '(21, 16)'),
  ({'observations': np.zeros((21, 17))}, 'float64'),
  ({'observations': [[0.0]]}, 'list'),
  ({'actions': np.zeros((20, 5), np.float32)}, '(20, 5)'),
  ({'discounts': np.ones(19, np.float32)}, '(19,)'),
  ({'rewards': np.zeros((20, 1), np.float32)}, '(20, 1)'),
  ({'rewards': np.zeros(0, np.float32)}, 'no step'),
  ({'policy': 'another'}, 'by policy another'),
  ({'policy': ''}, "policy is ''"),
  ({'policy': None}, 'policy is None'),
  ({'identity': EpisodeId('', 1, 0, 0)}, 'no name'),
  ({'identity': EpisodeId('run', -1, 0, 0)}, 'cycle is -1'),
  ({'identity': EpisodeId('run', 1, WRONG, 0)}, "actor is 'x'"),
  ({'identity': EpisodeId('run', 1, 0, True)}, 'episode is True'),
  ({'identity': ('run', 1, 0, 0)}, 'no EpisodeId'),
  (_advice(actions=np.full((20, 6), 3, np.float32)), 'is 3.0'),
  (_advice(actions=np.full((20, 6), NAN, np.float32)), 'is nan'),
  (_advice(actions=np.zeros((19, 6), np.float32)), '(19, 6)'),
  (_advice(teacher=''), "teacher is ''"),
  (_advice(version=None), 'version is None'),
]


@pytest.mark.parametrize(('fields', 'message'), REFUSED)
def test_refuses(fields, message):
  episode = make_episode()._replace(**fields)
  with pytest.raises(EpisodeRefused) as error:
    check_episode(episode, CHEETAH, 'policy-digest', None)
  assert message in str(error.value)
  assert str(episode.identity) in str(error.value)


def test_refuses_another_length():
  with pytest.raises(EpisodeRefused, match='has 20 steps, but must have 1000'):
    check_episode(make_episode(), CHEETAH, None, 1000)


@pytest.mark.parametrize('terminates', [False, True])
@pytest.mark.parametrize('with_advice', [False, True])
@pytest.mark.parametrize('length', [1, 20])
def test_accepts(length, with_advice, terminates):
  episode = make_episode(
    length=length, with_advice=with_advice, terminates=terminates
  )
  check_episode(episode, CHEETAH, 'policy-digest', length)
  check_episode(episode, CHEETAH)


def test_accepts_the_bounds():
  spec = EnvironmentSpec(1, 1)
  actions = np.array([[-1], [1]], np.float32)
  episode = make_episode(length=2, spec=spec, actions=actions)
  advised = episode._replace(annotation=Annotation('t', 'v', actions))
  check_episode(advised, spec)


RUN = Task('cheetah-run', 17, 6, (Field('all', (17,)),))


@pytest.mark.parametrize(
  ('task', 'says'),
  [
    (Task('cheetah-hop', 17, 6), 'name: cheetah-hop, not cheetah-run'),
    (Task('cheetah-run', 17, 6, (Field('x', (17,)),)), "'x', not 'all'"),
  ],
)
@pytest.mark.parametrize(
  'check', [check_task, lambda e, task: check_episode(e, CHEETAH, task=task)]
)
def test_another_task_of_equal_widths_is_refused(check, task, says):
  episode = make_episode(task=task)
  with pytest.raises(EpisodeRefused, match=says) as error:
    check(episode, RUN)
  assert str(episode.identity) in str(error.value)


def test_only_files_may_lack_their_task():
  old = make_episode()
  check_task(old, RUN)
  check_episode(old, CHEETAH)
  with pytest.raises(EpisodeRefused, match='says of no task'):
    check_episode(old, CHEETAH, task=RUN)
  for task in (RUN, Task('cheetah-run', 17, 6)):
    check_task(make_episode(task=task), RUN)
    check_episode(make_episode(task=task), CHEETAH, task=RUN)
  check_task(make_episode(task=RUN), None)


def test_an_episode_is_named_for_a_person() -> None:
  with pytest.raises(EpisodeRefused) as refusal:
    check_episode(make_episode(3, **_with('rewards', 7, NAN)), CHEETAH)
  said = str(refusal.value)
  assert said.startswith("Episode 3 of actor 1 in cycle 1 of 'run': rewards[7]")
