# ruff: noqa: INP001 - a script of the image, no package
"""Is the service in this container ready? Asked by the engine; by the standard library, for the image has no curl."""

from __future__ import annotations

import sys
import urllib.error
import urllib.request

READY = "http://127.0.0.1:8090/health/ready"
SECONDS = 5


def problem(url: str) -> str | None:
    """Why the service is not ready, None when it is; no proxy of the environment is asked."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=SECONDS) as answer:
            status: int = answer.status
    except urllib.error.HTTPError as error:
        error.close()
        status = error.code
    except OSError as error:
        return f"no answer: {error}"
    return None if status == 200 else f"it answers {status}"  # noqa: PLR2004 - 200 is HTTP's own word for well


def main(arguments: list[str]) -> int:
    """0 when it is ready, 1 when not: the engine's two words."""
    url = arguments[0] if arguments else READY
    found = problem(url)
    if found is not None:
        sys.stderr.write(f"{url} is not ready: {found}\n")
    return 0 if found is None else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
