// Who wrote what in one transaction, and from what.

ValueSet: WritingActivity
Id: writing-activity
Title: "What a transaction of this program does"
Description: "Resources are created or revised, never deleted."
* insert Definition
* $operation#CREATE
* $operation#UPDATE

Invariant: source-named-by-content
Description: "A source is named by the SHA-256 of what it held, as an ni URI (RFC 6920)"
Severity: #error
Expression: "role != 'source' or what.identifier.where(system = 'urn:ietf:rfc:3986' and value.matches('^ni:///sha-256;[A-Za-z0-9_-]{43}$')).exists()"

Profile: TrialProvenance
Parent: Provenance
Id: trial-provenance
Title: "Provenance of one transaction"
Description: "Which resources one transaction wrote, from which files or results, by which version of this program. Sources are named by their content, so that nobody can exchange them."
* insert Definition
* insert Labelled
* target MS
* target obeys reference-unversioned
* target.reference 1..1 MS
* recorded MS
* policy MS
* reason MS
* activity 1..1 MS
* activity from WritingActivity (required)
* agent 1..1 MS
* agent.type 1..1 MS
* agent.type = $participant#assembler
* agent.who MS
* agent.who only Reference(Device)
* agent.who.display MS
* agent.who.display ^short = "The program and its version, where a score is what was written"
* entity MS
* entity obeys source-named-by-content
* entity.role MS
* entity.what MS
