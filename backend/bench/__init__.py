"""Measurements against the budgets, one module each. `python -m bench --help` tells how to run them."""
