"""Measures the cost of the parts. Each bench_*.py offers `run()`; benchmarks/run.py shows them all."""
