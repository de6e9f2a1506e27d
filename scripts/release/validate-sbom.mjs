import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What is wrong with a CycloneDX file; `tools` is the folder that has the release's programs. */
export async function sbomProblems(file, tools) {
  const { Spec, Validation } = createRequire(join(tools, "package.json"))("@cyclonedx/cyclonedx-library");
  const problems = await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(readFileSync(file, "utf8"));
  return problems === null ? [] : [`the bill of materials is not of its schema: ${JSON.stringify(problems)}`];
}
