import { WorkflowEntrypoint } from "cloudflare:workers";

/** Bills one order: reads it, waits for approval of a large one, charges the card, sends the receipt. */
export class BillingFlow extends WorkflowEntrypoint {
  async run(event, step) {
    const { order, approve = false, remind = false, card = "ok" } = event.payload;
    const invoice = await step.do("read order", () => this.read(order));
    if (approve) await step.waitForEvent("approval", { type: "approval", timeout: "365 days" });
    if (remind) await step.sleep("until the due date", "365 days");
    await step.do("charge card", { retries: { limit: 2, delay: 50, backoff: "exponential" } }, () => {
      if (card !== "ok") throw new Error(`card ${card}`);
      return { charged: invoice.total };
    });
    await step.sleep("let the payment settle", 200);
    return await step.do("send receipt", () => ({ order, sent: new Date(), total: invoice.total }));
  }

  async read(order) {
    return await this.env.DB.prepare("SELECT id, total, vat FROM orders WHERE id = ?").bind(order).first();
  }
}
