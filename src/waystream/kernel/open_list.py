"""Open lists: packages where adding a file adds the feature.

Every module of the package is imported, in name order, so `ls` is the table of contents; names beginning with `_` are
left out. What each module must have is the business of whoever loads the list, told by `require`.
"""

import importlib
import pkgutil
from types import ModuleType

from waystream.core.errors import Invalid


def load(package: ModuleType) -> tuple[ModuleType, ...]:
    """The package's modules and sub-packages in name order. An error in one of them is not hidden."""
    names = sorted(info.name for info in pkgutil.iter_modules(package.__path__) if not info.name.startswith("_"))
    return tuple(importlib.import_module(f"{package.__name__}.{name}") for name in names)


def require(module: ModuleType, *names: str) -> None:
    """Raise `Invalid`, naming the file, if the module lacks one of the attributes."""
    lacking = [name for name in names if not hasattr(module, name)]
    if lacking:
        raise Invalid(lacking[0], f"{module.__file__ or module.__name__} has to define {', '.join(lacking)}")
