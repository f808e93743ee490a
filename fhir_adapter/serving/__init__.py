"""How an application of ours is served, and how it speaks FHIR over HTTP: content, refusals, listening, signals."""
