import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";

const budgets = [
  { name: "launcher", limit: 5000, files: ["aftercare.js"] },
  { name: "panel", limit: 35000, files: ["panel.js", "panel.css"] },
];

for (const { name, limit, files } of budgets) {
  let total = 0;
  for (const file of files) total += gzipSync(await readFile(`dist/${file}`), { level: 9 }).length;
  console.log(`${name}: ${total} of ${limit} bytes gzip (${files.join(" + ")})`);
  if (total > limit) process.exitCode = 1;
}
