// The study, its sites, who may take part and who did.

Invariant: study-nct-number
Description: "A number of ClinicalTrials.gov is NCT and eight digits"
Severity: #error
Expression: "system.where(matches('^https?://(www[.])?clinicaltrials[.]gov')).empty() or value.matches('^NCT[0-9]{8}$')"

Profile: TrialStudy
Parent: ResearchStudy
Id: trial-study
Title: "The overall study"
Description: "The study as its registry entry or trial summary describes it. Its status is decided by a person; where nobody can, it is absent with a reason, and the registry's word is kept verbatim. Outcome measures are in the cross-version extension of R5."
* insert Definition
* insert Labelled
* insert Identified
* identifier obeys study-nct-number
* identifier ^slicing.discriminator.type = #value
* identifier ^slicing.discriminator.path = "use"
* identifier ^slicing.rules = #open
* identifier contains study 1..1 MS
* identifier[study].use 1..1
* identifier[study].use = #official (exactly)
* extension contains RegistryStatus named registryStatus 0..1 MS
* title 1..1 MS
* status MS
* status.extension contains $data-absent-reason named absent 0..1 MS
* partOf 0..0
* primaryPurposeType from http://hl7.org/fhir/ValueSet/research-study-prim-purp-type (extensible)
* phase MS
* phase from http://hl7.org/fhir/ValueSet/research-study-phase (extensible)
* condition MS
* focus MS
* enrollment MS
* enrollment only Reference(TrialEligibility)
* period MS
* sponsor MS
* sponsor only Reference(Organization)
* site MS
* site only Reference(Location)
* arm MS
* arm ^short = "An arm; subjects name it by `name`"
* objective MS
* note MS
* note ^short = "Decisions and assumptions behind the mapping"

Profile: TrialSiteStudy
Parent: ResearchStudy
Id: trial-site-study
Title: "The study at one site"
Description: "The study as it runs at one site, part of the overall study: subjects belong to the study of their site (HL7/CDISC joint guide)."
* insert Definition
* insert Labelled
* insert Identified
* title 1..1 MS
* status MS
* status.extension contains $data-absent-reason named absent 0..1 MS
* partOf 1..1 MS
* partOf only Reference(TrialStudy)
* sponsor MS
* sponsor only Reference(Organization)
* site 1..1 MS
* site only Reference(Location)

Invariant: criterion-stated-true
Description: "A criterion is true of whom it describes; that it excludes is said by `exclude`, never by false"
Severity: #error
Expression: "value.ofType(boolean).all($this)"

Profile: TrialEligibility
Parent: Group
Id: trial-eligibility
Title: "Who may take part"
Description: "The protocol's criteria, each verbatim. All must hold: R4 has no any-of, so an exclusion of several things is split."
* insert Definition
* insert Labelled
* insert Identified
* type = #person (exactly)
* actual = false (exactly)
* quantity MS
* quantity ^short = "The planned number of subjects"
* characteristic 1..* MS
* characteristic obeys criterion-stated-true
* characteristic.code MS
* characteristic.code.text 1..1 MS
* characteristic.code.text ^short = "The criterion, verbatim"
* characteristic.value[x] only boolean or Range
* characteristic.value[x] MS
* characteristic.valueRange MS
* characteristic.valueRange.low.system = $ucum (exactly)
* characteristic.valueRange.high.system = $ucum (exactly)
* characteristic.exclude MS
* member 0..0

Profile: TrialPatient
Parent: Patient
Id: trial-patient
Title: "A subject as a person"
Description: "The person behind a subject, as the trial knows it: by number, never by name, address or picture."
* insert Definition
* insert Labelled
* insert Identified
* name 0..0
* telecom 0..0
* address 0..0
* photo 0..0
* contact 0..0
* gender MS
* birthDate MS
* insert AsRecorded(birthDate)
* deceased[x] MS
* managingOrganization 1..1 MS
* managingOrganization ^short = "The site"

Invariant: subject-end-dated
Description: "Who is off study has a day on which participation ended"
Severity: #warning
Expression: "status != 'off-study' or period.end.exists()"

Profile: TrialSubject
Parent: ResearchSubject
Id: trial-subject
Title: "A subject's part in the study"
Description: "Who takes part, from consent to the end. The status follows from the last disposition by the trial's own table; the words of the source stay beside it."
* insert Definition
* insert Labelled
* insert Identified
* obeys subject-end-dated
* status MS
* insert AsRecorded(status)
* period MS
* study MS
* study only Reference(TrialStudy or TrialSiteStudy)
* individual MS
* individual only Reference(Patient)
* assignedArm MS
* actualArm MS

ValueSet: VisitClass
Id: visit-class
Title: "How subjects come to a visit"
Description: "Encounter classes that a trial folder may state."
* insert Definition
* $act-code#AMB
* $act-code#IMP
* $act-code#HH
* $act-code#VR
* $act-code#FLD

Profile: TrialVisit
Parent: Encounter
Id: trial-visit
Title: "A visit of a subject"
Description: "A visit that took place: which one of the plan in `type`, why it happened outside the plan in `reasonCode`."
* insert Definition
* insert Labelled
* insert Identified
* insert OfStudy
* status = #finished (exactly)
* class MS
* class from VisitClass (required)
* type 1..1 MS
* type.coding 1..* MS
* type.coding.system 1..1
* type.coding.code 1..1
* subject 1..1 MS
* subject only Reference(Patient)
* period MS
* insert AsRecorded(period.start)
* insert AsRecorded(period.end)
* reasonCode MS
* location MS
* serviceProvider 1..1 MS

Invariant: event-fatal-serious
Description: "An event that was fatal is serious"
Severity: #warning
Expression: "outcome.coding.where(code = 'fatal').exists() implies seriousness.coding.where(code = 'Serious').exists()"

Profile: TrialAdverseEvent
Parent: AdverseEvent
Id: trial-adverse-event
Title: "Adverse event of a trial"
Description: "An event as reported: term, seriousness, severity, outcome and relation to the treatment. R4 has no end and no action taken; both are in cross-version extensions of R5."
* insert Definition
* insert Labelled
* identifier 1..1 MS
* identifier.system 1..1 MS
* identifier.value 1..1 MS
* insert OwnSystem
* obeys event-fatal-serious
* actuality = #actual (exactly)
* event 1..1 MS
* event.text 1..1 MS
* event.text ^short = "The term as reported"
* subject MS
* subject only Reference(Patient)
* date MS
* insert AsRecorded(date)
* seriousness MS
* severity MS
* outcome MS
* suspectEntity MS
* suspectEntity.causality MS
* study 1..* MS
* study only Reference(TrialStudy or TrialSiteStudy)
