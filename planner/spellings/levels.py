"""What is open at one depth of parentheses."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class OpenedLevel:
    """``called``: the word before the parenthesis. ``starts``: a query may start with the next token; ``fresh``: nothing came before it.

    ``from_list``: the number of the FROM whose list is open or has ended; ``from_end`` the token behind that list.
    ``listing_items``: behind SELECT. ``alias``: the name that stands before the item which is open.
    ``closing``: how many parentheses were opened that the text does not have. ``ordered``, ``frame``: there was an ORDER BY, and the
    number of the word with which a window's frame begins.
    """

    called: str = ""
    starts: bool = False
    fresh: bool = False
    listing_ctes: bool = False
    explaining: bool = False
    from_list: int | None = None
    from_end: int | None = None
    several_relations: bool = False
    listing_items: bool = False
    alias: str | None = None
    closing: int = 0
    ordered: bool = False
    frame: int | None = None

    def owed(self) -> str:
        """What is to be written where the level ends."""
        return ("" if self.alias is None else f" AS {self.alias}") + ")" * self.closing
