"""The whole screen: its parts put together, resets, and forgetting styles and clusters that nothing shows any more."""

from collections.abc import Iterator

from .strings import Strings


class Screen(Strings):
    """What the parser drives. Use it through `Terminal`."""

    def reset(self) -> None:
        """RIS."""
        self.initialise()

    def bell(self, *args: object) -> None:
        """BEL: counted."""
        self.bells += 1

    def debug(self, *args: object, **kwargs: object) -> None:
        """What pyte calls for a sequence it does not know: nothing happens."""

    def _contents(self) -> Iterator[tuple[str, str]]:
        for row in self.rows:
            yield row.text, row.styles
        for row in self.hidden_rows or ():
            yield row.text, row.styles
        yield from self.scrollback.contents()

    def tidy(self) -> None:
        """Where styles, links or clusters have run out, forget those that are shown nowhere; old scrollback goes before new colours."""
        while self.styles.full or self.clusters.full:
            numbers = {self.pen, *(saved.pen for saved in self.saved)}
            cells: set[str] = set()
            for text, styles in self._contents():
                numbers.update(map(ord, set(styles)))
                cells |= self.clusters.used((text,))
            self.styles.keep(numbers)
            self.clusters.keep(cells)
            enough = self.styles.roomy and self.clusters.roomy
            if enough or not self.scrollback.drop_oldest():
                break
            for _ in range(self.scrollback.pages // 4):
                self.scrollback.drop_oldest()
