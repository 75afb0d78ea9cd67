import pandas as pd

from vlmrm.page import tables
from vlmrm.page.tables import shown_table


def texts(table):
    return [[cell.text for cell in row.cells] for row in table.rows]


def test_a_value_stands_beside_its_interval():
    table = pd.DataFrame({"epic": [0.12345, 0.5], "epic_low": [0.1, 0.4], "epic_high": [0.2, 0.6]})
    shown = shown_table(table)
    assert shown.columns == ["EPIC"]
    assert texts(shown) == [["0.123 (0.100 to 0.200)"], ["0.500 (0.400 to 0.600)"]]
    assert [row.cells[0].value for row in shown.rows] == [0.12345, 0.5]


def test_success_rates_have_intervals_too():
    table = pd.DataFrame({"success_rate": [0.5, 1.0], "low": [0.4, 0.9], "high": [0.6, 1.0]})
    assert texts(shown_table(table)) == [["0.500 (0.400 to 0.600)"], ["1 (0.900 to 1)"]]


def test_columns_with_one_value_are_named_once_and_empty_ones_not_at_all():
    table = pd.DataFrame({"task": ["t", "t"], "license": [None, None], "n": [1, 2000]})
    shown = shown_table(table)
    assert shown.constants == {"task": "t"}
    assert shown.columns == ["n"]
    assert texts(shown) == [["1"], ["2,000"]]


def test_a_value_that_all_rows_share_keeps_its_interval():
    table = pd.DataFrame({"success_rate": [0.0, 0.0], "low": [0.0, 0.0], "high": [0.037, 0.037]})
    assert shown_table(table).constants == {"success rate": "0 (0 to 0.037)"}
    table["high"] = [0.161, 0.037]  # of 20 trajectories, and of 100
    shown = shown_table(table)
    assert not shown.constants
    assert texts(shown) == [["0 (0 to 0.161)"], ["0 (0 to 0.037)"]]


def test_the_only_row_is_shown_whole():
    assert shown_table(pd.DataFrame({"task": ["t"], "n": [1]})).columns == ["task", "n"]


def test_missing_numbers_are_dashes():
    shown = shown_table(pd.DataFrame({"rho": [0.5, None], "rho_low": 0.1, "rho_high": [0.9, None]}))
    assert texts(shown) == [["0.500 (0.100 to 0.900)"], ["-"]]


def test_a_long_table_is_not_shown():
    shown = shown_table(pd.DataFrame({"n": range(tables.MAX_ROWS + 1)}))
    assert shown.rows is None
    assert shown.length == tables.MAX_ROWS + 1


def test_rows_know_what_they_are_about_and_references_belong_to_all():
    columns = ["task", "reward_source", "scoring"]
    rows = [
        ("t", "sim-S", "alpha-1"),
        ("t", "oracle", "alpha-0"),
        ("t", "random-policy", "alpha-0"),
    ]
    shown = shown_table(pd.DataFrame(rows, columns=columns))
    assert [(row.task, row.model, row.scoring) for row in shown.rows] == [
        ("t", "sim-S", "alpha-1"),
        ("t", "", ""),
        ("t", "", ""),
    ]
