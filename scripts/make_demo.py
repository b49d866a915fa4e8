"""Make the sample project of `cfwb demo` again: run the pinned emulator on demo/, fill its state, pack both.

    python -m scripts.make_demo

Everything is written through the sample Worker's own bindings; nothing here touches the state's files but to pack them.
"""

from __future__ import annotations

import json
import lzma
import os
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
import time
import zlib
from pathlib import Path

from tests.support.emulator import Emulator, environment_of_emulator, install, node_path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "demo"
SEED = ROOT / "scripts" / "demo_seed"
ARCHIVE = ROOT / "src" / "workbench" / "demo" / "shop-api.tar.xz"
LARGEST = 2_000_000
PARTS = ("kv", "cache", "r2", "d1", "objects", "workflows")
VISITS = (
    ("GET", "/products/7"),
    ("GET", "/customers/20/orders"),
    ("GET", "/cache/config/site"),
    ("GET", "/files/images/logo.png"),
    ("GET", "/tenants/acme/settings"),
    ("GET", "/apps/my-app/app/entries"),
    ("GET", "/bills/inv-1001"),
    ("GET", "/nowhere"),
)


def png(width: int, height: int, *, waves: int) -> bytes:
    """A picture that compresses: a gradient with rings."""
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            ring = ((x - width // 2) ** 2 + (y - height // 2) ** 2) * waves // (width * height) % 2
            rows += bytes((40 + 180 * x // width, 60 + 150 * y // height, 200 if ring else 90))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows), 9)), (b"IEND", b""))
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def apply_migrations(project: Path) -> None:
    """As a developer does it, before the first start."""
    with tempfile.TemporaryDirectory() as private:
        wrangler = install() / "node_modules" / "wrangler" / "bin" / "wrangler.js"
        command = [str(node_path()), str(wrangler), "d1", "migrations", "apply", "shop", "--local"]
        environment = environment_of_emulator(Path(private), {})
        subprocess.run(command, cwd=project, env=environment, stdin=subprocess.DEVNULL, check=True)


def fill(project: Path) -> None:
    """Write the state through the Worker's bindings."""
    seed = project / "seed"
    shutil.copytree(SEED, seed)
    (seed / "cover.bin").write_bytes(png(240, 160, waves=20))
    (seed / "logo.bin").write_bytes(png(48, 48, waves=8))
    body = json.dumps({"code": (SOURCES / "agent" / "app.js").read_text()}).encode()
    with Emulator(project, args=("seed/index.js",)) as emulator:
        for part in PARTS:
            status, answer = emulator.request("POST", f"/{part}", body)
            if status != 200:
                raise SystemExit(f"{part}: {status} {answer.decode()}\n{emulator.log}")
            print(part, answer.decode())
    shutil.rmtree(seed)
    # The traces of the filling tell nothing about a shop; those of the visits do.
    shutil.rmtree(project / ".wrangler" / "state" / "v3" / "observability")


def visit(project: Path) -> None:
    """Use the Worker a little, so that there are traces, and end it as a person does."""
    with Emulator(project) as emulator:
        for method, path in VISITS:
            print(method, path, emulator.request(method, path)[0])
        time.sleep(2)


def packed_files(project: Path) -> list[Path]:
    """Sources and state in a steady order; no shared memory, no build leftovers."""
    state = project / ".wrangler" / "state"
    found = [path for path in project.rglob("*") if path.is_file()]
    kept = [path for path in found if ".wrangler" not in path.parts or path.is_relative_to(state)]
    return sorted(path for path in kept if not path.name.endswith("-shm"))


def pack(project: Path) -> None:
    """Write the archive: owner, modes and times say nothing of this machine."""
    now = int(time.time())
    ARCHIVE.parent.mkdir(parents=True, exist_ok=True)
    with (
        lzma.open(ARCHIVE, "wb", preset=9 | lzma.PRESET_EXTREME) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path in packed_files(project):
            member = tarfile.TarInfo(os.path.join(project.name, path.relative_to(project)))
            member.size, member.mode, member.mtime = path.stat().st_size, 0o644, now
            with path.open("rb") as content:
                archive.addfile(member, content)
    size = ARCHIVE.stat().st_size
    print(f"{ARCHIVE.relative_to(ROOT)}: {size:,} bytes")
    if size > LARGEST:
        raise SystemExit(f"the archive is larger than {LARGEST:,} bytes")


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="cfwb-make-demo-") as folder:
        project = Path(folder) / "shop-api"
        shutil.copytree(SOURCES, project, ignore=shutil.ignore_patterns(".wrangler", "node_modules"))
        apply_migrations(project)
        fill(project)
        visit(project)
        pack(project)
    return 0


if __name__ == "__main__":
    sys.exit(main())
