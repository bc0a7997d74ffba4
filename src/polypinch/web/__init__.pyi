from .guard import LOOPBACK, Guard, Limiter, desk_hosts
from .serving import address, listening, serve

__all__ = ["LOOPBACK", "Guard", "Limiter", "address", "desk_hosts", "listening", "serve"]
