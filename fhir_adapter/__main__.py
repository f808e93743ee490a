"""`python -m fhir_adapter` is `fhir-adapter`."""

from fhir_adapter.cli import main

if __name__ == "__main__":
    main()
