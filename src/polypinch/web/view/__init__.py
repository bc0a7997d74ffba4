"""The explorer: a study at a glance, its answers, its rows and its steps, as pages on this machine.

Modules are imported when a name of theirs is asked for; ``__init__.pyi`` says where each is.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
