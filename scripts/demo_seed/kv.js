import cover from "./cover.bin";
import logo from "./logo.bin";
import { dice, padded } from "./random.js";

// Where a key must not expire: the last days a binding takes (32 bits of seconds).
const FAR = 2_145_000_000;

const ODD_KEYS = [
  "日本語/キー", "emoji 🦀", "العربية", "e\u0301 combining", "\u00e9 composed", "👩\u200d💻 joined",
  "[bold]x[/]", "[link=https://example.com]click[/link]", "[@click=app.quit]quit[/]",
  "\u001b[31mred\u001b[0m", "\u001b]0;title\u0007", "line\nbreak", "tab\tand\rreturn", "\u202eright to left", "zero\u200bwidth",
  " spaces ", "/double//slash", "trailing/", "%2F percent", "quote'\"`", "back\\slash", "../up", "long".repeat(126),
];

function* users(random) {
  for (let n = 1; n <= 1000; n++) {
    const user = { id: n, name: `user ${n}`, country: random.of(["PT", "DE", "JP", "BR"]), visits: random.upTo(500) };
    yield [`user/${padded(n)}`, JSON.stringify(user), { metadata: { plan: random.of(["free", "pro", "team"]), v: 2 } }];
  }
}

function* products(random) {
  for (let n = 1; n <= 150; n++) {
    const product = { sku: `SKU-${padded(n)}`, price_cents: 100 + random.upTo(90_000), tags: [random.of(["new", "sale", "last"])] };
    yield [`product/${n}`, JSON.stringify(product, null, 2)];
  }
}

function* pages() {
  for (const language of ["de", "en", "pt"]) {
    for (let n = 1; n <= 40; n++) {
      const html = `<!doctype html>\n<html lang="${language}">\n<h1>Page ${n}</h1>\n${"<p>Some text.</p>\n".repeat(n)}</html>\n`;
      yield [`page/${language}/${padded(n, 2)}`, html, { metadata: { type: "text/html", etag: `p${n}` } }];
    }
  }
}

function* rates(random) {
  for (let n = 0; n < 200; n++) {
    yield [`rate/10.0.${n % 8}.${n}`, String(random.upTo(60)), { expiration: FAR + n * 60 }];
  }
  yield ["rate/gone", "1", { expirationTtl: 60 }];
}

function* rest(random) {
  const rows = Array.from({ length: 400 }, (_, n) => ({ n, text: `row ${n}`, nested: { odd: n % 2 === 1, at: [n, n / 3] } }));
  yield ["config/site", JSON.stringify({ title: "Shop", languages: ["de", "en", "pt"], open: true, tax: 0.2, owner: null })];
  yield ["config/features", '{"gift_cards": true, "big": 9007199254740993, "exact": 0.10, "same": 1, "same": 2}'];
  yield ["config/large", JSON.stringify(rows), { metadata: { note: "a long document" } }];
  yield ["config/broken", '{"not": "closed"'];
  yield ["config/empty", ""];
  yield ["config/motd", "Olá — schöne Grüße — こんにちは\nsecond line, \u001b[5mno blinking\u001b[0m, [red]no markup[/]\n"];
  yield ["image/cover.png", cover, { metadata: { type: "image/png" } }];
  yield ["image/logo.png", logo, { metadata: { type: "image/png" } }];
  yield ["binary/noise", random.bytes(3000)];
  yield ["binary/not-utf8", Uint8Array.of(0x68, 0x69, 0xff, 0xfe, 0x00, 0x0a)];
  for (const key of ODD_KEYS) yield [`odd/${key}`, `the value of ${key}`, { metadata: { key } }];
}

function* sessions(random) {
  for (let n = 0; n < 60; n++) {
    const session = { user: random.upTo(1000) + 1, since: new Date(1.79e12 + n * 60_000), csrf: random.bytes(8).toHex() };
    yield [`session:${random.bytes(12).toHex()}`, JSON.stringify(session), { expiration: FAR, metadata: { ip: `10.1.0.${n}` } }];
  }
}

async function fill(namespace, ...sources) {
  let count = 0;
  for (const source of sources) {
    for (const [key, value, options] of source) {
      await namespace.put(key, value, options);
      count++;
    }
  }
  return count;
}

export async function seedKv(env) {
  const random = dice(1);
  const cache = await fill(env.CACHE, users(random), products(random), pages(), rates(random), rest(random));
  return { CACHE: cache, SESSIONS: await fill(env.SESSIONS, sessions(random)) };
}

/** The Cache API keeps its own state. */
export async function seedCache() {
  const headers = { "cache-control": "max-age=31536000", "content-type": "text/plain" };
  await caches.default.put("https://shop.example/robots.txt", new Response("User-agent: *\n", { headers }));
  return { cache: 1 };
}
