// What the profiles of this project have in common: names, rules that repeat, extensions.

Alias: $base = https://w3id.org/fhir-adapter
Alias: $hscore-item = https://w3id.org/fhir-adapter/CodeSystem/hscore-item
Alias: $score-window = https://w3id.org/fhir-adapter/CodeSystem/score-window
Alias: $analyte = https://w3id.org/fhir-adapter/CodeSystem/analyte
Alias: $loinc = http://loinc.org
Alias: $ucum = http://unitsofmeasure.org
Alias: $category = http://terminology.hl7.org/CodeSystem/observation-category
Alias: $act-code = http://terminology.hl7.org/CodeSystem/v3-ActCode
Alias: $act-reason = http://terminology.hl7.org/CodeSystem/v3-ActReason
Alias: $observation-value = http://terminology.hl7.org/CodeSystem/v3-ObservationValue
Alias: $interpretation = http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation
Alias: $absent = http://terminology.hl7.org/CodeSystem/data-absent-reason
Alias: $operation = http://terminology.hl7.org/CodeSystem/v3-DataOperation
Alias: $participant = http://terminology.hl7.org/CodeSystem/provenance-participant-type
Alias: $researchStudy = http://hl7.org/fhir/StructureDefinition/workflow-researchStudy
Alias: $pq-translation = http://hl7.org/fhir/StructureDefinition/iso21090-PQ-translation
Alias: $body-position = http://hl7.org/fhir/StructureDefinition/observation-bodyPosition
Alias: $data-absent-reason = http://hl7.org/fhir/StructureDefinition/data-absent-reason

RuleSet: Definition
* ^experimental = true
* ^publisher = "fhir-adapter"

RuleSet: Labelled
* meta 1..1
* meta.security 1..* MS
* meta.security ^short = "Whose data these are: made up (HTEST), anonymised (ANONYED) or pseudonymised (PSEUDED)"
* obeys trial-labelled

RuleSet: Identified
* identifier 1..* MS
* identifier.system 1..1 MS
* identifier.value 1..1 MS
* identifier ^short = "The business key: what the trial calls this record"
* insert OwnSystem

// In the place of the example of R4 core, whose address HL7's engine refuses in a profile.
RuleSet: OwnSystem
* identifier.system ^example[0].label = "A trial's own"
* identifier.system ^example[0].valueUri = "https://w3id.org/fhir-adapter/trials/nct02569463/subject"

RuleSet: OfStudy
* extension contains $researchStudy named study 1..* MS
* extension[study] ^short = "The study of the site, and the overall study"

// A quantity that can be computed with: a number and a UCUM code. `unit` holds the unit as recorded.
RuleSet: Ucum(element)
* {element}.value 1..1 MS
* {element}.unit MS
* {element}.unit ^short = "The unit as recorded"
* {element}.system 1..1 MS
* {element}.system = $ucum (exactly)
* {element}.code 1..1 MS

// The text as recorded stays beside a value that reads differently.
RuleSet: AsRecorded(element)
* {element}.extension contains SourceValue named asRecorded 0..* MS
* {element}.extension[asRecorded] ^short = "As recorded, where it reads differently"

Invariant: trial-labelled
Description: "A record of a trial says whether its data are made up (HTEST), anonymised (ANONYED) or pseudonymised (PSEUDED)"
Severity: #error
Expression: "meta.security.where(code = 'HTEST' or code = 'ANONYED' or code = 'PSEUDED').exists()"

Invariant: reference-unversioned
Description: "References name no version: servers strip it, and the version then looks like another resource"
Severity: #error
Expression: "reference.where(matches('/_history/')).empty()"

Extension: SourceValue
Id: source-value
Title: "The value as recorded"
Description: "The text of the source beside a value that reads differently in FHIR: a number such as 097.3, a time without seconds or zone, a word that was translated to a code."
Context: Element
* insert Definition
* value[x] 1..1
* value[x] only string
* valueString ^short = "The text, character by character"

Extension: DerivedDose
Id: derived-dose
Title: "The dose as an amount of drug, derived"
Description: "Volume times strength, computed exactly. The dose as recorded (a volume) stays in dosage.dose; a placebo has the derived dose 0."
Context: MedicationAdministration.dosage
* insert Definition
* value[x] 1..1
* value[x] only Quantity
* insert Ucum(valueQuantity)
* valueQuantity.value ^minValueDecimal = 0.0
* valueQuantity.comparator 0..0

Extension: RegistryStatus
Id: registry-status
Title: "The status in the words of the registry"
Description: "What the registry says of the study's status, verbatim and never translated: UNKNOWN is no status of FHIR R4."
Context: ResearchStudy
* insert Definition
* value[x] 1..1
* value[x] only string
