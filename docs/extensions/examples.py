"""Shows the `Example:` of a docstring as the code that it is."""

import re
from typing import Any

import griffe


class Examples(griffe.Extension):
    """Names the section of an example as Griffe knows it."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Renames it in a docstring that was just loaded."""
        if obj.docstring is not None:
            obj.docstring.value = re.sub(
                r"^Example:$", "Examples:", obj.docstring.value, flags=re.MULTILINE
            )
