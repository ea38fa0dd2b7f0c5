"""What the parts cost, measured. Each bench_*.py offers `run()`; benchmarks/run.py shows them all."""
