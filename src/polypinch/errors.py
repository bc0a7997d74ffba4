"""What goes wrong by the user's hand, said so that the user can mend it."""


class PinchError(Exception):
    """A mistake in input, plan or machine, found before it costs anything.

    Args:
        message: what is wrong, naming the file, row, language or key.
        fix: what to do about it, in one sentence.
    """

    def __init__(self, message: str, *, fix: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix

    def __str__(self) -> str:
        return self.message if self.fix is None else f"{self.message}\n  fix: {self.fix}"
