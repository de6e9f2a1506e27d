// Where the packages make errors: the code, message and `details.reason` of each, as the compiler sees them.
import { dirname, join } from "node:path";
import ts from "typescript";
import { root } from "../../checks/tree.mjs";

const ERRORS = ["AuditError", "CudaError", "PolicyError", "SealError", "VramError"];
const ADDON_ERROR = "AddonError";
/** A part that varies. */
export const OPEN = "…";
const NOTHING_BOUND = new Map();

/** A program over the packages' sources. */
export function sourceProgram() {
  const file = join(root, "scripts/docs/tsconfig.json");
  const { options, fileNames } = ts.parseJsonConfigFileContent(ts.readConfigFile(file, ts.sys.readFile).config, ts.sys, dirname(file));
  return ts.createProgram(fileNames, options);
}

/** `{ package, codes, message, reasons }` of every error that is made; what varies is "…". */
export const errorSites = (program) => new Sites(program).all();

class Sites {
  #checker;
  #files;
  #callsOf = new Map();

  constructor(program) {
    this.#checker = program.getTypeChecker();
    this.#files = program.getSourceFiles().filter(({ fileName }) => /\/packages\/[^/]+\/src\//.test(fileName));
    for (const file of this.#files) visit(file, ts.isCallExpression, (call) => this.#noteCall(call));
  }

  all() {
    return this.#made(ERRORS);
  }

  #made(errors) {
    const sites = [];
    for (const file of this.#files) {
      const [, name] = /\/packages\/([^/]+)\//.exec(file.fileName);
      visit(file, ts.isNewExpression, (made) => {
        if (errors.includes(made.expression.getText())) sites.push(...this.#sitesOf(made).map((site) => ({ package: name, ...site })));
      });
    }
    return sites;
  }

  #noteCall(call) {
    const declaration = this.#checker.getResolvedSignature(call)?.declaration;
    this.#callsOf.set(declaration, [...(this.#callsOf.get(declaration) ?? []), call]);
  }

  /** One for each way in which the function that makes it is called. */
  #sitesOf(made) {
    const [code, message, details] = made.arguments;
    return this.#waysTo(made, made.arguments).map((bound) => ({
      codes: this.#words(code, bound),
      message: this.#text(message, bound).replaceAll(/…+/g, OPEN),
      reasons: details === undefined ? [] : (this.#reasons(details, bound) ?? []),
    }));
  }

  /** What the parameters that expressions use can be: a map of expressions for each call of the function around `node`. */
  #waysTo(node, expressions, within = []) {
    const around = ts.findAncestor(node.parent, ts.isFunctionLike);
    const used = around?.parameters.filter((parameter) => expressions.some((each) => this.#uses(each, parameter))) ?? [];
    const calls = this.#callsOf.get(around) ?? [];
    if (used.length === 0 || calls.length === 0 || within.includes(around)) return [NOTHING_BOUND];
    return calls.flatMap((call) => {
      const given = used.map((parameter) => [parameter, call.arguments[around.parameters.indexOf(parameter)] ?? parameter.initializer]);
      const known = given.filter(([, expression]) => expression !== undefined);
      const outside = this.#waysTo(call, known.map(([, expression]) => expression), [...within, around]);
      return outside.map((outer) => new Map([...outer, ...known]));
    });
  }

  #uses(expression, parameter) {
    let used = false;
    visit(expression, ts.isIdentifier, (name) => {
      used ||= this.#declarationOf(name) === parameter;
    });
    return used;
  }

  #declarationOf(name) {
    const symbol = ts.isShorthandPropertyAssignment(name.parent)
      ? this.#checker.getShorthandAssignmentValueSymbol(name.parent)
      : this.#checker.getSymbolAtLocation(name);
    return symbol?.valueDeclaration;
  }

  /** The expression that a name stands for: what a parameter is given, what a constant is made of. */
  #behind(expression, bound) {
    if (!ts.isIdentifier(expression)) return expression;
    const declaration = this.#declarationOf(expression);
    const value = bound.get(declaration) ?? (declaration !== undefined && ts.isVariableDeclaration(declaration) ? declaration.initializer : undefined);
    return value === undefined ? expression : this.#behind(value, bound);
  }

  /** The strings that an expression can be. */
  #words(expression, bound) {
    const made = this.#behind(expression, bound);
    if (ts.isTemplateExpression(made)) return this.#templateWords(made, bound);
    const type = this.#checker.getTypeAtLocation(made);
    const types = type.isUnion() ? type.types : [type];
    return types.every((each) => each.isStringLiteral()) ? types.map(({ value }) => value) : [OPEN];
  }

  #templateWords({ head, templateSpans }, bound) {
    const begun = [head.text];
    return templateSpans.reduce((words, { expression, literal }) => {
      const parts = this.#words(expression, bound);
      return words.flatMap((word) => parts.map((part) => word + part + literal.text));
    }, begun);
  }

  #text(expression, bound) {
    const made = this.#behind(expression, bound);
    if (ts.isPropertyAccessExpression(made) && made.name.text === "message") return this.#messageOf(made.expression);
    if (ts.isTemplateExpression(made)) {
      return made.head.text + made.templateSpans.map(({ expression: part, literal }) => this.#text(part, bound) + literal.text).join("");
    }
    if (ts.isElementAccessExpression(made)) return this.#entry(made, bound);
    if (ts.isBinaryExpression(made) && made.operatorToken.kind === ts.SyntaxKind.PlusToken) return this.#text(made.left, bound) + this.#text(made.right, bound);
    const words = this.#words(made, bound);
    return words.length === 1 ? words[0] : OPEN;
  }

  /** The message of an addon's loader, which the packages pass on with a code of their own. */
  #messageOf(error) {
    const name = this.#checker.getTypeAtLocation(error).symbol?.name;
    const [text = OPEN, ...others] = new Set(name === ADDON_ERROR ? this.#made([ADDON_ERROR]).map(({ message }) => message) : []);
    return others.length === 0 ? text : OPEN;
  }

  /** The entry of a constant table of texts. */
  #entry({ expression, argumentExpression }, bound) {
    const [word, ...others] = this.#words(argumentExpression, bound);
    const table = this.#behind(expression, bound);
    const entry = ts.isObjectLiteralExpression(table) ? table.properties.find(({ name }) => name?.text === word) : undefined;
    return entry === undefined || others.length > 0 ? OPEN : this.#text(entry.initializer, bound);
  }

  /** The values of `reason` in an object, or in its `details`; undefined where there is none. */
  #reasons(expression, bound) {
    const made = this.#behind(expression, bound);
    if (!ts.isObjectLiteralExpression(made)) return this.#reasonsByType(made);
    const found = made.properties.flatMap((property) => {
      if (ts.isSpreadAssignment(property)) return this.#reasons(property.expression, bound) ?? [];
      const name = property.name.getText();
      const value = ts.isShorthandPropertyAssignment(property) ? property.name : property.initializer;
      if (name === "details") return this.#reasons(value, bound) ?? [];
      return name === "reason" ? this.#words(value, bound) : [];
    });
    return found.length === 0 ? undefined : found;
  }

  #reasonsByType(expression) {
    const property = this.#checker.getTypeAtLocation(expression).getProperty("reason");
    if (property === undefined) return undefined;
    const type = this.#checker.getTypeOfSymbolAtLocation(property, expression);
    return type.isUnion() ? type.types.filter((each) => each.isStringLiteral()).map(({ value }) => value) : undefined;
  }
}

function visit(node, isOne, use) {
  if (isOne(node)) use(node);
  ts.forEachChild(node, (child) => visit(child, isOne, use));
}
