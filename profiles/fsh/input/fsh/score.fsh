// The HScore as an Observation: its bounds, its items, what is not known.

CodeSystem: HScoreItemCodes
Id: hscore-item
Title: "HScore: the score, its bounds, its items and findings"
Description: "Items of the HScore (Fardet L et al., Arthritis Rheumatol 2014;66(9):2613-20), the score itself, and the findings that its items rest on."
* insert Definition
* ^caseSensitive = true
* #hscore "HScore" "Points for haemophagocytic syndrome, 0 to 337."
* #hscore-low "HScore, the least it can be" "The sum of the least points of all items."
* #hscore-high "HScore, the most it can be" "The sum of the most points of all items."
* #hscore-cutoff "HScore, cut-off" "The points from which a score counts as at or above the cut-off."
* #known-immunosuppression "known underlying immunosuppression" "HIV positive or on long-term immunosuppressive therapy before the episode: 0 or 18 points."
* #temperature "temperature" "Below 38.4 Cel 0, 38.4 to 39.4 Cel 33, above 39.4 Cel 49 points."
* #organomegaly "organomegaly" "None 0, liver or spleen 23, both 38 points."
* #hepatomegaly "hepatomegaly" "The liver is enlarged: part of the item organomegaly."
* #splenomegaly "splenomegaly" "The spleen is enlarged: part of the item organomegaly."
* #cytopenias "cytopenias" "Lineages with haemoglobin <= 9.2 g/dL, leukocytes <= 5 10*9/L, platelets <= 110 10*9/L: up to one 0, two 24, three 34 points."
* #ferritin "ferritin" "Below 2000 ng/mL 0, 2000 to 6000 ng/mL 35, above 6000 ng/mL 50 points."
* #triglycerides "triglycerides" "Below 1.5 mmol/L 0, 1.5 to 4 mmol/L 44, above 4 mmol/L 64 points."
* #fibrinogen "fibrinogen" "Above 2.5 g/L 0, up to 2.5 g/L 30 points."
* #ast "AST" "Below 30 U/L 0, from 30 U/L 19 points."
* #marrow-hemophagocytosis "haemophagocytosis on marrow aspirate" "Absent 0, present 35 points."

CodeSystem: ScoreWindowCodes
Id: score-window
Title: "Visits at which a trial scores"
Description: "The names that trials give to the visits at which they score. Every trial folder adds its own; these are the usual ones."
* insert Definition
* ^caseSensitive = true
* ^content = #fragment
* #all "All results" "Every result counts, without visits."
* #screening "Screening" "Before the baseline."
* #baseline "Baseline" "The last values before the first dose."
* #week-1 "Week 1" "Around study day 8."
* #week-2 "Week 2" "Around study day 15."
* #week-3 "Week 3" "Around study day 22."
* #month-1 "Month 1" "Around study day 29."

ValueSet: HScoreItems
Id: hscore-items
Title: "The nine items of the HScore"
Description: "Each is a component of a score, always."
* insert Definition
* $hscore-item#known-immunosuppression
* $hscore-item#temperature
* $hscore-item#organomegaly
* $hscore-item#cytopenias
* $hscore-item#ferritin
* $hscore-item#triglycerides
* $hscore-item#fibrinogen
* $hscore-item#ast
* $hscore-item#marrow-hemophagocytosis

ValueSet: ScoreStatus
Id: score-status
Title: "Status of a computed score"
Description: "First final; corrected after a source was corrected, amended after new evidence."
* insert Definition
* http://hl7.org/fhir/observation-status#final
* http://hl7.org/fhir/observation-status#amended
* http://hl7.org/fhir/observation-status#corrected
* http://hl7.org/fhir/observation-status#entered-in-error

ValueSet: AgainstCutoff
Id: against-cutoff
Title: "A score against its cut-off"
Description: "At or above the cut-off, below it, or undetermined because the bounds lie on both sides."
* insert Definition
* $interpretation#POS
* $interpretation#NEG
* $interpretation#IND

ValueSet: WhyNoPoints
Id: why-no-points
Title: "Why an item has no points"
Description: "Nothing is known of it, or it was not examined."
* insert Definition
* $absent#unknown
* $absent#not-performed

Invariant: hscore-sum-low
Description: "The least the score can be is the sum of the least points of its items"
Severity: #error
Expression: "component.where(code.coding.exists(code = 'hscore-low')).value.ofType(Quantity).value = component.where(code.coding.exists(code = 'hscore-low' or code = 'hscore-high' or code = 'hscore-cutoff').not()).select(value.ofType(Quantity).value | value.ofType(Range).low.value).aggregate($this + $total, 0)"

Invariant: hscore-sum-high
Description: "The most the score can be is the sum of the most points of its items, those included of which nothing is known"
Severity: #error
Expression: "component.where(code.coding.exists(code = 'hscore-high')).value.ofType(Quantity).value = component.where(code.coding.exists(code = 'hscore-low' or code = 'hscore-high' or code = 'hscore-cutoff').not()).select(value.ofType(Quantity).value | value.ofType(Range).high.value | iif(dataAbsentReason.exists(), iif(code.coding.exists(code = 'known-immunosuppression'), 18, iif(code.coding.exists(code = 'temperature'), 49, iif(code.coding.exists(code = 'organomegaly'), 38, iif(code.coding.exists(code = 'cytopenias'), 34, iif(code.coding.exists(code = 'ferritin'), 50, iif(code.coding.exists(code = 'triglycerides'), 64, iif(code.coding.exists(code = 'fibrinogen'), 30, iif(code.coding.exists(code = 'ast'), 19, 35)))))))), {})).aggregate($this + $total, 0)"

Invariant: hscore-value
Description: "The value is the one number, or the range, that the components hscore-low and hscore-high give"
Severity: #error
Expression: "iif(value.ofType(Range).exists(), value.ofType(Range).low.value, value.ofType(Quantity).value) = component.where(code.coding.exists(code = 'hscore-low')).value.ofType(Quantity).value and iif(value.ofType(Range).exists(), value.ofType(Range).high.value, value.ofType(Quantity).value) = component.where(code.coding.exists(code = 'hscore-high')).value.ofType(Quantity).value"

Invariant: hscore-interpretation
Description: "POS when even the least is at the cut-off, NEG when even the most is below it, IND otherwise"
Severity: #error
Expression: "interpretation.coding.code.first() = iif(component.where(code.coding.exists(code = 'hscore-low')).value.ofType(Quantity).value >= component.where(code.coding.exists(code = 'hscore-cutoff')).value.ofType(Quantity).value, 'POS', iif(component.where(code.coding.exists(code = 'hscore-high')).value.ofType(Quantity).value < component.where(code.coding.exists(code = 'hscore-cutoff')).value.ofType(Quantity).value, 'NEG', 'IND'))"

Invariant: hscore-item-or-reason
Description: "An item has points, or says why there are none"
Severity: #error
Expression: "value.exists() or dataAbsentReason.exists()"

Invariant: hscore-whole
Description: "Points are whole numbers"
Severity: #error
Expression: "value.toString().matches('^[0-9]+$')"

Invariant: hscore-open
Description: "A range has two different ends; what is one number is a quantity"
Severity: #error
Expression: "low.value < high.value"

Invariant: hscore-points-immunosuppression
Description: "This item has 0 or 18 points in the table of the paper, or lies between two of them"
Severity: #error
Expression: "(value.ofType(Quantity).value | value.ofType(Range).low.value | value.ofType(Range).high.value).all($this in (0 | 18))"

Invariant: hscore-points-temperature
Description: "This item has 0 or 33 or 49 points in the table of the paper, or lies between two of them"
Severity: #error
Expression: "(value.ofType(Quantity).value | value.ofType(Range).low.value | value.ofType(Range).high.value).all($this in (0 | 33 | 49))"

Invariant: hscore-points-organomegaly
Description: "This item has 0 or 23 or 38 points in the table of the paper, or lies between two of them"
Severity: #error
Expression: "(value.ofType(Quantity).value | value.ofType(Range).low.value | value.ofType(Range).high.value).all($this in (0 | 23 | 38))"

Invariant: hscore-points-cytopenias
Description: "This item has 0 or 24 or 34 points in the table of the paper, or lies between two of them"
Severity: #error
Expression: "(value.ofType(Quantity).value | value.ofType(Range).low.value | value.ofType(Range).high.value).all($this in (0 | 24 | 34))"

Invariant: hscore-points-ferritin
Description: "This item has 0 or 35 or 50 points in the table of the paper, or lies between two of them"
Severity: #error
Expression: "(value.ofType(Quantity).value | value.ofType(Range).low.value | value.ofType(Range).high.value).all($this in (0 | 35 | 50))"

Invariant: hscore-points-triglycerides
Description: "This item has 0 or 44 or 64 points in the table of the paper, or lies between two of them"
Severity: #error
Expression: "(value.ofType(Quantity).value | value.ofType(Range).low.value | value.ofType(Range).high.value).all($this in (0 | 44 | 64))"

Invariant: hscore-points-fibrinogen
Description: "This item has 0 or 30 points in the table of the paper, or lies between two of them"
Severity: #error
Expression: "(value.ofType(Quantity).value | value.ofType(Range).low.value | value.ofType(Range).high.value).all($this in (0 | 30))"

Invariant: hscore-points-ast
Description: "This item has 0 or 19 points in the table of the paper, or lies between two of them"
Severity: #error
Expression: "(value.ofType(Quantity).value | value.ofType(Range).low.value | value.ofType(Range).high.value).all($this in (0 | 19))"

Invariant: hscore-points-marrow
Description: "This item has 0 or 35 points in the table of the paper, or lies between two of them"
Severity: #error
Expression: "(value.ofType(Quantity).value | value.ofType(Range).low.value | value.ofType(Range).high.value).all($this in (0 | 35))"

Profile: HScorePoints
Parent: SimpleQuantity
Id: hscore-points
Title: "Points"
Description: "A whole number of points, from 0 to the 337 of the whole score."
* insert Definition
* value 1..1 MS
* system 1..1 MS
* system = $ucum (exactly)
* code 1..1 MS
* code = #{score} (exactly)
* value ^minValueDecimal = 0.0
* value ^maxValueDecimal = 337.0
* obeys hscore-whole

Profile: HScorePointRange
Parent: Range
Id: hscore-point-range
Title: "Range of points"
Description: "From the least points to the most, where something is not known. Both ends are possible."
* insert Definition
* low 1..1 MS
* low only HScorePoints
* high 1..1 MS
* high only HScorePoints
* obeys hscore-open

RuleSet: Number(name, code)
* component contains {name} 1..1 MS
* component[{name}].code = $hscore-item#{code}
* component[{name}].value[x] 1..1
* component[{name}].value[x] only HScorePoints
* component[{name}].dataAbsentReason 0..0

RuleSet: Item(name, code, key)
* component contains {name} 1..1 MS
* component[{name}].code = $hscore-item#{code}
* component[{name}] obeys hscore-item-or-reason and hscore-points-{key}

Profile: HScoreScore
Parent: Observation
Id: hscore-score
Title: "HScore of a subject at one visit"
Description: "A computed HScore: the points, or their bounds where something is missing; each item with its points or the reason why it has none; the results it rests on. HScore was built to diagnose haemophagocytic syndrome, not to measure activity or response."
* insert Definition
* text 1..1 MS
* text ^short = "The sentence that people read, and a line for each item"
* obeys hscore-sum-low and hscore-sum-high and hscore-value and hscore-interpretation
* identifier MS
* extension contains $researchStudy named study 0..* MS
* status MS
* status from ScoreStatus (required)
* category ^slicing.discriminator.type = #pattern
* category ^slicing.discriminator.path = "$this"
* category ^slicing.rules = #open
* category contains survey 1..1 MS
* category[survey] = $category#survey
* code = $hscore-item#hscore
* code MS
* subject 1..1 MS
* subject only Reference(Patient)
* effective[x] only dateTime or Period
* effective[x] MS
* effective[x] ^short = "From the first to the last collection of what counts"
* issued MS
* issued ^short = "Up to when the data are known"
* value[x] 1..1 MS
* value[x] only HScorePoints or HScorePointRange
* dataAbsentReason 0..0
* interpretation 1..1 MS
* interpretation from AgainstCutoff (required)
* note 1..* MS
* note ^short = "What must be known beside the number; what could still change it"
* method 1..1 MS
* method ^short = "The window, and which results count in it"
* method.coding 1..1 MS
* method.coding.system 1..1
* method.coding.system = $score-window (exactly)
* method.coding.code 1..1
* method.text 1..1
* referenceRange 1..1 MS
* referenceRange ^short = "The cut-off in words: HScore has no limits of normal"
* referenceRange.low 0..0
* referenceRange.high 0..0
* referenceRange.text 1..1 MS
* derivedFrom MS
* derivedFrom only Reference(Observation)
* derivedFrom obeys reference-unversioned
* hasMember 0..0
* component MS
* component ^slicing.discriminator.type = #pattern
* component ^slicing.discriminator.path = "code"
* component ^slicing.rules = #closed
* component.value[x] only HScorePoints or HScorePointRange
* component.dataAbsentReason MS
* component.dataAbsentReason from WhyNoPoints (required)
* insert Number(low, hscore-low)
* insert Number(high, hscore-high)
* insert Number(cutoff, hscore-cutoff)
* insert Item(knownImmunosuppression, known-immunosuppression, immunosuppression)
* insert Item(temperature, temperature, temperature)
* insert Item(organomegaly, organomegaly, organomegaly)
* insert Item(cytopenias, cytopenias, cytopenias)
* insert Item(ferritin, ferritin, ferritin)
* insert Item(triglycerides, triglycerides, triglycerides)
* insert Item(fibrinogen, fibrinogen, fibrinogen)
* insert Item(ast, ast, ast)
* insert Item(marrowHemophagocytosis, marrow-hemophagocytosis, marrow)
