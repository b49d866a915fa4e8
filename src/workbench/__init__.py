"""cfwb: a terminal workbench for Cloudflare's developer platform."""

__version__ = "0.1.0"
