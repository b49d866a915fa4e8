"""An engine for containers: the machine's own with an image made of its Python, or a stand-in that says it is one."""

from __future__ import annotations

import glob
import io
import os
import re
import shutil
import stat
import subprocess
import sys
import tarfile
from pathlib import Path

PROGRAMS = (
    "/usr/bin/python3",
    "/bin/sh",
    "/usr/bin/env",
    "/bin/ls",
    "/bin/cat",
    "/bin/sleep",
    "/usr/bin/id",
    "/bin/hostname",
)
IMAGE = "localhost/cfwb-test-python"
# runc where crun is not up to the kernel, and limits that a machine within a machine lets one set.
SETTINGS = '[containers]\ndefault_ulimits=["nofile=1024:1024","nproc=1024:1024"]\n[engine]\nruntime="runc"\n'

STAND_IN = """#!%(python)s
# A stand-in for the docker command: it writes down how it is called, and runs what it is told as a plain process.
import json, os, subprocess, sys, time
home = os.path.dirname(os.path.abspath(__file__))
words = sys.argv[1:]
with open(home + "/calls", "a") as calls:
    calls.write(json.dumps(words) + "\\n")
store = home + "/containers.json"
known = json.load(open(store)) if os.path.exists(store) else {}

def alive(pid):
    try:
        return open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False

def launch(one):
    config = one["shared"] + "/config.json"
    given = json.load(open(config))
    for each in ("logs", "scratch"):
        given[each] = one["shared"] + "/" + each
    given["cwd"] = one["workspace"]
    given["files"] = []
    json.dump(given, open(config, "w"))
    argv = [each.replace("/run/cfwb/outside", one["shared"]) for each in one["argv"]]
    null = subprocess.DEVNULL
    one["pid"] = subprocess.Popen([sys.executable, *argv], start_new_session=True, stdin=null, stdout=null, stderr=null).pid

verb = words[0]
if verb == "info":
    print("a stand-in of the tests of cfwb, not an engine")
elif verb == "run":
    name = words[words.index("--name") + 1]
    volumes = [words[at + 1].split(":") for at, word in enumerate(words) if word == "--volume"]
    label = words[words.index("--label") + 1].partition("=")[2]
    places = {inside: outside for outside, inside, *_ in volumes}
    known[name] = {"label": label, "shared": places["/run/cfwb/outside"], "workspace": places["/workspace"]}
    known[name]["argv"] = words[words.index("-I"):]
    launch(known[name])
    print("c0ffee")
elif verb == "start":
    launch(known[words[1]])
elif verb == "inspect" and words[-1] in known:
    one = known[words[-1]]
    pid = one["pid"] if alive(one["pid"]) else 0
    print(pid if words[2] == "{{.State.Pid}}" else f"{one['label']} {'true' if pid else 'false'} {pid}")
elif verb == "kill":
    subprocess.run(["pkill", "-KILL", "-P", str(known[words[1]]["pid"])])
    os.kill(known[words[1]]["pid"], 9)
elif verb == "rm" and words[-1] in known:
    if alive(known[words[-1]]["pid"]):
        os.kill(known[words[-1]]["pid"], 9)
    del known[words[-1]]
elif verb in ("commit", "update", "logs", "rmi"):
    pass
else:
    sys.exit("a stand-in of the tests of cfwb does not know this")
json.dump(known, open(store, "w"))
"""


def stand_in(folder: Path) -> Path:
    """The stand-in's command; beside it `calls`, a JSON list a line."""
    path = folder / "docker"
    path.write_text(STAND_IN % {"python": os.path.realpath(sys.executable)})
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def real(folder: Path) -> str | None:
    """An engine that runs a container made of this machine's own Python here; None where there is none or it does not."""
    settings = folder / "containers.conf"
    settings.write_text(SETTINGS)
    for name in ("podman", "docker"):
        path = shutil.which(name)
        if path is None:
            continue
        os.environ["CONTAINERS_CONF"] = str(settings)
        try:
            if subprocess.run([path, "image", "inspect", IMAGE], capture_output=True, timeout=60).returncode:
                subprocess.run(
                    [path, "import", "-", IMAGE], input=_image(), capture_output=True, check=True, timeout=120
                )
            trial = [path, "run", "--rm", "--network", "none", IMAGE, "python3", "-c", "print('ran')"]
            if subprocess.run(trial, capture_output=True, timeout=60).stdout == b"ran\n":
                return path
        except (OSError, subprocess.SubprocessError):
            continue
    return None


def _image() -> bytes:
    out = io.BytesIO()
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    library = Path(os.path.realpath("/usr/bin/python3")).name
    with tarfile.open(fileobj=out, mode="w") as tar:
        put: set[str] = set()
        modules = glob.glob("/usr/lib/python3*/lib-dynload/_ctypes.*")
        for program in (*PROGRAMS, *modules):
            found = os.path.realpath(program)
            used = subprocess.run(["ldd", found], capture_output=True, text=True).stdout
            for each in (*([] if program in modules else [found]), *re.findall(r"(/\S+) \(", used)):
                if each not in put:
                    put.add(each)
                    tar.add(
                        os.path.realpath(each),
                        each.replace("/lib", "/usr/lib", 1) if each.startswith("/lib") else each,
                    )
        for name, target in (
            ("bin", "usr/bin"),
            ("lib", "usr/lib"),
            ("lib64", "usr/lib64"),
            ("usr/bin/python3", library),
            ("usr/bin/sh", "dash"),
        ):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, target
            tar.addfile(link)
        for folder in ("tmp", "root", "workspace", "run", "etc"):
            made = tarfile.TarInfo(folder)
            made.type, made.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(made)
        tar.add(
            f"/usr/lib/{library if library != 'python3' else version}",
            filter=lambda each: None if "__pycache__" in each.name else each,
        )
    return out.getvalue()
