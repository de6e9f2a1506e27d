import { invalidInput } from "../errors.js";

/** An integer literal is a bigint, any other number a number; objects are maps, so that no key means anything. */
export type Json = null | boolean | number | bigint | string | readonly Json[] | JsonObject;
export type JsonObject = ReadonlyMap<string, Json>;

const MAX_DEPTH = 32;
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const INTEGER_MAX_DIGITS = 20;
const WHITESPACE = /[ \t\n\r]*/y;

/**
 * Parses a whole UTF-8 text as RFC 8259 JSON with unique keys.
 * @throws VramError `INVALID_INPUT` that names `argument`; nothing of the text is in it.
 */
export function parseStrictJson(argument: string, bytes: Uint8Array): Json {
  return new Reader(argument, decode(argument, bytes)).readText();
}

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return value instanceof Map;
}

function decode(argument: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw invalidInput(argument, "have a header of valid UTF-8");
  }
}

class Reader {
  readonly #argument: string;
  readonly #text: string;
  #at = 0;

  constructor(argument: string, text: string) {
    this.#argument = argument;
    this.#text = text;
  }

  readText(): Json {
    const value = this.#readValue(0);
    this.#skipWhitespace();
    if (this.#at !== this.#text.length) this.#refuse("have nothing after its JSON");
    return value;
  }

  #readValue(depth: number): Json {
    if (depth > MAX_DEPTH) this.#refuse(`have JSON of at most ${MAX_DEPTH} levels`);
    this.#skipWhitespace();
    switch (this.#text.charAt(this.#at)) {
      case "{":
        return this.#readObject(depth);
      case "[":
        return this.#readArray(depth);
      case '"':
        return this.#readString();
      case "t":
        return this.#readWord("true", true);
      case "f":
        return this.#readWord("false", false);
      case "n":
        return this.#readWord("null", null);
      default:
        return this.#readNumber();
    }
  }

  #readObject(depth: number): JsonObject {
    const object = new Map<string, Json>();
    this.#readItems("}", () => {
      this.#skipWhitespace();
      if (this.#text[this.#at] !== '"') this.#refuse("have JSON with quoted keys");
      const key = this.#readString();
      if (object.has(key)) this.#refuse("have JSON without duplicate keys");
      this.#skipWhitespace();
      if (!this.#take(":")) this.#refuse("have well-formed JSON");
      object.set(key, this.#readValue(depth + 1));
    });
    return object;
  }

  #readArray(depth: number): readonly Json[] {
    const array: Json[] = [];
    this.#readItems("]", () => {
      array.push(this.#readValue(depth + 1));
    });
    return array;
  }

  #readItems(end: string, readItem: () => void): void {
    this.#at += 1;
    this.#skipWhitespace();
    if (this.#take(end)) return;
    for (;;) {
      readItem();
      this.#skipWhitespace();
      if (this.#take(end)) return;
      if (!this.#take(",")) this.#refuse("have well-formed JSON");
    }
  }

  #readString(): string {
    const start = this.#at;
    for (let at = start + 1; ; at += 1) {
      const unit = this.#text.charCodeAt(at);
      if (Number.isNaN(unit) || unit < 0x20) this.#refuse("have well-formed JSON strings");
      if (unit === 0x5c) at += 1;
      else if (unit === 0x22) {
        this.#at = at + 1;
        return this.#unescape(this.#text.slice(start, at + 1));
      }
    }
  }

  #unescape(quoted: string): string {
    if (!quoted.includes("\\")) return quoted.slice(1, -1);
    try {
      return JSON.parse(quoted) as string;
    } catch {
      return this.#refuse("have well-formed JSON strings");
    }
  }

  #readNumber(): number | bigint {
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.#text);
    if (match === null) return this.#refuse("have well-formed JSON");
    const [literal, fraction, exponent] = match;
    this.#at += literal.length;
    if (fraction !== undefined || exponent !== undefined) return Number(literal);
    if (literal.length > INTEGER_MAX_DIGITS) this.#refuse(`have integers of at most ${INTEGER_MAX_DIGITS} digits`);
    return BigInt(literal);
  }

  #readWord<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) this.#refuse("have well-formed JSON");
    this.#at += word.length;
    return value;
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #skipWhitespace(): void {
    WHITESPACE.lastIndex = this.#at;
    this.#at += WHITESPACE.exec(this.#text)?.[0].length ?? 0;
  }

  #refuse(expectation: string): never {
    throw invalidInput(this.#argument, expectation);
  }
}
