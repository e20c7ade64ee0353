"""List comprehensions: ``[x + 1 for x in l if x > 0]`` is ``[volley_for_if(x + 1, x, l, x > 0)]`` to the parser."""

from __future__ import annotations

from planner.spellings.draft import Draft

COMPREHENSIONS = {
    "volley_for": ("FOR", "IN"),
    "volley_for_if": ("FOR", "IN", "IF"),
    "volley_for_two": ("FOR", ",", "IN"),
    "volley_for_two_if": ("FOR", ",", "IN", "IF"),
}
"""Functions that the kernel does not have, and what stands in place of the commas between their arguments."""

_FOR, _IN, _IF = frozenset(("for",)), frozenset(("in",)), frozenset(("if",))


def spell_comprehension(draft: Draft, opened: int) -> None:
    """The list that opens with that token, if it is a comprehension."""
    close, word = draft.closes.get(opened), draft.next_of(opened, _FOR)
    member = None if word is None else draft.next_of(word, _IN)
    if close is None or word is None or member is None or draft.kind(word + 1) != "word":
        return
    condition = draft.next_of(member + (draft.text(member + 1) == "if"), _IF)
    two = draft.text(word + 2) == ","
    if member != word + (4 if two else 2):
        return
    name = "volley_for" + ("_two" if two else "") + ("" if condition is None else "_if")
    draft.insert(opened + 1, f"{name}(")
    for number in (word, member, condition):
        if number is not None:
            draft.replacements[number] = ","
    draft.add_behind(close - 1, ")")
