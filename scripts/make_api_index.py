"""Make the index of every operation of the Cloudflare API from the official Python SDK (PyPI `cloudflare`, a development dependency).

    python scripts/make_api_index.py

It reads the SDK's sources without importing them (`api_sdk`), gives each operation a name of our grammar (`api_names`) and
writes `src/workbench/backends/cloudflare/operations.bin`. Only facts are taken: methods, paths, the names and types of parameters and
fields.
"""

from __future__ import annotations

import json
import sys
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from api_names import named
from api_sdk import SDK, Found, read

from workbench.backends.cloudflare.catalogue import DATA, MAGIC


def packed(operations: list[Found], version: str) -> bytes:
    """A head of JSON in one line (the SDK's version, and where each product's part lies), then the parts, compressed."""
    products: dict[str, list[list[object]]] = {}
    for operation, name in named(operations):
        entry = [
            name,
            operation.method,
            operation.path,
            operation.pages,
            operation.parameters,
            operation.result,
        ]
        products.setdefault(name.partition(".")[0], []).append(entry)
    parts = {
        product: zlib.compress(json.dumps(sorted(entries), separators=(",", ":")).encode(), 9)
        for product, entries in sorted(products.items())
    }
    names = [[entry[0], entry[1], entry[2]] for entries in products.values() for entry in sorted(entries)]
    parts[""] = zlib.compress(json.dumps(sorted(names), separators=(",", ":")).encode(), 9)
    where, at = {}, 0
    for product, part in parts.items():
        where[product] = [at, len(part)]
        at += len(part)
    head = json.dumps({"sdk": version, "parts": where}, separators=(",", ":")).encode()
    return MAGIC + head + b"\n" + b"".join(parts.values())


def main() -> None:
    version = json.loads(
        json.dumps((SDK / "_version.py").read_text().split('__version__ = "')[1].split('"')[0])
    )
    operations = read(SDK)
    data = packed(operations, version)
    Path(DATA).write_bytes(data)
    print(f"{len(operations):,} operations of cloudflare {version}, {len(data):,} bytes")


if __name__ == "__main__":
    main()
