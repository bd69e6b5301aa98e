"""The table of a study on a terminal."""

from launchers.studies.tables import Table, narrowed

HEAD = [
  'method', 'teacher', 'cycles', 'runs', 'seeds', 'initial_drop', 'mean',
  'late', 'final', 'P(mean > none)', 'P(late > none)',
]  # fmt: skip
TABLE = Table(
  HEAD, [['teacher_action_r5', 'expert', '2', '1 of 1', '1', *['0.50'] * 6]]
)


def test_a_wide_terminal_has_all() -> None:
  assert narrowed(TABLE, 200) == TABLE


def test_a_narrow_one_has_whole_columns() -> None:
  table = narrowed(TABLE, 80)
  assert table.head[0] == 'method'
  assert {'runs', 'mean', 'late', 'final'} < set(table.head)
  assert table.rows[0][table.head.index('runs')] == '1 of 1'
  widths = [
    max(map(len, pair)) for pair in zip(table.head, table.rows[0], strict=True)
  ]
  assert sum(width + 3 for width in widths) < 80
  assert narrowed(TABLE, 10).head == ['method', 'runs', 'mean', 'late', 'final']
