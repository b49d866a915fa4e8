import { dice, padded } from "./random.js";

const CATEGORIES = [["Home", null], ["Kitchen", 1], ["Garden", 1], ["Office", null], ["Paper", 4], ["Screens", 4]];
const CITIES = ["Lisboa", "Köln", "京都", "São Paulo"];
const WORDS = ["blue", "small", "folding", "oak", "steel", "quiet"];

/** Writes rows in batches, each one transaction. */
async function insert(db, table, columns, rows) {
  const sql = `INSERT INTO ${table} (${columns}) VALUES (${columns.split(",").map(() => "?")})`;
  const statement = db.prepare(sql);
  for (let start = 0; start < rows.length; start += 100) {
    await db.batch(rows.slice(start, start + 100).map((row) => statement.bind(...row)));
  }
}

const times = (n, make) => Array.from({ length: n }, (_, index) => make(index + 1));

async function catalogue(db, random) {
  await insert(db, "categories", "name, parent_id", CATEGORIES);
  await insert(db, "products", "sku, category_id, name, price_cents, weight_kg, thumbnail, discontinued_at", times(80, (n) => [
    `SKU-${padded(n)}`, 1 + (n % 6), `${random.of(WORDS)} ${random.of(["chair", "lamp", "desk", "pot"])} ${n}`, 500 + random.upTo(90_000),
    n % 5 ? random.upTo(300) / 10 : null, n % 8 ? null : random.bytes(64), n % 20 ? null : "2026-01-31",
  ]));
  await insert(db, "stock", "product_id, quantity", times(80, (n) => [n, random.upTo(40)]));
  await insert(db, "coupons", "code, percent, used", [["WELCOME", 10, 41], ["BLACK-FRIDAY", 30, 0], ["日本", 5, 2]]);
  await db.prepare("UPDATE products SET price_cents = price_cents + 100 WHERE id % 10 = 0").run();
}

async function customers(db, random) {
  await insert(db, "customers", "name, email, country, score, notes", times(200, (n) => [
    `cust ${n}`, `cust${n}@example.com`, random.of(["PT", "DE", "JP", "BR"]), n % 7 ? random.upTo(1000) / 7 : null,
    n % 25 ? null : "line one\nline two\t[bold]not markup[/] \u001b[31mnot red",
  ]));
  await insert(db, "addresses", "customer_id, kind, street, city", times(120, (n) => [n, n % 3 ? "home" : "work", `Street ${n}`, random.of(CITIES)]));
}

async function orders(db, random) {
  await insert(db, "orders", "customer_id, status, total, placed_at", times(200, (n) => [
    1 + (n * 7) % 40, random.of(["new", "paid", "sent", "returned"]), 10 * (1 + random.upTo(110)), new Date(1.79e12 + n * 3_600_000).toISOString(),
  ]));
  const lines = times(200, (n) => times(1 + (n % 3), (k) => [n, 1 + ((n * 3 + k * 11) % 80), 1 + random.upTo(3), 500 + random.upTo(9000)])).flat();
  await insert(db, "order_items", "order_id, product_id, quantity, price_cents", lines);
}

// A number of JavaScript cannot hold these ids, so they are written out.
async function wideIds(db, random) {
  const payment = (n) => `(${4611686018427387904n + BigInt(n) * 1_000_003n}, ${n}, ${n * 10}.5, ${n % 4 ? "NULL" : `x'${random.bytes(16).toHex()}'`})`;
  await db.prepare(`INSERT INTO payments (id, order_id, amount, receipt) VALUES ${times(90, payment).join(", ")}`).run();
  const event = (n) => {
    const payload = n % 10 ? `'${JSON.stringify({ n, kind: random.of(WORDS) })}'` : "NULL";
    return `(${9007199254740993n + BigInt(n - 1) * 4_194_304n}, '${random.of(["order.paid", "order.sent", "cart.left"])}', ${payload}, ${1 + random.upTo(200)})`;
  };
  await db.prepare(`INSERT INTO events VALUES ${times(500, event).join(", ")}`).run();
  await db.prepare("INSERT INTO events VALUES (-9223372036854775808, 'edge', NULL, NULL), (9223372036854775807, 'edge', NULL, NULL)").run();
}

async function rest(db) {
  await insert(db, "docs", "title, body", [
    ["Returns", "Goods can be returned within thirty days."], ["Shipping", "Orders are shipped on working days."],
    ["Care", "Wood wants oil once a year; steel wants nothing."], ["Impressum", "Der Laden, Straße 1, Köln."],
  ]);
  await insert(db, '"odd names"', '"a column", "[bold]markup[/]", "select", "naïve 日本"', [
    ["plain", "[red]x[/]", 1, new Uint8Array([0, 255, 27])], ["\u001b[2Jclears", "\u202ertl", -1, null], ["", null, null, new Uint8Array(0)],
  ]);
}

export async function seedD1(env) {
  const random = dice(3);
  await catalogue(env.DB, random);
  await customers(env.DB, random);
  await orders(env.DB, random);
  await wideIds(env.DB, random);
  await rest(env.DB);
  const { results } = await env.DB.prepare("SELECT count(*) AS n FROM sqlite_master WHERE type = 'table'").all();
  return { tables: results[0].n };
}
