import { alone } from "./alone.cjs";

const [name] = process.argv.slice(2);
await alone(name, await import(name));
