// Inputs that break one constraint each, and what AWS answers: for every constraint of every member
// that an operation's input states, nested ones included. The texts are made of the description of
// the input alone, by the forms that were recorded on AWS (../shared/spec/errors.md, section 3.1).

import { operations } from "../../src/operations/index.ts";
import type { Members } from "../../src/operations/shape.ts";
import {
  type Described,
  membersByCode,
  membersByModel,
  model,
  NEWER_MEMBERS,
  withOptional,
} from "./service-model.ts";

export interface BrokenInput {
  readonly operation: string;
  /** Which constraint of which member. */
  readonly name: string;
  readonly input: object;
  /** The whole text of the ValidationException; null where the JSON type is what is wrong. */
  readonly text: string | null;
}

type Inputs = Readonly<Record<string, Described>>;

const described = (type: string, more: Partial<Described> = {}): Described => ({
  type,
  required: false,
  sensitive: false,
  ...more,
});

const encapsulation: Inputs = {
  KeyId: described("string", { required: true, min: 1, max: 2048 }),
  EncapsulationAlgorithm: described("string", { required: true, values: ["ML_KEM"] }),
  GrantTokens: described("list", {
    min: 0,
    max: 10,
    element: described("string", { min: 1, max: 8192 }),
  }),
  DryRun: described("boolean"),
};

/** Operations that the model of today's clients lacks, from the API reference. */
const newer: Readonly<Record<string, Inputs>> = {
  Encapsulate: encapsulation,
  Decapsulate: {
    ...encapsulation,
    SharedSecretCiphertextBlob: described("blob", { required: true, min: 1, max: 6144 }),
  },
};

/** The input of an operation; as its record states it where there is no model on this machine. */
function inputsOf(operation: string): Inputs {
  if (newer[operation]) return newer[operation];
  const modelled = model?.operations[operation];
  if (model && modelled) {
    const optional = NEWER_MEMBERS[operation]?.optional ?? [];
    return withOptional(membersByModel(model, modelled.input.shape), optional);
  }
  if (model) throw new Error(`${operation} is not in the model: describe its input in \`newer\``);
  return membersByCode((operations[operation] as { input: Members }).input);
}

/** Every way to break one constraint of an operation's input. */
export function brokenInputs(operation: string): readonly BrokenInput[] {
  const inputs = inputsOf(operation);
  const base = validMembers(inputs);
  return breaksOf(inputs, "").map(({ member, name, value, words }) => ({
    operation,
    name,
    input: { ...base, [member]: value },
    text: words && refusal(words),
  }));
}

const refusal = (violations: readonly string[]) =>
  `${violations.length} validation ${violations.length === 1 ? "error" : "errors"} detected: ` +
  violations.join("; ");

/** A value for a member that breaks something; `words` are the violations, null for a wrong type. */
interface Break {
  readonly member: string;
  readonly name: string;
  readonly value: unknown;
  readonly words: readonly string[] | null;
}

/** What AWS asks of key IDs beside the model's limits (recorded on AWS, floci-io/floci#3968). */
const ASCII = "^\\p{ASCII}+$";
const NAMES_KEY = /^(Source|Destination|Target)?KeyId$/;

function breaksOf(inputs: Inputs, path: string): readonly Break[] {
  return Object.entries(inputs).flatMap(([member, modelled]) => {
    const input = NAMES_KEY.test(member) ? { ...modelled, observed: ASCII } : modelled;
    const at = path + member.charAt(0).toLowerCase() + member.slice(1);
    const missing: Break = {
      member,
      name: `${at} is missing`,
      value: undefined,
      words: [violation(input.sensitive ? "Value" : "Value null", at, "Member must not be null")],
    };
    return [...(input.required ? [missing] : []), ...breaksOfValue(member, input, at)];
  });
}

function breaksOfValue(member: string, input: Described, at: string): readonly Break[] {
  const broken = (name: string, value: unknown): Break => ({
    member,
    name: `${at}: ${name}`,
    value,
    words: violationsOf(input, value, at),
  });
  const own = Object.entries(wrongValues(input)).map(([name, value]) => broken(name, value));
  const wrongType: Break = {
    member,
    name: `${at}: another JSON type`,
    value: input.type === "string" || input.type === "blob" ? 1 : "x",
    words: null,
  };
  return [...own, wrongType, ...breaksInside(member, input, at)];
}

/** Of a structure's members, and of a list's elements. */
function breaksInside(member: string, input: Described, at: string): readonly Break[] {
  const inside = (members: Inputs, path: string, wrap: (structure: object) => unknown) =>
    breaksOf(members, path).map(
      (each): Break => ({
        ...each,
        member,
        value: wrap({ ...validMembers(members), [each.member]: each.value }),
      }),
    );
  if (input.members) return inside(input.members, `${at}.`, (structure) => structure);
  const { element } = input;
  if (input.type !== "list" || !element) return [];
  if (element.members) {
    const first = validMembers(element.members);
    return inside(element.members, `${at}.2.member.`, (second) => [first, second]);
  }
  // Of a list of scalars AWS prints the whole list and every constraint of its elements.
  const rules = wordsOf(element).toReversed().join(", ");
  return Object.entries(wrongValues(element)).map(([name, value]) => ({
    member,
    name: `${at}: an element's ${name}`,
    value: [value],
    words: [violation(`Value '[${value}]'`, at, `Member must satisfy constraint: [${rules}]`)],
  }));
}

const violation = (value: string, at: string, words: string) =>
  `${value} at '${at}' failed to satisfy constraint: ${words}`;

/** Every constraint of a member that a value breaks, in AWS's order. */
function violationsOf(input: Described, value: unknown, at: string): readonly string[] {
  // Bytes are left out as sensitive values are (recorded on AWS for signatures and MACs).
  const shown = input.sensitive || input.type === "blob" ? "Value" : `Value '${printed(value)}'`;
  const size = sizeOf(input, value);
  const broken = [
    input.pattern !== undefined && !new RegExp(`^(?:${input.pattern})$`).test(String(value)),
    input.min !== undefined && size < input.min,
    input.max !== undefined && size > input.max,
    input.values !== undefined && !input.values.includes(String(value)),
    input.observed !== undefined && !new RegExp(input.observed, "u").test(String(value)),
  ];
  const words = allWordsOf(input).filter((_, index) => broken[index]);
  return words.map((text) => violation(shown, at, text ?? ""));
}

/** The words of the constraints: pattern, min, max, values, observed pattern; undefined for what is not constrained. */
function allWordsOf({ type, pattern, min, max, values, observed }: Described) {
  const what = type === "integer" ? "value" : "length";
  return [
    pattern === undefined
      ? undefined
      : `Member must satisfy regular expression pattern: ${pattern}`,
    min === undefined ? undefined : `Member must have ${what} greater than or equal to ${min}`,
    max === undefined ? undefined : `Member must have ${what} less than or equal to ${max}`,
    values && `Member must satisfy enum value set: [${values.join(", ")}]`,
    observed && `Member must satisfy regular expression pattern: ${observed}`,
  ];
}

const wordsOf = (input: Described) => allWordsOf(input).filter((words) => words !== undefined);

/** A value for each constraint that breaks it, and no other where that can be had. */
function wrongValues(input: Described): Readonly<Record<string, unknown>> {
  const { min = 0, max, pattern, values, observed } = input;
  const valid = validValue(input);
  const sized = (size: number) => resized(input, valid, size);
  return {
    ...(min > 0 && { [`min ${min}`]: sized(min - 1) }),
    ...(max !== undefined && { [`max ${max}`]: sized(max + 1) }),
    ...(pattern !== undefined && { [`pattern ${pattern}`]: `${String(valid).slice(0, -1)}Ā` }),
    ...(values && { "set of values": "NO_SUCH_VALUE" }),
    ...(observed && { "other characters than ASCII": "clé" }),
  };
}

function resized(input: Described, valid: unknown, size: number): unknown {
  switch (input.type) {
    case "integer":
      return size;
    case "blob":
      return Buffer.alloc(size, 1).toString("base64");
    case "list":
      return Array.from({ length: size }, () => validValue(input.element as Described));
    default: {
      const text = String(valid);
      return text.slice(0, size).padEnd(size, text.at(-1) ?? "a");
    }
  }
}

const validMembers = (inputs: Inputs): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(inputs)
      .filter(([, { required }]) => required)
      .map(([member, input]) => [member, validValue(input)]),
  );

function validValue(input: Described): unknown {
  switch (input.type) {
    case "string":
      return input.values?.[0] ?? validText(input);
    case "integer":
      return input.min ?? 1;
    case "boolean":
      return true;
    case "timestamp":
      return 1_767_225_600;
    case "blob":
      return Buffer.alloc(input.min ?? 1, 1).toString("base64");
    case "list":
      return [validValue(input.element as Described)];
    case "map":
      return { key: "value" };
    case "structure":
      return validMembers(input.members as Inputs);
    default:
      throw new Error(`no value of type ${input.type}`);
  }
}

/** For each pattern of the model a text that satisfies it. */
const samples = [
  "a",
  "us-east-1",
  "/kms/xks/v1",
  "https://xks.example.com",
  "cluster-aaaaaaaaaaa",
  "com.amazonaws.vpce.us-east-1.vpce-svc-0",
  "0".repeat(12),
  "A".repeat(20),
  "a".repeat(43),
  "a".repeat(64),
];

function validText({ min = 0, max = Number.POSITIVE_INFINITY, pattern }: Described): string {
  const whole = new RegExp(pattern === undefined ? "" : `^(?:${pattern})$`);
  const padded = samples.map((sample) => sample.padEnd(min, sample.at(-1)));
  const text = padded.find((sample) => sample.length <= max && whole.test(sample));
  if (text === undefined) throw new Error(`no sample of ${pattern}, ${min} to ${max}`);
  return text;
}

function sizeOf({ type }: Described, value: unknown): number {
  if (type === "integer") return Number(value);
  if (type === "blob") return Buffer.from(String(value), "base64").length;
  return Array.isArray(value) ? value.length : String(value).length;
}

const printed = (value: unknown): string =>
  Array.isArray(value) ? `[${value.map(printed).join(", ")}]` : String(value);

/** AWS's sets of values are in no order that is known, so texts are compared without theirs. */
export const withSortedSets = (text: string) =>
  text.replace(
    /enum value set: \[([^\]]*)\]/g,
    (_, values: string) => `enum value set: [${values.split(", ").sort().join(", ")}]`,
  );
