"""Arrays out of a store: what a finished study measured, by seed, item and language.

Modules are imported when a name of theirs is asked for; ``__init__.pyi`` says where each is.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
