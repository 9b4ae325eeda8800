// The official AsyncAPI parser reads the document and its schema files; any error is a no.
import { Parser, fromFile } from "@asyncapi/parser";

const path = process.argv[2];
const { document, diagnostics } = await fromFile(new Parser(), path).parse();
const errors = diagnostics.filter((d) => d.severity === 0);
for (const d of diagnostics) {
  console.log(`${["error", "warning", "info", "hint"][d.severity]} ${d.path.join(".")}: ${d.message}`);
}
if (!document || errors.length > 0) {
  console.error(`${path}: ${errors.length} errors`);
  process.exit(1);
}
const operations = document.operations().all();
const receive = operations.filter((o) => o.isReceive()).length;
console.log(`${path}: AsyncAPI ${document.version()}, ${document.channels().all().length} channels, ` +
  `${receive} received, ${operations.length - receive} sent, ${document.messages().all().length} messages`);
if (document.channels().all().length < 20 || receive < 10) {
  console.error("fewer channels than a station has");
  process.exit(1);
}
