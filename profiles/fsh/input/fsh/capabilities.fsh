// What the program asks of a server, and what its service offers.

RuleSet: Capability(mode)
* status = #draft
* experimental = true
* publisher = "fhir-adapter"
* date = "2026-11-26"
* kind = #requirements
* fhirVersion = #4.0.1
* format[0] = #json
* rest.mode = #{mode}

RuleSet: Sent(number, type, profile)
* rest.resource[{number}].type = #{type}
* rest.resource[{number}].supportedProfile[0] = "https://w3id.org/fhir-adapter/StructureDefinition/{profile}"
* rest.resource[{number}].interaction[0].code = #read
* rest.resource[{number}].interaction[1].code = #update
* rest.resource[{number}].updateCreate = true

RuleSet: SentAlso(number, place, profile)
* rest.resource[{number}].supportedProfile[{place}] = "https://w3id.org/fhir-adapter/StructureDefinition/{profile}"

RuleSet: Shall(path)
* {path}.extension[0].url = "http://hl7.org/fhir/StructureDefinition/capabilitystatement-expectation"
* {path}.extension[0].valueCode = #SHALL

RuleSet: Search(number, place, name, type)
* rest.resource[{number}].searchParam[{place}].name = "{name}"
* rest.resource[{number}].searchParam[{place}].type = #{type}

Instance: client
InstanceOf: CapabilityStatement
Usage: #definition
* insert Capability(client)
* url = "https://w3id.org/fhir-adapter/CapabilityStatement/client"
* version = "0.1.0"
* name = "AdapterAsClient"
* title = "What the program asks of a FHIR server"
* description = "A server to which a trial is sent takes transactions and updates under ids that the program chooses. A server from which results are pulled is searched for Patients by identifier and for Observations by patient, code and date; it is never written to. One server may be both. `fhir-adapter doctor` compares a server with this."
* rest.documentation = "Nothing is deleted. What was sent is compared with the server before it is written again."
* rest.interaction[0].code = #transaction
* insert Shall(rest.interaction[0])
* insert Sent(0, ResearchStudy, trial-study)
* insert SentAlso(0, 1, trial-site-study)
* insert Sent(1, Group, trial-eligibility)
* insert Sent(2, Patient, trial-patient)
* rest.resource[2].interaction[2].code = #search-type
* insert Search(2, 0, identifier, token)
* rest.resource[2].searchParam[0].documentation = "The subject's number at the hospital, exactly."
* insert Sent(3, ResearchSubject, trial-subject)
* insert Sent(4, Encounter, trial-visit)
* insert Sent(5, MedicationAdministration, trial-dose)
* insert SentAlso(5, 1, trial-missed-dose)
* insert Sent(6, Medication, trial-medication)
* insert Sent(7, Observation, trial-laboratory-result)
* insert SentAlso(7, 1, trial-vital-sign)
* insert SentAlso(7, 2, trial-finding)
* insert SentAlso(7, 3, hscore-score)
* rest.resource[7].interaction[2].code = #search-type
* insert Search(7, 0, patient, reference)
* rest.resource[7].searchParam[0].documentation = "Whose results."
* insert Search(7, 1, code, token)
* rest.resource[7].searchParam[1].documentation = "The LOINC codes of the analytes, and the codes of the findings."
* insert Search(7, 2, date, date)
* rest.resource[7].searchParam[2].documentation = "The days that a pull reads again."
* insert Sent(8, AdverseEvent, trial-adverse-event)
* insert Sent(9, Provenance, trial-provenance)
* rest.resource[10].type = #Organization
* rest.resource[10].interaction[0].code = #read
* rest.resource[10].interaction[1].code = #update
* rest.resource[10].updateCreate = true
* rest.resource[11].type = #Location
* rest.resource[11].interaction[0].code = #read
* rest.resource[11].interaction[1].code = #update
* rest.resource[11].updateCreate = true
* rest.resource[12].type = #Device
* rest.resource[12].interaction[0].code = #read
* rest.resource[12].interaction[1].code = #update
* rest.resource[12].updateCreate = true

Instance: service
InstanceOf: CapabilityStatement
Usage: #definition
* insert Capability(server)
* url = "https://w3id.org/fhir-adapter/CapabilityStatement/service"
* version = "0.1.0"
* name = "AdapterAsService"
* title = "What the service of the program offers"
* description = "Scores, and what is wrong with a resource. Calls read only: nothing is pulled, stored or changed. The statement of a running service is at [base]/metadata."
* rest.documentation = "Errors are answered as OperationOutcome."
* rest.resource[0].type = #Observation
* rest.resource[0].supportedProfile[0] = "https://w3id.org/fhir-adapter/StructureDefinition/hscore-score"
* rest.resource[0].operation[0].name = "hscore"
* rest.resource[0].operation[0].definition = "https://w3id.org/fhir-adapter/OperationDefinition/observation-hscore"
* rest.resource[0].operation[0].documentation = "The score of results that are sent."
* rest.resource[1].type = #Patient
* rest.resource[1].operation[0].name = "hscore"
* rest.resource[1].operation[0].definition = "https://w3id.org/fhir-adapter/OperationDefinition/hscore"
* rest.resource[1].operation[0].documentation = "The score of a patient from what was pulled before; where the service serves a trial."
* rest.resource[2].type = #OperationDefinition
* rest.resource[2].interaction[0].code = #read
* rest.operation[0].name = "validate"
* rest.operation[0].definition = "http://hl7.org/fhir/OperationDefinition/Resource-validate"
* rest.operation[0].documentation = "POST [base]/[type]/$validate: what is wrong with a resource of any type, against R4 and the profiles that it names."
