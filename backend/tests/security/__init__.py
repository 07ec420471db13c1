"""The threat table of docs/security.md, row by row: the number stands in each test's name."""
