import { isUtf8 } from "node:buffer";
import { invalidInput } from "../errors.js";
import { MAX_ENTRIES } from "./limits.js";

const MAX_DEPTH = 32;
const INTEGER = /^(?:0|[1-9]\d{0,15})$/;
const LITERAL = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)$/;

const code = (character: string): number => character.charCodeAt(0);
const [QUOTE, BACKSLASH, COMMA, COLON] = [code('"'), code("\\"), code(","), code(":")];
const [OBJECT, OBJECT_END, ARRAY, ARRAY_END] = [code("{"), code("}"), code("["), code("]")];
const isBlank = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/**
 * Reads a UTF-8 text as RFC 8259 JSON with unique keys, value by value as the caller expects them, so that what nobody expects
 * is refused before anything is kept of it. `otherwise` is the expectation that a value of another kind breaks. Every method
 * throws VramError `INVALID_INPUT` that names `argument`; nothing of the text is in it.
 */
export class JsonReader {
  readonly #argument: string;
  readonly #text: Buffer;
  #at = 0;
  #skipped = 0;

  constructor(argument: string, text: Uint8Array) {
    this.#argument = argument;
    this.#text = Buffer.from(text.buffer, text.byteOffset, text.byteLength);
    if (!isUtf8(text)) this.#refuse("have a header of valid UTF-8");
  }

  /** The keys of an object; the caller reads the value of each before the next. */
  *members(otherwise: string): Generator<string> {
    if (!this.#opens(OBJECT, OBJECT_END, otherwise)) return;
    const keys = new Set<string>();
    do {
      const key = this.string("have JSON with quoted keys");
      if (keys.has(key)) this.#refuse("have JSON without duplicate keys");
      if (keys.size === MAX_ENTRIES) this.#refuse(`have at most ${MAX_ENTRIES} names in a list`);
      keys.add(key);
      if (!this.#take(COLON)) this.#refuse("have well-formed JSON");
      yield key;
    } while (this.#goesOn(OBJECT_END));
  }

  /** The indices of an array; the caller reads the value of each before the next. */
  *items(otherwise: string): Generator<number> {
    if (!this.#opens(ARRAY, ARRAY_END, otherwise)) return;
    let index = 0;
    do {
      yield index;
      index += 1;
    } while (this.#goesOn(ARRAY_END));
  }

  string(otherwise: string): string {
    if (!this.#take(QUOTE)) this.#refuse(otherwise);
    const start = this.#at;
    const isEscaped = this.#passString();
    if (!isEscaped) return this.#text.toString("utf8", start, this.#at - 1);
    try {
      return JSON.parse(this.#text.toString("utf8", start - 1, this.#at)) as string;
    } catch {
      return this.#refuse("have well-formed JSON strings");
    }
  }

  /** An integer from 0 to 2^53 - 1, as digits only. */
  integer(otherwise: string): number {
    const word = this.#word();
    const value = Number(word);
    return INTEGER.test(word) && Number.isSafeInteger(value) ? value : this.#refuse(otherwise);
  }

  /** Any value, of objects that inherit nothing. */
  value(depth = 0): unknown {
    if (depth > MAX_DEPTH) this.#refuse(`have JSON of at most ${MAX_DEPTH} levels`);
    const malformed = "have well-formed JSON";
    const first = this.#peek();
    if (first === QUOTE) return this.string(malformed);
    if (first === ARRAY) return Array.from(this.items(malformed), () => this.value(depth + 1));
    if (first === OBJECT) {
      const object = Object.create(null) as Record<string, unknown>;
      for (const key of this.members(malformed)) object[key] = this.value(depth + 1);
      return object;
    }
    const word = this.#word();
    return LITERAL.test(word) ? JSON.parse(word) as unknown : this.#refuse(malformed);
  }

  /** Passes over any value, and checks it. */
  skip(depth = 0): void {
    this.#skipped += 1;
    if (this.#skipped > MAX_ENTRIES) this.#refuse(`have at most ${MAX_ENTRIES} values beside those that are needed`);
    if (depth > MAX_DEPTH) this.#refuse(`have JSON of at most ${MAX_DEPTH} levels`);
    const malformed = "have well-formed JSON";
    const first = this.#peek();
    if (first === QUOTE) this.string(malformed);
    else if (first === OBJECT) this.#skipEach(this.members(malformed), depth);
    else if (first === ARRAY) this.#skipEach(this.items(malformed), depth);
    else if (!LITERAL.test(this.#word())) this.#refuse(malformed);
  }

  end(): void {
    if (this.#peek() !== undefined) this.#refuse("have nothing after its JSON");
  }

  #skipEach(values: Iterator<unknown>, depth: number): void {
    while (values.next().done !== true) this.skip(depth + 1);
  }

  /** Moves behind a string's last quote; answers whether the string has escapes. */
  #passString(): boolean {
    let isEscaped = false;
    for (let at = this.#at; at < this.#text.length; at += 1) {
      const byte = this.#text[at] ?? 0;
      if (byte < 0x20) break;
      if (byte === BACKSLASH) {
        isEscaped = true;
        at += 1;
      } else if (byte === QUOTE) {
        this.#at = at + 1;
        return isEscaped;
      }
    }
    return this.#refuse("have well-formed JSON strings");
  }

  /** What lies before the next blank or sign: a number or a word, if the JSON is well-formed. */
  #word(): string {
    this.#peek();
    const start = this.#at;
    for (; this.#at < this.#text.length; this.#at += 1) {
      const byte = this.#text[this.#at];
      if (byte === COMMA || byte === ARRAY_END || byte === OBJECT_END || isBlank(byte)) break;
    }
    return this.#text.toString("latin1", start, this.#at);
  }

  /** Moves into an object or array; answers whether it has anything in it. */
  #opens(first: number, last: number, otherwise: string): boolean {
    if (!this.#take(first)) this.#refuse(otherwise);
    return !this.#take(last);
  }

  /** Moves behind the comma before the next value, or behind the end. */
  #goesOn(last: number): boolean {
    if (this.#take(COMMA)) return true;
    return this.#take(last) ? false : this.#refuse("have well-formed JSON");
  }

  #take(byte: number): boolean {
    if (this.#peek() !== byte) return false;
    this.#at += 1;
    return true;
  }

  /** The next byte that is no blank. */
  #peek(): number | undefined {
    while (isBlank(this.#text[this.#at])) this.#at += 1;
    return this.#text[this.#at];
  }

  #refuse(expectation: string): never {
    throw invalidInput(this.#argument, expectation);
  }
}
