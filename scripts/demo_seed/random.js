/** Numbers that look random and are the same each time. */
export function dice(seed) {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return {
    upTo: (n) => Math.floor(next() * n),
    of: (list) => list[Math.floor(next() * list.length)],
    bytes: (n) => Uint8Array.from({ length: n }, () => Math.floor(next() * 256)),
  };
}

export const padded = (n, width = 4) => String(n).padStart(width, "0");
