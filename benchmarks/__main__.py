"""`python -m benchmarks [NAME ...]`: every figure, with whether it is within what was promised."""

import importlib
import pkgutil
import sys

import benchmarks

SKIPPED = {"__main__", "harness"}


def main(names: list[str]) -> int:
    found = [m.name for m in pkgutil.iter_modules(benchmarks.__path__) if m.name not in SKIPPED]
    missed = 0
    for module in names or sorted(found):
        for ratio in importlib.import_module(f"benchmarks.{module}").run():
            bound = f"{'at most' if ratio.at_most else 'at least'} {ratio.limit:g}x"
            sign = "ok  " if ratio.met else "MISS"
            missed += not ratio.met
            print(
                f"{sign} {ratio.name}: {ratio.ratio:.2f}x ({bound}; ours {ratio.ours * 1000:.1f} ms, "
                f"peer {ratio.peer * 1000:.1f} ms){'  ' + ratio.note if ratio.note else ''}",
                flush=True,
            )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
