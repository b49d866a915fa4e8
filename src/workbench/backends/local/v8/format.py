"""The words of the format: tags as byte values (V8's value-serializer, workerd's worker-interface.capnp)."""

LATEST = 15
"""The version the runtime writes."""
READABLE = range(13, 17)

VERSION = 0xFF
PADDING = 0x00
OBJECT_COUNT = ord("?")
HOLE = ord("-")
UNDEFINED = ord("_")
NULL = ord("0")
TRUE = ord("T")
FALSE = ord("F")
INT32 = ord("I")
UINT32 = ord("U")
DOUBLE = ord("N")
BIGINT = ord("Z")
UTF8 = ord("S")
ONE_BYTE = ord('"')
TWO_BYTE = ord("c")
REFERENCE = ord("^")
OBJECT = ord("o")
OBJECT_END = ord("{")
SPARSE = ord("a")
SPARSE_END = ord("@")
DENSE = ord("A")
DENSE_END = ord("$")
DATE = ord("D")
BOXED_TRUE = ord("y")
BOXED_FALSE = ord("x")
BOXED_NUMBER = ord("n")
BOXED_BIGINT = ord("z")
BOXED_STRING = ord("s")
REGEXP = ord("R")
MAP = ord(";")
MAP_END = ord(":")
SET = ord("'")
SET_END = ord(",")
BUFFER = ord("B")
RESIZABLE = ord("~")
VIEW = ord("V")
ERROR = ord("r")
HOST = ord("\\")

OTHERS = {
    ord("t"): "a transferred ArrayBuffer",
    ord("u"): "a SharedArrayBuffer",
    ord("p"): "a value shared between isolates",
    ord("w"): "a WebAssembly module",
    ord("m"): "a WebAssembly memory",
}
"""What V8 can write and a file cannot hold."""

VIEWS = {
    ord("b"): ("Int8Array", 1),
    ord("B"): ("Uint8Array", 1),
    ord("C"): ("Uint8ClampedArray", 1),
    ord("w"): ("Int16Array", 2),
    ord("W"): ("Uint16Array", 2),
    ord("d"): ("Int32Array", 4),
    ord("D"): ("Uint32Array", 4),
    ord("h"): ("Float16Array", 2),
    ord("f"): ("Float32Array", 4),
    ord("F"): ("Float64Array", 8),
    ord("q"): ("BigInt64Array", 8),
    ord("Q"): ("BigUint64Array", 8),
    ord("?"): ("DataView", 1),
}
"""Sub-tag to (name, bytes an element)."""
VIEW_TAGS = {name: (tag, size) for tag, (name, size) in VIEWS.items()}
TRACKING, ON_RESIZABLE = 1, 2

FLAGS = "gimyusldv"
"""Flags of a RegExp, by bit; "l" (linear) is behind a switch of V8's that the runtime does not set."""
KNOWN_FLAGS = 0b110111111
BOTH_UNICODE = 0b100010000

ERROR_NAMES = {
    ord("E"): "EvalError",
    ord("R"): "RangeError",
    ord("F"): "ReferenceError",
    ord("S"): "SyntaxError",
    ord("T"): "TypeError",
    ord("U"): "URIError",
}
ERROR_TAGS = {name: tag for tag, name in ERROR_NAMES.items()}
ERROR_MESSAGE, ERROR_STACK, ERROR_CAUSE, ERROR_END = ord("m"), ord("s"), ord("c"), ord(".")

HOST_ERROR = 10
HOST_ERROR_NAMES = (
    "",
    "Error",
    "TypeError",
    "RangeError",
    "ReferenceError",
    "SyntaxError",
    "WasmCompileError",
    "WasmLinkError",
    "WasmRuntimeError",
    "WasmSuspendError",
    "EvalError",
    "URIError",
    "AggregateError",
    "SuppressedError",
)
"""By workerd's number; 0 means that the name follows."""
HOST_NAMES = {
    1: "an RPC stub",
    2: "a WritableStream",
    3: "a ReadableStream",
    4: "a Headers object",
    5: "a Request",
    6: "a Response",
    7: "a DOMException",
    8: "a DOMException",
    9: "an AbortSignal",
    11: "a service stub",
    12: "a Durable Object class",
    13: "an R2 bucket binding",
    14: "a KV namespace binding",
    15: "a Blob",
    16: "a socket",
    17: "a binding",
}

DEEPEST = 500
"""Levels of tagged JSON; deeper values would not pass any JSON parser or writer in the standard library."""
LONGEST_DECIMAL = 4000
"""Digits of a BigInt written in decimal; longer ones are hexadecimal (Python refuses to print more than 4300)."""
