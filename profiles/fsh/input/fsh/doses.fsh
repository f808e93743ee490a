// What was given: doses, missed doses, and the medication with its strength and lot.

RuleSet: PlannedDose
* insert Definition
* insert Labelled
* insert Identified
* insert OfStudy
* medication[x] only Reference(TrialMedication)
* medication[x] MS
* subject MS
* subject only Reference(Patient)
* effective[x] MS
* device MS
* device ^short = "The kit or injector, by its identifier"

Profile: TrialDose
Parent: MedicationAdministration
Id: trial-dose
Title: "Dose given in a trial"
Description: "One dose that was given, with the amount as recorded. What was only planned is no dose, and a dose of placebo is one."
* insert PlannedDose
* status = #completed (exactly)
* dosage 1..1 MS
* dosage.text MS
* dosage.text ^short = "The dose in the words of the source, with what was derived from it"
* dosage.route MS
* dosage.dose 1..1 MS
* insert Ucum(dosage.dose)
* insert AsRecorded(dosage.dose.value)
* dosage.dose.value ^minValueDecimal = 0.0
* dosage.extension contains DerivedDose named derivedDose 0..1 MS

Profile: TrialMissedDose
Parent: MedicationAdministration
Id: trial-missed-dose
Title: "Dose missed in a trial"
Description: "A dose that was planned and not given. It has no dosage (mad-1 of R4 demands an amount there), and its effective time is the planned one."
* insert PlannedDose
* status = #not-done (exactly)
* statusReason MS
* statusReason ^short = "Why it was not given, where the source says"
* dosage 0..0
* effective[x] ^short = "When it was planned"
* note MS
* note ^short = "What was planned: route and frequency"

Invariant: medication-strength
Description: "A strength is an amount in a volume that is not nothing"
Severity: #error
Expression: "denominator.value > 0 and numerator.value >= 0"

Profile: TrialMedication
Parent: Medication
Id: trial-medication
Title: "Medication of a trial"
Description: "What was given: drug, form, strength and lot, shared by all doses of the same. In a masked trial it names the study treatment only."
* insert Definition
* insert Labelled
* insert Identified
* code 1..1 MS
* code.text 1..1 MS
* form MS
* ingredient MS
* ingredient.strength MS
* ingredient.strength obeys medication-strength
* insert Ucum(ingredient.strength.numerator)
* insert Ucum(ingredient.strength.denominator)
* batch MS
* batch.lotNumber MS
