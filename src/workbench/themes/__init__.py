"""The two themes, as data. `value-*` and `sql-*` colour kinds of values (widgets/palette.py), `target-*` the target badge.

Every text colour is at least 4.5:1 on `background`, `surface` and `panel` (WCAG AA; tests/test_ui_themes.py), and nothing is
said by colour alone: the remote target also has other words, another sign and a double border.
"""

from textual.theme import Theme


def _ansi(colours: str) -> dict[str, str]:
    """The 16 colours of programs in a terminal (widgets/terminal/colours.py)."""
    return {f"ansi-{index}": f"#{colour}" for index, colour in enumerate(colours.split())}


DARK = Theme(
    name="cfwb-dark",
    dark=True,
    primary="#F6A04D",
    secondary="#7CB7FF",
    accent="#C9A2FF",
    warning="#FFCB6B",
    error="#FF7A85",
    success="#8CD18B",
    foreground="#E6E6E3",
    background="#15161A",
    surface="#1B1D22",
    panel="#282B32",
    variables={
        "target-local": "#8CD18B",
        "target-remote": "#FF7A85",
        "target-server": "#7CB7FF",
        "target-remote-bar": "#3A1519",
        "target-server-bar": "#14263D",
        "value-null": "#9A9DA6",
        "value-number": "#8FC1FF",
        "value-string": "#A5D6A0",
        "value-constant": "#D0B0FF",
        "value-key": "#F2B57A",
        "value-type": "#D0B0FF",
        "value-blob": "#D0B0FF",
        "value-invalid": "#FFCB6B",
        "sql-keyword": "#F6A04D",
        "sql-function": "#8FC1FF",
        "text-muted": "#A5A8B1",
        "text-primary": "#F6A04D",
        "text-secondary": "#8FC1FF",
        "text-accent": "#D0B0FF",
        "text-warning": "#FFCB6B",
        "text-error": "#FF8B95",
        "text-success": "#8CD18B",
        "block-cursor-background": "#F6A04D",
        "block-cursor-foreground": "#15161A",
        "block-cursor-blurred-background": "#4A3A28",
        "block-cursor-blurred-foreground": "#E6E6E3",
        "footer-key-foreground": "#F6A04D",
        "input-selection-background": "#3D5A80",
        "scrollbar": "#4A4E59",
        "scrollbar-hover": "#6A6F7C",
        "scrollbar-active": "#F6A04D",
        "scrollbar-background": "#1B1D22",
        "scrollbar-background-hover": "#1B1D22",
        "scrollbar-background-active": "#1B1D22",
        "scrollbar-corner-color": "#1B1D22",
    }
    | _ansi(
        "2B2E36 FF7A85 8CD18B FFCB6B 7CB7FF D0A0FF 6FD3D3 C9CCD3"
        " 7D828E FF9AA2 A8E3A7 FFDD99 A5CEFF E0C2FF 9BE7E7 FFFFFF"
    ),
)

LIGHT = Theme(
    name="cfwb-light",
    dark=False,
    primary="#A84300",
    secondary="#0B57A6",
    accent="#6B35B0",
    warning="#7A5200",
    error="#B3142A",
    success="#1C6B2A",
    foreground="#1D1E20",
    background="#FBFAF7",
    surface="#F4F2ED",
    panel="#E5E2DA",
    variables={
        "target-local": "#1C6B2A",
        "target-remote": "#B3142A",
        "target-server": "#0B57A6",
        "target-remote-bar": "#FBDDE0",
        "target-server-bar": "#D9E8F8",
        "value-null": "#5E6066",
        "value-number": "#0B4F99",
        "value-string": "#1C6B2A",
        "value-constant": "#6B35B0",
        "value-key": "#8F3A00",
        "value-type": "#6B35B0",
        "value-blob": "#6B35B0",
        "value-invalid": "#7A4A00",
        "sql-keyword": "#9C3E00",
        "sql-function": "#0B4F99",
        "text-muted": "#5A5C62",
        "text-primary": "#9C3E00",
        "text-secondary": "#0B4F99",
        "text-accent": "#6B35B0",
        "text-warning": "#7A4A00",
        "text-error": "#B3142A",
        "text-success": "#1C6B2A",
        "block-cursor-background": "#A84300",
        "block-cursor-foreground": "#FFFFFF",
        "block-cursor-blurred-background": "#F3D9C4",
        "block-cursor-blurred-foreground": "#1D1E20",
        "footer-key-foreground": "#9C3E00",
        "input-selection-background": "#B9D4F2",
        "scrollbar": "#B9B5AA",
        "scrollbar-hover": "#98948A",
        "scrollbar-active": "#A84300",
        "scrollbar-background": "#F4F2ED",
        "scrollbar-background-hover": "#F4F2ED",
        "scrollbar-background-active": "#F4F2ED",
        "scrollbar-corner-color": "#F4F2ED",
    }
    | _ansi(
        "1D1E20 B3142A 1C6B2A 7A5200 0B57A6 6B35B0 0B6B73 8A8A85"
        " 5E6066 D0203A 2A8A3C 946500 1B6FC9 8448D0 12858F 77787C"
    ),
)

THEMES = (DARK, LIGHT)
"""The first is the default; ctrl+t goes to the next."""
