"""Runs cells by IPython, where it can be imported: its magics, its displays, its tracebacks."""

from __future__ import annotations

from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from . import figures, showing

_output: Any = None


class _Hook(DisplayHook):  # type: ignore[misc]
    def __call__(self, result: Any = None) -> None:
        if result is None or self.quiet():
            return
        bundle, _ = self.compute_format_data(result)
        fields = showing.shown(result)
        fields.update(showing.of_bundle(bundle))
        fields.update(figures.shown(result) or {})
        _output.result(fields)
        self.update_user_ns(result)


class _Publisher(DisplayPublisher):  # type: ignore[misc]
    def publish(self, data: dict[str, Any], *rest: Any, **options: Any) -> None:
        _output.result(showing.of_bundle(data))

    def clear_output(self, wait: bool = False) -> None:
        """What has been shown has been shown."""


class _Shell(InteractiveShell):  # type: ignore[misc]
    displayhook_class = _Hook
    display_pub_class = _Publisher

    def _showtraceback(self, kind: Any, value: BaseException, lines: Any) -> None:
        told = lines if isinstance(lines, list) else [lines]
        trace, line = value.__traceback__, None
        while trace is not None:
            if trace.tb_frame.f_code.co_filename.startswith("<ipython-input"):
                line = trace.tb_lineno
            trace = trace.tb_next
        _output.error(value, told, line)


class Interactive:
    """The engine."""

    def __init__(self, output: Any) -> None:
        global _output
        _output = output
        config = Config()
        config.HistoryManager.enabled = False
        config.InteractiveShell.colors = "NoColor"
        config.InteractiveShell.xmode = "Context"
        self._shell = _Shell.instance(config=config)
        self.count = 0

    def run(self, code: str) -> None:
        self.count += 1
        self._shell.run_cell(code, store_history=True)
