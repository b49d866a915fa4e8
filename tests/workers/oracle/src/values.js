// JavaScript values as JSON that loses nothing, and a catalogue of typical ones. Every value is a node
// {"type": ..., ...}; an object met again is {"type": "ref", "id": n}, and only such objects carry an id.

const TYPED = { Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array,
  Float32Array, Float64Array, BigInt64Array, BigUint64Array };
const ERRORS = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

export function toBase64(bytes) {
  return new Uint8Array(bytes).toBase64();
}

export function fromBase64(text) {
  return Uint8Array.fromBase64(text);
}

/** What a value is, exactly. */
export function describe(value) {
  const seen = new Map();
  const node = visit(value, seen);
  for (const { node: known, shared } of seen.values()) if (!shared) delete known.id;
  return node;
}

function number(value) {
  if (Number.isFinite(value) && !Object.is(value, -0)) return { type: "number", value };
  return { type: "number", value: Object.is(value, -0) ? "-0" : String(value) };
}

function visit(value, seen) {
  switch (typeof value) {
    case "undefined": return { type: "undefined" };
    case "boolean": case "string": return { type: typeof value, value };
    case "number": return number(value);
    case "bigint": return { type: "bigint", value: String(value) };
    case "function": case "symbol": return { type: typeof value };
  }
  if (value === null) return { type: "null" };
  const known = seen.get(value);
  if (known) {
    known.shared = true;
    return { type: "ref", id: known.node.id };
  }
  const node = { type: "", id: seen.size };
  seen.set(value, { node, shared: false });
  return Object.assign(node, body(value, (inner) => visit(inner, seen)));
}

function body(value, inner) {
  const type = Object.prototype.toString.call(value).slice(8, -1);
  if (value instanceof Date) return { type: "Date", value: Number.isNaN(+value) ? null : +value };
  if (value instanceof RegExp) return { type: "RegExp", source: value.source, flags: value.flags };
  if (value instanceof Map) return { type: "Map", entries: [...value].map(([k, v]) => [inner(k), inner(v)]) };
  if (value instanceof Set) return { type: "Set", values: [...value].map(inner) };
  if (value instanceof ArrayBuffer) return { type: "ArrayBuffer", base64: toBase64(value) };
  if (ArrayBuffer.isView(value)) {
    const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    return { type, base64: toBase64(bytes), buffer: inner(value.buffer), offset: value.byteOffset };
  }
  if (value instanceof Error) return error(value, inner);
  if (["Number", "String", "Boolean", "BigInt"].includes(type)) return { type: `${type} object`, value: inner(value.valueOf()) };
  if (Array.isArray(value)) return { type: "Array", length: value.length, entries: entries(value, inner) };
  return { type: "Object", entries: entries(value, inner) };
}

function entries(value, inner) {
  return Object.keys(value).map((key) => [key, inner(value[key])]);
}

function error(value, inner) {
  const node = { type: "Error", name: value.name, message: value.message, stack: value.stack ?? null };
  if ("cause" in value) node.cause = inner(value.cause);
  return node;
}

/** The value a node stands for; {"type": "catalogue", "name": ...} is one of the catalogue. */
export function build(node, known = new Map()) {
  const keep = (value) => {
    if (node.id !== undefined) known.set(node.id, value);
    return value;
  };
  const inner = (part) => build(part, known);
  switch (node.type) {
    case "catalogue": return catalogue[node.name]();
    case "ref": return known.get(node.id);
    case "undefined": return undefined;
    case "null": return null;
    case "boolean": case "string": return node.value;
    case "number": return Number(node.value);
    case "bigint": return BigInt(node.value);
    case "Date": return keep(new Date(node.value ?? NaN));
    case "RegExp": return keep(new RegExp(node.source, node.flags));
    case "ArrayBuffer": return keep(fromBase64(node.base64).buffer);
    case "DataView": return keep(new DataView(fromBase64(node.base64).buffer));
    case "Map": return fill(keep(new Map()), node.entries, (map, [k, v]) => map.set(inner(k), inner(v)));
    case "Set": return fill(keep(new Set()), node.values, (set, v) => set.add(inner(v)));
    case "Object": return fill(keep({}), node.entries, (object, [k, v]) => { object[k] = inner(v); });
    case "Array": {
      const array = keep([]);
      array.length = node.length;
      return fill(array, node.entries, (items, [k, v]) => { items[k] = inner(v); });
    }
    case "Error": {
      const made = keep(new (ERRORS[node.name] ?? Error)(node.message));
      if (node.stack !== undefined) made.stack = node.stack;
      return made;
    }
  }
  if (node.type in TYPED) return keep(new TYPED[node.type](fromBase64(node.base64).buffer));
  throw new TypeError(`no value of type ${node.type}`);
}

function fill(target, parts, add) {
  for (const part of parts) add(target, part);
  return target;
}

function cyclic() {
  const object = { name: "self" };
  object.self = object;
  object.list = [object, { up: object }];
  return object;
}

function shared() {
  const one = { n: 1 };
  return { a: one, b: one, list: [one] };
}

function twoViews() {
  const { buffer } = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  return { all: new Uint8Array(buffer), tail: new Uint16Array(buffer, 4, 2) };
}

function withHoles() {
  const array = [1, , 3];
  array.length = 6;
  return array;
}

function sparse() {
  const array = [];
  array[100_000] = "far";
  return array;
}

function arrayWithProperties() {
  const array = [1, 2];
  array.note = "extra";
  return array;
}

function failure() {
  const error = new TypeError("bad input", { cause: new Error("the cause") });
  error.stack = "TypeError: bad input\n    at place:1:2";
  error.cause.stack = "Error: the cause\n    at place:3:4";
  return error;
}

function deep() {
  let value = "bottom";
  for (let level = 0; level < 200; level++) value = level % 2 ? [value] : { value };
  return value;
}

export const catalogue = {
  null: () => null, true: () => true, false: () => false,
  zero: () => 0, minus_zero: () => -0, three: () => 3, minus_one: () => -1, int30: () => 2 ** 30, int31: () => 2 ** 31,
  minus_int31: () => -(2 ** 31), uint32: () => 2 ** 32 - 1, max_safe: () => Number.MAX_SAFE_INTEGER, two_53: () => 2 ** 53,
  half: () => 0.5, tiny: () => 5e-324, huge: () => 1.7976931348623157e308, nan: () => NaN, infinity: () => Infinity, minus_infinity: () => -Infinity,
  bigint_zero: () => 0n, bigint_small: () => 12n, bigint_minus: () => -12n, bigint_64: () => 2n ** 64n, bigint_large: () => -(123456789012345678901234567890n),
  empty_string: () => "", ascii: () => "hello", latin1: () => "na\u00efve caf\u00e9", two_byte: () => "\u65e5\u672c\u8a9e", emoji: () => "\u{1f980} crab",
  lone_surrogate: () => "a\ud800b", control: () => "\u001b[31mred\u0000", long_string: () => "x".repeat(100_000),
  date: () => new Date(Date.UTC(2026, 10, 23, 12, 34, 56, 789)), date_epoch: () => new Date(0), date_before: () => new Date(-1.5e12), date_invalid: () => new Date(NaN),
  map: () => new Map([["k", 1n], [2, "two"], [null, undefined]]), map_nested: () => new Map([[{ key: "object" }, new Map([["x", new Set([1])]])]]), map_empty: () => new Map(),
  set: () => new Set(["a", "b", 3]), set_empty: () => new Set(),
  array: () => [1, "two", null, undefined, true], array_empty: () => [], array_doubles: () => [1.5, 2.5, NaN], array_holes: withHoles, array_sparse: sparse, array_properties: arrayWithProperties,
  object: () => ({ a: 1, b: { c: [] } }), object_empty: () => ({}), object_number_keys: () => ({ 2: "b", 1: "a", x: "c" }), object_undefined: () => ({ gone: undefined, there: null }),
  object_odd_keys: () => ({ "": 0, "[bold]x[/]": 1, "\u001b[2J": 2, "\u65e5": 3, __proto__x: 4 }),
  uint8: () => Uint8Array.of(0, 1, 254, 255), uint8_empty: () => new Uint8Array(0), uint8_clamped: () => Uint8ClampedArray.of(1, 255), int8: () => Int8Array.of(-1, 1),
  int16: () => Int16Array.of(-2, 2), uint16: () => Uint16Array.of(1, 65535), int32: () => Int32Array.of(-3, 3), uint32_array: () => Uint32Array.of(4294967295),
  float32: () => Float32Array.of(0.5, -0), float64: () => Float64Array.of(0.1, NaN, Infinity), bigint64: () => BigInt64Array.of(-(2n ** 63n)), biguint64: () => BigUint64Array.of(2n ** 64n - 1n),
  array_buffer: () => Uint8Array.of(9, 8, 7).buffer, data_view: () => new DataView(Uint8Array.of(1, 2, 3, 4).buffer, 1, 2), two_views: twoViews,
  error: failure, range_error: () => { const e = new RangeError("out"); e.stack = "RangeError: out"; return e; },
  regexp: () => /a(b)?\/c/giu, regexp_sticky: () => /x/y,
  number_object: () => new Number(7), string_object: () => new String("boxed"), boolean_object: () => new Boolean(false), bigint_object: () => Object(5n),
  cyclic, shared, deep,
  state: () => ({ n: 3, when: new Date(0), tags: new Set(["a", "b"]), m: new Map([["k", 1n]]) }),
};
