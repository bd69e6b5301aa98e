"""What a person may have meant."""

import pytest

from datasets import closest

OPTIONS = ('seed', 'agent.kind', 'objective.kind', 'objective.weight')


@pytest.mark.parametrize(
  ('name', 'said'),
  [
    ('sed', ' Did you mean seed?'),
    ('objective.wieght', ' Did you mean objective.weight, objective.kind?'),
    ('kind', ' Did you mean agent.kind, objective.kind?'),
    ('zzz', ''),
    ('', ''),
  ],
)
def test_the_closest_are_named(name: str, said: str) -> None:
  assert closest.hint(name, OPTIONS, '.') == said


def test_only_a_door_that_says_so_leaves_a_beginning_out() -> None:
  assert not closest.hint('kind', OPTIONS)


def test_where_nothing_is_close_a_short_list_is() -> None:
  names = [f'name{i}' for i in range(20)]
  assert closest.among('name7', names).startswith(' Did you mean name7')
  assert closest.among('zzz', names[:2]) == ' There are name0, name1.'
  assert closest.among('zzz', names).endswith(', name15 and 4 more.')
  assert closest.among('zzz', ()) == ' There are none.'
