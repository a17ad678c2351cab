"""The one exception for mistakes a user can mend."""


class UserError(ValueError):
    """
    Something the user gave cannot be used.

    The message names the path or parameter, what was expected and what was found, and, where it
    is not plain, what to do. Commands print it without a traceback.
    """
