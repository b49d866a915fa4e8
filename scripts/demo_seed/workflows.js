const INSTANCES = {
  "inv-1001": { order: 1 },
  "inv-1002": { order: 2, card: "declined" },
  "inv-1003": { order: 3, approve: true },
  "inv-1004": { order: 4, remind: true },
};

async function ended(instance) {
  for (let tries = 0; tries < 100; tries++) {
    const { status } = await instance.status();
    if (status === "complete" || status === "errored") return status;
    await scheduler.wait(100);
  }
  throw new Error("the workflow did not end");
}

/** One finished, one failed after its retries, one waiting for an event, one asleep. */
export async function seedWorkflows(env) {
  for (const [id, params] of Object.entries(INSTANCES)) await env.BILLING.create({ id, params });
  const statuses = {};
  for (const id of ["inv-1001", "inv-1002"]) statuses[id] = await ended(await env.BILLING.get(id));
  await scheduler.wait(500);
  for (const id of ["inv-1003", "inv-1004"]) statuses[id] = (await (await env.BILLING.get(id)).status()).status;
  return statuses;
}
