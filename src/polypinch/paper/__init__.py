"""The paper's experiments, and those it leaves open, as studies: Shaham et al. (2024), arXiv 2401.01854.

Modules are imported when a name of theirs is asked for; ``__init__.pyi`` says where each is.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
