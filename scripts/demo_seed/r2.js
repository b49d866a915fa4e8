import cover from "./cover.bin";
import logo from "./logo.bin";
import { dice, padded } from "./random.js";

const PART = 5 * 1024 * 1024;

async function invoices(bucket, random) {
  for (let n = 1; n <= 96; n++) {
    const month = padded(1 + ((n - 1) % 12), 2);
    const text = `Invoice ${n}\nTotal ${random.upTo(90_000) / 100} EUR\n`;
    await bucket.put(`invoices/2026/${month}/inv-${padded(n)}.txt`, text, {
      httpMetadata: { contentType: "text/plain; charset=utf-8", contentDisposition: `attachment; filename="inv-${padded(n)}.txt"` },
      customMetadata: { customer: String(1 + random.upTo(200)), paid: String(n % 3 !== 0) },
    });
  }
}

async function reports(bucket, random) {
  for (const day of Array.from({ length: 14 }, (_, n) => padded(n + 1, 2))) {
    const report = { day: `2026-11-${day}`, orders: random.upTo(50), refunds: random.upTo(5) };
    await bucket.put(`reports/2026-11-${day}.json`, JSON.stringify(report, null, 2), { httpMetadata: { contentType: "application/json" } });
  }
}

async function single(bucket, random) {
  const png = { httpMetadata: { contentType: "image/png", cacheControl: "public, max-age=3600" } };
  await bucket.put("images/cover.png", cover, { ...png, customMetadata: { author: "Ana", licence: "CC0" } });
  await bucket.put("images/logo.png", logo, png);
  await bucket.put("images/raw", random.bytes(2048));
  const page = "<p>hallo</p>";
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(page));
  await bucket.put("pages/de/start.html", page, {
    sha256: digest,
    httpMetadata: { contentType: "text/html", contentLanguage: "de", cacheExpiry: new Date(Date.UTC(2037, 0, 1)) },
  });
  await bucket.put("empty", "");
  await bucket.put("folder/", "");
  await bucket.put("folder/inside/deep/er/file.txt", "deep\n");
  await bucket.put("odd/日本語 名前.txt", "はい\n", { customMetadata: { "naïve": "日本" } });
  await bucket.put("odd/[bold]x[/].txt", "[bold]no markup[/]\n");
  await bucket.put("odd/\u001b[31mred.txt", "\u001b[31mno colour\n");
  await bucket.put("odd//two//slashes", "x");
}

async function uploads(bucket) {
  const csv = new TextEncoder().encode("sku,name,price_cents\n" + "SKU-0001,a thing of the catalogue,1999\n".repeat(150_000));
  const upload = await bucket.createMultipartUpload("exports/catalogue.csv", {
    httpMetadata: { contentType: "text/csv" },
    customMetadata: { rows: "150000" },
  });
  const parts = [await upload.uploadPart(1, csv.slice(0, PART)), await upload.uploadPart(2, csv.slice(PART))];
  await upload.complete(parts);
  const pending = await bucket.createMultipartUpload("exports/orders.csv", { httpMetadata: { contentType: "text/csv" } });
  await pending.uploadPart(1, csv.slice(0, 200_000));
}

export async function seedR2(env) {
  const random = dice(2);
  await invoices(env.FILES, random);
  await reports(env.FILES, random);
  await single(env.FILES, random);
  await uploads(env.FILES);
  const listed = await env.FILES.list();
  return { FILES: listed.objects.length };
}
