"""Ratios measured in one run against what a user would pick instead. Never asserted in a test: machines differ.

`python -m benchmarks [NAME ...]` runs them; each module has `run() -> list[Ratio]`.
"""
