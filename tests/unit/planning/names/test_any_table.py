"""Columns that are called like a row of a table, which make references of them where the types agree."""

from __future__ import annotations

import pytest

from tranship.planning.names.any_table import named_after_row


@pytest.mark.parametrize(
    "column",
    ["cust", "customer", "custid", "custno", "cust_id", "customer_no", "bill_customer", "mainCustNr"],
)
def test_a_row_of_the_table(column: str) -> None:
    assert named_after_row(column, "cust")
    assert named_after_row(column, "customers")


@pytest.mark.parametrize(
    "column", ["customers", "num_customers", "no_of_cust_rows", "customer_name", "no", "id", "accustom", "_"]
)
def test_something_else(column: str) -> None:
    assert not named_after_row(column, "customers")


def test_the_whole_name_of_a_table_counts() -> None:
    assert named_after_row("order_line", "order_lines")
    assert not named_after_row("line", "order_lines")
    assert not named_after_row("anything", "_")
