"""A value as what it can be shown as: text, HTML, JSON, an image, a table. Fields of a result as the sandbox SDK names them."""

from __future__ import annotations

import base64
import json
import math
from typing import Any

LONGEST_TEXT = 1 << 20
LARGEST = 16 << 20
LARGEST_FRAME = 24 << 20  # more of one result than its text is left out, and what is said
ROWS = 1000

_METHODS = (
    ("html", "_repr_html_"),
    ("markdown", "_repr_markdown_"),
    ("svg", "_repr_svg_"),
    ("latex", "_repr_latex_"),
    ("javascript", "_repr_javascript_"),
    ("png", "_repr_png_"),
    ("jpeg", "_repr_jpeg_"),
    ("json", "_repr_json_"),
)
_TYPES = {
    "text/plain": "text",
    "text/html": "html",
    "text/markdown": "markdown",
    "image/svg+xml": "svg",
    "text/latex": "latex",
    "application/javascript": "javascript",
    "image/png": "png",
    "image/jpeg": "jpeg",
    "application/json": "json",
}


def shown(value: Any) -> dict[str, Any]:
    """The fields of a result for a value."""
    found: dict[str, Any] = {"text": _text(value)}
    found.update(of_bundle(_bundle(value)))
    # On a class these are functions that want an instance.
    for field, method in () if isinstance(value, type) else _METHODS:
        if field not in found and (made := _call(value, method)) is not None:
            found.update(_fit(field, made))
    if "json" not in found and isinstance(value, (dict, list, tuple)):
        found.update(_fit("json", value))
    table = _table(value)
    if table is not None:
        found["table"] = table
    return found


def of_bundle(bundle: dict[str, Any]) -> dict[str, Any]:
    """The fields for a MIME bundle; types that have none are kept by their name under `data`."""
    found: dict[str, Any] = {}
    for kind, made in bundle.items():
        field = _TYPES.get(kind)
        if field is not None:
            found.update(_fit(field, made))
        else:
            plain = _plain(made)
            if plain is not None:
                found.setdefault("data", {})[kind] = plain
    return found


def _text(value: Any) -> str:
    try:
        text = repr(value)
    except Exception as error:
        text = f"<{type(value).__name__} that cannot be shown: {error}>"
    return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "…"


def _bundle(value: Any) -> dict[str, Any]:
    made = None if isinstance(value, type) else _call(value, "_repr_mimebundle_")
    if isinstance(made, tuple):
        made = made[0]
    return made if isinstance(made, dict) else {}


def _call(value: Any, method: str) -> Any:
    try:
        function = getattr(value, method, None)
        made = function() if callable(function) else None
    except Exception:
        return None
    return made[0] if isinstance(made, tuple) and method != "_repr_mimebundle_" and made else made


def _fit(field: str, made: Any) -> dict[str, Any]:
    """One field, where its value is of the kind it has to be and not too large."""
    if field in ("png", "jpeg"):
        if isinstance(made, (bytes, bytearray)):
            made = base64.b64encode(made).decode()
        return {field: made} if isinstance(made, str) and len(made) <= LARGEST else {}
    if field == "json":
        plain = _plain(made)
        return {} if plain is None else {field: plain}
    return {field: made} if isinstance(made, str) and len(made) <= LARGEST else {}


def _plain(value: Any) -> Any:
    """The value as JSON can say it, or None."""
    try:
        text = json.dumps(value, allow_nan=False)
    except (ValueError, TypeError, RecursionError):
        return None
    return json.loads(text) if len(text) <= LARGEST else None


def _table(value: Any) -> dict[str, Any] | None:
    """{columns, rows, total} of a data frame (pandas, polars) or of a list of dicts with the same keys; at most ROWS rows."""
    try:
        if isinstance(value, list):
            if not value or not all(isinstance(row, dict) and row for row in value[:ROWS]):
                return None
            columns = list(value[0])
            if any(list(row) != columns for row in value[:ROWS]):
                return None
            rows, total = [list(row.values()) for row in value[:ROWS]], len(value)
        elif hasattr(value, "itertuples") and hasattr(value, "columns"):
            columns, total = list(value.columns), len(value)
            rows = [list(row) for row in value.head(ROWS).itertuples(index=False, name=None)]
        elif hasattr(value, "iter_rows") and hasattr(value, "columns"):
            columns, total = list(value.columns), value.height
            rows = [list(row) for row in value.head(ROWS).iter_rows()]
        else:
            return None
        return {
            "columns": [str(column) for column in columns],
            "rows": [[_cell(cell) for cell in row] for row in rows],
            "total": total,
        }
    except Exception:
        return None


def _cell(cell: Any) -> Any:
    """A cell as JSON can say it; what it cannot is its text."""
    if cell is None or isinstance(cell, (bool, str)):
        return cell
    if hasattr(cell, "item") and not hasattr(cell, "__len__"):  # a NumPy scalar
        try:
            cell = cell.item()
        except Exception:
            return str(cell)
    if isinstance(cell, int) and not isinstance(cell, bool):
        return cell if abs(cell) < 1 << 63 else str(cell)
    if isinstance(cell, float):
        return cell if math.isfinite(cell) else None if math.isnan(cell) else str(cell)
    return str(cell)
