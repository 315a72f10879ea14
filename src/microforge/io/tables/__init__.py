"""Tables as files, read whatever program wrote them, and written as plain CSV."""

from microforge.io.tables.formulas import unguarded
from microforge.io.tables.reading import TABLE_SUFFIXES, Table, as_number, listed, plain_name, read_table
from microforge.io.tables.writing import (
    PackedLines,
    PackedRows,
    TableRows,
    csv_line,
    joined_tables,
    open_table,
    rows_of,
    text_rows,
    write_table,
)

__all__ = [
    "TABLE_SUFFIXES",
    "PackedLines",
    "PackedRows",
    "Table",
    "TableRows",
    "as_number",
    "csv_line",
    "joined_tables",
    "listed",
    "open_table",
    "plain_name",
    "read_table",
    "rows_of",
    "text_rows",
    "unguarded",
    "write_table",
]
