"""One mutant: a place of the planner's code that is replaced while tests run."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import CodeType, FunctionType, ModuleType
from typing import Any


@dataclass(frozen=True, slots=True)
class Mutant:
    """``old``, which is once in ``planner.distribute.<module>``, becomes ``new``. ``witness`` is a statement that shows it; None where
    another rule stands behind this one, so that its own tests alone tell.

    ``by_plan``: the kernel would give the same answer by chance, or cannot be made to give another for certain; the plan must differ.
    """

    name: str
    module: str
    old: str
    new: str
    witness: str | None
    by_plan: bool = False

    @property
    def changed(self) -> ModuleType:
        """The module whose code is replaced."""
        return importlib.import_module(f"planner.distribute.{self.module}")


@contextmanager
def applied(mutant: Mutant) -> Iterator[None]:
    """The planner with the mutant's code in the place of its own. The text must be there once.

    Only the code of functions and the values of constants change: what others imported is changed with them.
    """
    module = mutant.changed
    source = inspect.getsource(module)
    assert source.count(mutant.old) == 1, f"{mutant.name}: {mutant.old!r} is {source.count(mutant.old)} times in {module.__name__}"
    weakened = ModuleType(module.__name__)
    weakened.__file__ = module.__file__
    with ExitStack() as undo:
        sys.modules[module.__name__] = weakened  # dataclasses look their own module up while they are made
        try:
            exec(compile(source.replace(mutant.old, mutant.new), str(module.__file__), "exec"), vars(weakened))
        finally:
            sys.modules[module.__name__] = module
        changed = 0
        for name, value in vars(weakened).items():
            own = getattr(module, name, None)
            if inspect.isfunction(value) or (inspect.isclass(value) and value.__module__ == module.__name__):
                for function, code in _codes(own, value):
                    if function.__code__ != code:
                        undo.callback(setattr, function, "__code__", function.__code__)
                        function.__code__ = code
                        changed += 1
            elif type(value) in (frozenset, tuple, int, float, dict, str) and not name.startswith("__") and own != value:
                changed += _set_everywhere(undo, name, own, value)
        assert changed, f"{mutant.name} changes nothing"
        yield


def _codes(own: Any, weakened: Any) -> Iterator[tuple[FunctionType, CodeType]]:
    """The functions of a function or a class, each with its weakened code."""
    if inspect.isfunction(weakened):
        if weakened.__module__ == own.__module__:
            yield own, weakened.__code__
        return
    for name, value in vars(weakened).items():
        mine = vars(own).get(name)
        if isinstance(value, property):
            mine, value = mine.fget if isinstance(mine, property) else None, value.fget
        elif isinstance(value, classmethod | staticmethod):
            mine, value = mine.__func__ if isinstance(mine, classmethod | staticmethod) else None, value.__func__
        if inspect.isfunction(value) and inspect.isfunction(mine) and value.__code__.co_filename == mine.__code__.co_filename:
            yield mine, value.__code__


def _set_everywhere(undo: ExitStack, name: str, own: Any, value: Any) -> int:
    """Sets a constant in all modules of the planner that have it. Returns how many."""
    holders = [module for known, module in sys.modules.items() if known.startswith("planner.") and vars(module).get(name) is own]
    for module in holders:
        undo.callback(setattr, module, name, own)
        setattr(module, name, value)
    return len(holders)
