"""Untrusted text made visible: nothing that comes out can move the cursor, change colours or reorder a line."""

# C0 as Unicode's control pictures (ESC is ␛), DEL as ␡; C1, bidi controls, invisible format characters, lone surrogates
# and line separators as <U+XXXX>, so that two different keys never look the same.
_PICTURES = {code: chr(0x2400 + code) for code in range(0x20)} | {0x7F: "\u2421"}
_HIDDEN = (
    list(range(0x80, 0xA0))
    + [0xAD, 0x61C, 0x180E]
    + list(range(0x200B, 0x2010))
    + list(range(0x2028, 0x202F))
    + list(range(0x2060, 0x2070))
    + [0xFEFF]
    + list(range(0xFFF0, 0xFFFC))
    + list(range(0xE0000, 0xE0080))
)
_TABLE: dict[int, str] = _PICTURES | {code: f"<U+{code:04X}>" for code in _HIDDEN}
_LINES: dict[int, str] = {code: shown for code, shown in _TABLE.items() if code not in (0x09, 0x0A)}


def visible(text: str, *, lines: bool = False, limit: int | None = None) -> str:
    """Text with every control code, bidi control and lone surrogate shown as a visible stand-in.

    lines: keep newlines and tabs (for a text area); otherwise they are shown too (for a cell or a name).
    limit: at most so many characters of the source, then "…": a 100,000-character line costs its first `limit`.
    """
    cut = limit is not None and len(text) > limit
    if cut:
        text = text[:limit]
    if not text.isprintable():
        text = text.translate(_LINES if lines else _TABLE)
        if not text.isprintable():
            text = "".join(f"<U+{ord(c):04X}>" if "\ud800" <= c <= "\udfff" else c for c in text)
    return text + "…" if cut else text


def visible_bytes(data: bytes, *, limit: int | None = None) -> str:
    """Bytes as text where they are UTF-8 (made visible), else as hex pairs."""
    head = data if limit is None else data[: limit * 4]
    try:
        return visible(head.decode("utf-8", "strict" if len(head) == len(data) else "ignore"), limit=limit)
    except UnicodeDecodeError:
        shown = data[: limit // 3] if limit is not None else data
        return "x'" + shown.hex() + ("…" if len(shown) < len(data) else "'")
