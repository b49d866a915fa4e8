"""The sample project: sources and state of a Worker, as the real emulator wrote them (`scripts/make_demo.py`).

Imports nothing of workbench, and little else until it is asked to unpack.
"""

import os

NAME = "shop-api"
ARCHIVE = os.path.join(os.path.dirname(__file__), NAME + ".tar.xz")


def unpack(into: str | None = None) -> str:
    """Unpack the sample and return its project folder, `<folder>/shop-api`.

    The folder is `into`, made where it is missing, or a fresh temporary one; either way only its owner may enter a
    folder made here. Raises FileExistsError where `into` holds a sample already, OSError where it cannot be written.
    """
    import shutil
    import tarfile
    import tempfile

    if into is None:
        into = tempfile.mkdtemp(prefix="cfwb-demo-")
    else:
        os.makedirs(into, mode=0o700, exist_ok=True)
    project = os.path.join(into, NAME)
    os.mkdir(project, mode=0o700)
    with tarfile.open(ARCHIVE, "r:xz") as archive:
        for member in archive:
            content = archive.extractfile(member)
            if content is None or not _is_plain(member.name):
                raise tarfile.ReadError(f"the sample holds more than plain files: {member.name!r}")
            target = os.path.join(into, *member.name.split("/"))
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "xb") as out:
                shutil.copyfileobj(content, out)
    return project


def _is_plain(name: str) -> bool:
    parts = name.split("/")
    return parts[0] == NAME and not {"", ".", ".."} & set(parts)
