"""The command line: `fhir-adapter`."""


def main() -> None:
    """The console script; see `fhir_adapter.cli.border` for what every command has in common."""
    from fhir_adapter.cli.border import run  # noqa: PLC0415 - nothing heavy before it is needed

    run()
