"""A job a line comes in, its name and numbers; a line of JSON goes out, with what it took and made."""
import json
import sys
import time


def serve(jobs, cpu_seconds):
    """Runs jobs until the input ends. A job is a generator: up to its first `yield` is preparation, and not timed."""
    out, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        name, *numbers = line.split()
        job = jobs[name](*map(int, numbers))
        next(job)
        wall, cpu = time.perf_counter(), cpu_seconds()
        made = next(job)
        took = {'wallMs': (time.perf_counter() - wall) * 1000, 'cpuMs': (cpu_seconds() - cpu) * 1000}
        job.close()
        print(json.dumps({**took, 'made': made}), file=out, flush=True)
