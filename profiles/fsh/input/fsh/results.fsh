// Laboratory results, vital signs and findings.

ValueSet: ResultStatus
Id: result-status
Title: "Status of a trial's results"
Description: "All statuses of an Observation but unknown: a trial knows what became of each result, and a cancelled one was not done."
* insert Definition
* http://hl7.org/fhir/observation-status#registered
* http://hl7.org/fhir/observation-status#preliminary
* http://hl7.org/fhir/observation-status#final
* http://hl7.org/fhir/observation-status#amended
* http://hl7.org/fhir/observation-status#corrected
* http://hl7.org/fhir/observation-status#cancelled
* http://hl7.org/fhir/observation-status#entered-in-error

Invariant: result-value-or-reason
Description: "A result has a value, or says why there is none; a panel has its parts"
Severity: #error
Expression: "value.exists() or dataAbsentReason.exists() or component.exists()"

Invariant: result-cancelled
Description: "What was not done has no value"
Severity: #error
Expression: "status != 'cancelled' or value.empty()"

Invariant: result-dated
Description: "A result without a date belongs to no visit and no window"
Severity: #warning
Expression: "status = 'cancelled' or effective.exists()"

RuleSet: OfSubject
* subject 1..1 MS
* subject only Reference(Patient)
* encounter MS

RuleSet: Result
* insert Definition
* insert Labelled
* insert Identified
* insert OfStudy
* insert OfSubject
* status MS
* status from ResultStatus (required)
* code MS
* code.coding 1..* MS
* code.coding.system 1..1
* code.coding.code 1..1
* code.text MS
* dataAbsentReason MS
* obeys result-value-or-reason and result-cancelled

Profile: TrialLaboratoryResult
Parent: Observation
Id: trial-laboratory-result
Title: "Laboratory result of a trial"
Description: "One result as the laboratory gave it: the number with its comparator, in the unit of the report and with its UCUM code, or a word. A result that was not done says so instead of a value."
* insert Result
* obeys result-dated
* category ^slicing.discriminator.type = #pattern
* category ^slicing.discriminator.path = "$this"
* category ^slicing.rules = #open
* category contains laboratory 1..1 MS
* category[laboratory] = $category#laboratory
* code ^short = "LOINC where the trial has decided on a code, and the site's own code"
* effective[x] only dateTime
* effective[x] MS
* effective[x] ^short = "When the specimen was taken"
* insert AsRecorded(effectiveDateTime)
* value[x] only Quantity or CodeableConcept
* value[x] MS
* valueQuantity MS
* insert Ucum(valueQuantity)
* valueQuantity.comparator MS
* valueQuantity.comparator ^short = "A capped result stays one: >40000 is no 40000"
* insert AsRecorded(valueQuantity.value)
* valueQuantity.extension contains $pq-translation named standardised 0..1 MS
* valueQuantity.extension[standardised] ^short = "The standardised value of the source, beside the one as recorded"
* interpretation MS
* referenceRange MS
* referenceRange.low.system 1..1
* referenceRange.low.system = $ucum (exactly)
* referenceRange.low.code 1..1
* referenceRange.high.system 1..1
* referenceRange.high.system = $ucum (exactly)
* referenceRange.high.code 1..1

Profile: TrialVitalSign
Parent: http://hl7.org/fhir/StructureDefinition/vitalsigns
Id: trial-vital-sign
Title: "Vital sign of a trial"
Description: "A vital sign as charted, in the unit of the chart and with its UCUM code. It also carries the core profile of its kind, such as bodytemp. A reading keeps its site in bodySite: an axillary temperature is not corrected."
* insert Result
* insert AsRecorded(effectiveDateTime)
* value[x] only Quantity
* value[x] MS
* valueQuantity MS
* insert Ucum(valueQuantity)
* insert AsRecorded(valueQuantity.value)
* bodySite MS
* extension contains $body-position named position 0..1 MS
* component.value[x] only Quantity
* insert Ucum(component.valueQuantity)
* insert AsRecorded(component.valueQuantity.value)

Invariant: finding-item-answered
Description: "An item of the HScore is answered by yes or no, so that every reader counts it alike; or it says why there is no answer"
Severity: #error
Expression: "code.coding.where(system = 'https://w3id.org/fhir-adapter/CodeSystem/hscore-item').exists() implies (value.ofType(boolean).hasValue() or dataAbsentReason.exists())"

ValueSet: HScoreFinding
Id: hscore-finding
Title: "Findings that the HScore asks for"
Description: "Present or absent; no statement at all is unknown, never absent."
* insert Definition
* $hscore-item#known-immunosuppression
* $hscore-item#hepatomegaly
* $hscore-item#splenomegaly
* $hscore-item#marrow-hemophagocytosis

Profile: TrialFinding
Parent: Observation
Id: trial-finding
Title: "Finding of a trial"
Description: "What was looked at, and whether it was present: an organ, the marrow, a sign of an adverse event. A finding that was not examined says so; no Observation at all means not known, never absent."
* insert Result
* obeys finding-item-answered
* category ^slicing.discriminator.type = #pattern
* category ^slicing.discriminator.path = "$this"
* category ^slicing.rules = #open
* category contains exam 1..1 MS
* category[exam] = $category#exam
* code.coding ^slicing.discriminator.type = #value
* code.coding ^slicing.discriminator.path = "system"
* code.coding ^slicing.rules = #open
* code.coding contains hscoreItem 0..1 MS
* code.coding[hscoreItem].system = $hscore-item (exactly)
* code.coding[hscoreItem] from HScoreFinding (required)
* focus MS
* focus only Reference(TrialAdverseEvent)
* focus ^short = "The adverse event that the finding belongs to"
* effective[x] only dateTime
* effective[x] MS
* insert AsRecorded(effectiveDateTime)
* value[x] only boolean or CodeableConcept
* value[x] MS
* valueBoolean MS
* valueBoolean ^short = "Present (true) or absent (false)"
* insert AsRecorded(valueBoolean)
* bodySite MS
* method MS
* method ^short = "How it was examined: by hand, by ultrasound"
* note MS
* note ^short = "Who answered, and when, where it is a person's judgement"
