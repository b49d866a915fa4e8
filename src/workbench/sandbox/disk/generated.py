"""The root folder of a fresh sandbox, its /etc, /var and home: written here, or taken from packages as they were shipped.

Nothing of the machine's own: of its /etc only configuration files that are, by their checksum, exactly what their package brought,
links into /usr, the cache of the loader and the public certificates.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat

_ACCOUNTS = """\
root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
"""
_GROUPS = "root:x:0:\ndaemon:x:1:\ntty:x:5:\nadm:x:4:\nstaff:x:50:\nwww-data:x:33:\nnogroup:x:65534:\n"
_FOLDERS = {
    "etc": 0o755, "var": 0o755, "root": 0o700, "home": 0o755, "opt": 0o755, "srv": 0o755, "mnt": 0o755, "media": 0o755,
    "workspace": 0o755, "usr": 0o755, "tmp": 0o1777, "run": 0o755, "proc": 0o755, "sys": 0o755, "dev": 0o755,
}  # fmt: skip
_WRITTEN = {
    "hostname": "sandbox\n",
    "hosts": "127.0.0.1 localhost\n127.0.1.1 sandbox\n::1 localhost ip6-localhost\n",
    "resolv.conf": "# Names are resolved by the proxy outside.\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nservices: files\nprotocols: files\n",
    "shells": "/bin/sh\n/bin/bash\n",
    "fstab": "",
    "timezone": "Etc/UTC\n",
    "apt/apt.conf.d/99cfwb": 'APT::Sandbox::User "root";\nAcquire::Languages "none";\n',
    "dpkg/dpkg.cfg.d/cfwb": "force-unsafe-io\n",
}
_COPIED = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "ca-certificates.conf", "debian_version")
_CERTIFICATES = (
    "ssl/certs",
    "ssl/openssl.cnf",
    "pki/ca-trust/extracted",
    "pki/tls/certs",
    "ca-certificates/extracted",
)
_VAR = (
    "backups", "cache/apt/archives/partial", "cache/debconf", "cache/ldconfig", "lib/apt/lists/partial", "lib/apt/periodic",
    "lib/dpkg", "lib/misc", "lib/pam", "lib/systemd", "log/apt", "mail", "opt", "spool",
)  # fmt: skip
_HOME = {
    "/usr/share/base-files/profile": "etc/profile",
    "/usr/share/base-files/dot.profile": "root/.profile",
    "/etc/skel/.bashrc": "root/.bashrc",
}
_LARGEST = 4 << 20
_DISTRIBUTIONS = {
    "debian": ("http://deb.debian.org/debian", "main", "debian-archive-keyring.gpg", ("", "-updates")),
    "ubuntu": (
        "http://archive.ubuntu.com/ubuntu",
        "main universe",
        "ubuntu-archive-keyring.gpg",
        ("", "-updates", "-security"),
    ),
}


def make(folder: str) -> None:
    """All of a fresh disk but /usr, in a new folder."""
    for name, mode in _FOLDERS.items():
        os.makedirs(os.path.join(folder, name))
        os.chmod(os.path.join(folder, name), mode)
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        if os.path.islink("/" + name):
            os.symlink(os.readlink("/" + name), os.path.join(folder, name))
        elif os.path.isdir("/" + name):
            os.mkdir(os.path.join(folder, name))
    etc, var = os.path.join(folder, "etc"), os.path.join(folder, "var")
    _shipped(etc)
    for name in (*_COPIED, *_CERTIFICATES):
        _copy(os.path.join("/etc", name), os.path.join(etc, name))
    _links("/etc/alternatives", os.path.join(etc, "alternatives"))
    _accounts(etc)
    for name, text in _WRITTEN.items():
        _write(os.path.join(etc, name), text)
    _sources(etc)
    _link("../usr/lib/os-release", os.path.join(etc, "os-release"))
    _link("/usr/share/zoneinfo/Etc/UTC", os.path.join(etc, "localtime"))
    _link("/proc/self/mounts", os.path.join(etc, "mtab"))
    for name in _VAR:
        os.makedirs(os.path.join(var, name), exist_ok=True)
    os.mkdir(os.path.join(var, "tmp"))
    os.chmod(os.path.join(var, "tmp"), 0o1777)
    _link("/run", os.path.join(var, "run"))
    _link("/run/lock", os.path.join(var, "lock"))
    _packages(var)
    for source, target in _HOME.items():
        _copy(source, os.path.join(folder, target))


def _write(path: str, text: str, mode: int = 0o644) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.lexists(path):
        os.unlink(path)
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)


def _link(target: str, path: str) -> None:
    if os.path.lexists(path):
        os.unlink(path)
    os.symlink(target, path)


def _copy(source: str, target: str) -> None:
    """A public file, or a folder of them: what is not readable by everybody, or too large, is left out."""
    try:
        found = os.lstat(source)
        if stat.S_ISDIR(found.st_mode):
            for name in os.listdir(source):
                _copy(os.path.join(source, name), os.path.join(target, name))
        elif stat.S_ISLNK(found.st_mode):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            _link(os.readlink(source), target)
        elif stat.S_ISREG(found.st_mode) and found.st_mode & 0o004 and found.st_size <= _LARGEST:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copyfile(source, target)
            os.chmod(target, stat.S_IMODE(found.st_mode) & 0o755)
    except OSError:
        return


def _links(source: str, target: str) -> None:
    """The links of a folder that lead into /usr (Debian's alternatives: awk, editor, pager, python)."""
    os.makedirs(target, exist_ok=True)
    try:
        names = os.listdir(source)
    except OSError:
        return
    for name in names:
        path = os.path.join(source, name)
        if os.path.islink(path) and os.readlink(path).startswith("/usr/"):
            _link(os.readlink(path), os.path.join(target, name))


def _shipped(etc: str) -> None:
    """Configuration files of Debian packages that nobody has changed since."""
    try:
        with open("/var/lib/dpkg/status", encoding="utf-8", errors="replace") as file:
            status = file.read()
    except OSError:
        return
    for path, digest in re.findall(r"^ (/etc/\S+) ([0-9a-f]{32})$", status, re.MULTILINE):
        if ".." in path:
            continue
        try:
            if os.path.getsize(path) <= _LARGEST:
                with open(path, "rb") as found:
                    if hashlib.md5(found.read(), usedforsecurity=False).hexdigest() == digest:
                        _copy(path, os.path.join(etc, path[5:]))
        except OSError:
            continue


def _accounts(etc: str) -> None:
    """The accounts that the distribution begins with, none of the machine's."""
    for name, fallback in (("passwd", _ACCOUNTS), ("group", _GROUPS)):
        try:
            with open(f"/usr/share/base-passwd/{name}.master") as file:
                text = re.sub(r"^([^:]+):\*:", r"\1:x:", file.read(), flags=re.MULTILINE)
        except OSError:
            text = fallback
        _write(os.path.join(etc, name), text)
        if name == "passwd":
            names = re.findall(r"^([^:\n]+):", text, re.MULTILINE)
            shadow = "".join(f"{each}:*:19000:0:99999:7:::\n" for each in names)
            _write(os.path.join(etc, "shadow"), shadow, 0o640)
    _write(os.path.join(etc, "gshadow"), "", 0o640)


def _sources(etc: str) -> None:
    """Where packages come from: the distribution's own address."""
    try:
        with open("/usr/lib/os-release") as file:
            release = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', file.read(), re.MULTILINE))
    except OSError:
        return
    known = _DISTRIBUTIONS.get(release.get("ID", ""))
    codename = release.get("VERSION_CODENAME")
    if known and codename:
        address, components, keyring, suites = known
        names = " ".join(codename + suffix for suffix in suites)
        text = f"Types: deb\nURIs: {address}\nSuites: {names}\nComponents: {components}\nSigned-By: /usr/share/keyrings/{keyring}\n"
        _write(os.path.join(etc, "apt/sources.list.d/base.sources"), text)


def _packages(var: str) -> None:
    """The package database, so that what is installed above knows what is there."""
    source, target = "/var/lib/dpkg", os.path.join(var, "lib/dpkg")
    if not os.path.isdir(source):
        return
    for name in ("info", "triggers", "updates", "alternatives", "parts"):
        os.makedirs(os.path.join(target, name), exist_ok=True)
        _copy(os.path.join(source, name), os.path.join(target, name))
    for name in ("available", "diversions", "cmethopt"):
        _copy(os.path.join(source, name), os.path.join(target, name))
    _write(os.path.join(target, "statoverride"), "")  # it names accounts of the machine
    shutil.copyfile(os.path.join(source, "status"), os.path.join(target, "status"))
