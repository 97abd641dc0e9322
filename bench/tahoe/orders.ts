/**
 * @module orders: how a process that is measured is told what to do, by the one that started it.
 */

/** Answers each order, one at a time, and says first that it is there. */
export function takeOrders<Order>(obey: (order: Order) => Promise<unknown>): void {
  process.on('message', async ({ id, order }: { id: number; order: Order }) => {
    try {
      process.send?.({ id, result: await obey(order) });
    } catch (error) {
      process.send?.({ id, problem: String(error) });
    }
  });
  process.send?.({ id: 0, result: null });
}
