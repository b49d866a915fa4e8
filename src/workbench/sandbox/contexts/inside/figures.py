"""Matplotlib's figures as results: those that are open when a cell ends or when `show` is called, as a picture and as data.

Nothing of Matplotlib is imported unless a cell does. Its backend is a module that is made when it is asked for
(MPLBACKEND=module://cfwb_figures, set by the host).
"""

from __future__ import annotations

import base64
import contextlib
import importlib.abc
import importlib.machinery
import io
import sys
from types import ModuleType
from typing import Any

NAME = "cfwb_figures"
POINTS = 10000
_output: Any = None


class _Backend(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(
        self, name: str, path: Any = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        return importlib.machinery.ModuleSpec(name, self) if name == NAME else None

    def exec_module(self, module: ModuleType) -> None:
        from matplotlib.backend_bases import FigureManagerBase
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        module.__dict__.update(FigureCanvas=FigureCanvasAgg, FigureManager=FigureManagerBase, show=show_open)


def install(output: Any) -> None:
    """Make the backend importable; `output` gets the results."""
    global _output
    _output = output
    sys.meta_path.append(_Backend())


def show_open(*args: Any, **options: Any) -> None:
    """Show and close every open figure."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None or _output is None:
        return
    for number in pyplot.get_fignums():
        figure = pyplot.figure(number)
        if figure.get_axes():
            _output.result(shown(figure))
        pyplot.close(figure)


def shown(value: Any) -> dict[str, Any] | None:
    """The fields of a result for a figure, None for anything else."""
    module = sys.modules.get("matplotlib.figure")
    if module is None or not isinstance(value, module.Figure):
        return None
    made = io.BytesIO()
    value.savefig(made, format="png", bbox_inches="tight")
    picture = base64.b64encode(made.getvalue()).decode()
    found: dict[str, Any] = {"text": repr(value), "png": picture}
    with contextlib.suppress(Exception):  # the picture is there
        found["chart"] = _chart(value)
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close(value)  # shown: not once more when the cell ends
    return found


def _chart(figure: Any) -> dict[str, Any]:
    axes = figure.get_axes()[0]
    labels = {"xlabel": axes.get_xlabel(), "ylabel": axes.get_ylabel()}
    kind = "unknown"
    data: Any = []
    if axes.lines:
        kind = "line"
        data = [
            {"label": line.get_label(), "x": _numbers(line.get_xdata()), "y": _numbers(line.get_ydata())}
            for line in axes.lines
        ]
    elif axes.containers:
        kind = "bar"
        names = [label.get_text() for label in axes.get_xticklabels()]
        heights = [bar.get_height() for bar in axes.containers[0]]
        data = {"labels": names, "values": _numbers(heights)}
    elif any(type(patch).__name__ == "Wedge" for patch in axes.patches):
        kind = "pie"
        wedges = [patch for patch in axes.patches if type(patch).__name__ == "Wedge"]
        data = {"labels": [text.get_text() for text in axes.texts if text.get_text()]}
        data["values"] = _numbers([(wedge.theta2 - wedge.theta1) / 360 for wedge in wedges])
    elif axes.images:
        kind = "heatmap"
    elif axes.collections:
        kind = "scatter"
        points = axes.collections[0].get_offsets()[:POINTS]
        data = {"x": _numbers(points[:, 0]), "y": _numbers(points[:, 1])}
    return {"type": kind, "title": axes.get_title(), "data": data, "layout": labels, "library": "matplotlib"}


def _numbers(values: Any) -> list[float | str | None]:
    found: list[float | str | None] = []
    for value in list(values)[:POINTS]:
        try:
            number = float(value)
            found.append(number if number - number == 0 else None)
        except (TypeError, ValueError):
            found.append(str(value))
    return found
