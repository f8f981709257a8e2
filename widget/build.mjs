import { copyFile, mkdir, readFile } from "node:fs/promises";
import { build } from "esbuild";

const options = { bundle: true, minify: true, format: "iife", target: "es2020", legalComments: "none", logLevel: "warning" };

await mkdir("dist", { recursive: true });
await Promise.all([
  build({ ...options, entryPoints: ["src/launcher/index.ts"], outfile: "dist/aftercare.js" }),
  build({ ...options, entryPoints: ["src/embedding/main.ts"], outfile: "dist/embedding.js" }),
  build({ ...options, entryPoints: ["src/panel/main.ts"], outfile: "dist/panel.js" }),
  build({ ...options, entryPoints: ["src/panel/panel.css"], outfile: "dist/panel.css" }),
  copyFile("pages/demo.css", "dist/demo.css"),
  copyFile("pages/icon.svg", "dist/icon.svg"),
  copyFile("node_modules/htmx.org/dist/htmx.min.js", "dist/htmx.js"),
]);

const launcher = await readFile("dist/aftercare.js", "utf8");
if (launcher.split('"__AFTERCARE__"').length !== 2) throw new Error('dist/aftercare.js must hold "__AFTERCARE__" exactly once');
