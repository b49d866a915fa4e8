import { dice } from "./random.js";

// Alarms that do not come while anybody looks at the sample.
const FAR = Date.UTC(2030, 0, 1, 8);

const named = (namespace, name) => namespace.get(namespace.idFromName(name));

async function myApp(env, code) {
  const runner = named(env.APP_RUNNER, "my-app");
  await runner.install(code.replace("It knows", "First draft. It knows"), "fixer-1");
  await runner.call(["app"], "hit");
  await runner.note("ana", "review", "asked for entries");
  await runner.install(code, "fixer-1");
  for (const body of ["first entry", "second entry", "third entry"]) await runner.call(["app"], "add", body);
  for (let n = 0; n < 3; n++) await runner.call(["app"], "hit");
  await runner.note("fixer-1", "open", "app");
  await runner.call(["app", "inner"], "write", 123456789012345678901234567890n);
  await runner.note("fixer-1", "open", "app ▸ inner");
  for (let n = 1; n <= 9; n++) {
    await runner.call(["billing"], "bill", `2026-${String(n).padStart(3, "0")}`, n * 1250, n % 4 ? "2026-11-0" + n : null);
  }
  await runner.note("fixer-1", "open", "billing");
  await runner.call(["temp"], "keep", { draft: true });
  await runner.note("fixer-1", "open", "temp");
  await runner.retire("temp", "fixer-1");
  for (const step of ["plan", "test", "approve"]) await runner.note("ana", step, "billing");
  await runner.remindAt(FAR);
  await runner.note("ana", "remind", new Date(FAR).toISOString());
}

async function otherApps(env, code) {
  const acme = named(env.APP_RUNNER, "acme");
  await acme.install(code, "fixer-2");
  await acme.call(["app"], "add", "hello from acme");
  await named(env.APP_RUNNER, "empty").note("ana", "create", null);
  const unnamed = env.APP_RUNNER.get(env.APP_RUNNER.newUniqueId());
  await unnamed.note("ana", "create", "without a name");
}

function failure() {
  const error = new TypeError("quota is not a number");
  error.stack = "TypeError: quota is not a number\n    at Tenant.quota (src/objects.js:40:11)";
  return error;
}

// One of each kind the runtime can store.
const acmeEntries = (random) => ({
  settings: { theme: "dark", seats: 25, flags: { beta: true, legacy: null }, since: new Date(Date.UTC(2024, 1, 29)) },
  limits: new Map([["requests", 1_000_000n], ["storage", 5n * 2n ** 40n]]),
  tags: new Set(["enterprise", "eu", 7]),
  quota: 18446744073709551616n,
  balance: -0,
  ratio: 0.1,
  nothing: null,
  active: true,
  logo: random.bytes(48),
  samples: Float64Array.of(0.5, NaN, -Infinity),
  buffer: random.bytes(8).buffer,
  lastError: failure(),
  pattern: /^acme-(\d+)$/giu,
  list: [1, "two", null, undefined, [3, [4]]],
  holes: [1, , 3],
  "日本語": "二バイト",
  "latin": "naïve café",
  "[bold]x[/]": "[red]not markup[/]",
  "\u001b[31mred": "\u001b[2Jnot cleared",
  long: "All work and no play. ".repeat(500),
});

async function tenants(env) {
  const random = dice(4);
  for (const name of ["acme", "globex", "initech", "umbrella", "Łódź ☕", "[bold]x[/]", "a/b c:d"]) {
    const tenant = named(env.TENANT, name);
    for (let n = 1; n <= 2 + random.upTo(8); n++) {
      await tenant.addMember(`m${n}@example.com`, random.of(["reader", "writer", "owner"]), n % 3 ? null : random.bytes(24));
    }
    await tenant.remember("settings", { theme: random.of(["dark", "light"]), seats: random.upTo(50) });
  }
  const acme = named(env.TENANT, "acme");
  for (const [key, value] of Object.entries(acmeEntries(random))) await acme.remember(key, value);
  await acme.renewAt(FAR + 86_400_000);
  await named(env.TENANT, "globex").renewAt(FAR + 2 * 86_400_000);
}

async function carts(env) {
  for (let n = 1; n <= 3; n++) {
    for (let line = 0; line < n; line++) await named(env.CARTS, `cart-${n}`).add(`SKU-000${line + 1}`, n);
  }
}

export async function seedObjects(env, ctx, { code }) {
  await myApp(env, code);
  await otherApps(env, code);
  await tenants(env);
  await carts(env);
  await named(ctx.exports.Auditor, "nightly").note("created", "by hand");
  return { counter: await named(env.APP_RUNNER, "my-app").call(["app"], "counter") };
}
