"""What a sandbox needs in order to use its way out: variables, and files in its `net/` folder (read-only inside, at /run/cfwb/net)."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterable
from importlib import resources
from pathlib import Path

# Inside: where the folder is bound, and where the init's relay listens.
FOLDER = "/run/cfwb/net"
PROXY = "http://127.0.0.1:3128"
SOCKET = "egress.sock"
BUNDLE = "bundle.pem"
AUTHORITY = "authority.pem"
NODE = "node-proxy.cjs"
# What a program that insists on a key is given instead of one; the rule sets the real one on the way out.
STAND_IN = "lent-by-cfwb"

_WITHOUT_PROXY = "localhost,127.0.0.1,::1,.localhost"
_BUNDLE_VARIABLES = (
    "SSL_CERT_FILE",  # OpenSSL, Python, Go, Ruby, uv
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "PIP_CERT",
    "NODE_EXTRA_CA_CERTS",
    "npm_config_cafile",  # npm takes the former as well, unless some npmrc names a file
    "CARGO_HTTP_CAINFO",
    "DENO_CERT",
    "AWS_CA_BUNDLE",
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
    "NIX_SSL_CERT_FILE",
    "HTTPLIB2_CA_CERTS",
)
# Where systems keep the roots they trust.
_ROOTS = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def environment(stand_ins: Iterable[str] = (), *, proxy: str = PROXY, folder: str = FOLDER) -> dict[str, str]:
    """The variables every process inside gets.

    stand_ins: names of variables that credential rules speak of; they get a value that is no key. proxy, folder: elsewhere than inside
    a bubblewrap sandbox (a provider without namespaces, a test).
    """
    found = dict.fromkeys(stand_ins, STAND_IN)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        found[name] = found[name.lower()] = proxy
    found["NO_PROXY"] = found["no_proxy"] = _WITHOUT_PROXY
    found |= dict.fromkeys(_BUNDLE_VARIABLES, f"{folder}/{BUNDLE}")
    # Node from 22.21 and 24.5 on reads the proxy variables itself; for older ones a preloaded module does it.
    found["NODE_USE_ENV_PROXY"] = "1"
    found["NODE_OPTIONS"] = f"--require={folder}/{NODE}"
    found["UV_NATIVE_TLS"] = "true"
    return found


def system_roots() -> bytes:
    """The certificates this machine trusts, PEM; b"" where they are not in a file."""
    paths = ssl.get_default_verify_paths()
    for path in (paths.cafile, *_ROOTS):
        if path:
            try:
                return Path(path).read_bytes()
            except OSError:
                continue
    return b""


def write_files(folder: Path, authority: bytes) -> None:
    """Put the files where the socket will be, for everybody to read and nobody but us to change. authority: its certificate, PEM.

    `bundle.pem` is also what belongs at /etc/ssl/certs/ca-certificates.crt inside.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if folder.lstat().st_uid != os.geteuid():  # made by an earlier version
        os.chown(folder, os.geteuid(), os.getegid(), follow_symlinks=False)
    folder.chmod(0o755)
    roots = system_roots()
    bundle = roots + (b"" if roots.endswith(b"\n") or not roots else b"\n") + authority
    node = resources.files(__package__).joinpath(NODE).read_bytes()
    for name, content in ((BUNDLE, bundle), (AUTHORITY, authority), (NODE, node)):
        path = folder / name
        fresh = folder / f".{name}.new"
        fresh.unlink(missing_ok=True)
        fresh.write_bytes(content)
        fresh.chmod(0o644)
        fresh.replace(path)
