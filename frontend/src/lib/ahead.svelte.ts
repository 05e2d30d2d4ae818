// Where the running month's bill is heading, for the first screen; asked once today's figures stand, and seldom again.

import type { BillLine, HomeBill } from "./answers.ts";
import { about, ask, type Kept, lastKnown } from "./ask.ts";

interface Ahead {
  bill: HomeBill | null;
  /** The month before, where the home was the reader's for all of it. */
  before: HomeBill | null;
}

export const ahead = $state<Ahead>({ bill: null, before: null });
/** A month's end moves little within an hour, and reckoning it reads four weeks: 50 ms of a server that has thousands of open pages. */
const AGAIN_MS = 3600_000;
/** After a failure it is asked again so soon: what stands until then may be old. */
const SOON_MS = 60_000;
/** A month that is over changes where late readings come or its bill is issued. */
const OVER_MS = 24 * 3600_000;
/** Under so much of its time known an amount is none of the month. */
const ENOUGH = 0.8;
let asked = 0;

/** Tell whether so little of the days is known that the amount is none of the month. */
export function partly(line: BillLine): boolean {
  return line.won !== null && line.issued === null && line.known !== null && line.known < ENOUGH;
}

function lastDay(month: string): string {
  const [year = 0, at = 0] = month.split("-").map(Number);
  return new Date(Date.UTC(year, at, 0)).toISOString().slice(0, 10);
}

/** Tell whether a bill is of its whole month. */
function whole(bill: HomeBill): boolean {
  return bill.first === `${bill.month}-01` && bill.last === lastDay(bill.month);
}

function monthBefore(month: string): string {
  const [year = 0, at = 0] = month.split("-").map(Number);
  return new Date(Date.UTC(year, at - 2, 1)).toISOString().slice(0, 7);
}

/** Tell whether two months can be set side by side: whole, known, and of the same utilities. */
export function comparable(bill: HomeBill, before: HomeBill): boolean {
  const alike = [...bill.unpriced].sort().join() === [...before.unpriced].sort().join();
  return alike && whole(bill) && whole(before) && before.won !== null && before.won > 0 && !before.lines.some(partly);
}

async function last(month: string): Promise<Kept<HomeBill>> {
  const path = about("bill", { month });
  const known = lastKnown<HomeBill>(path);
  return known !== null && Date.now() - known.keptAt < OVER_MS ? known : ask<HomeBill>(path);
}

/** Ask where the month is heading, unless that was done lately; what was known before stands until then, and where nothing answers. */
export async function lookAhead(): Promise<void> {
  if (document.hidden || Date.now() - asked < AGAIN_MS) return;
  asked = Date.now();
  const path = about("bill");
  ahead.bill ??= lastKnown<HomeBill>(path)?.answer ?? null;
  try {
    const { answer } = await ask<HomeBill>(path);
    ahead.bill = answer;
    if (answer.won_ahead === null || !whole(answer)) ahead.before = null;
    else ahead.before = (await last(monthBefore(answer.month))).answer;
  } catch {
    // nothing answers, or there is no month before: what is known stays, and is asked for again soon
    asked = Date.now() - AGAIN_MS + SOON_MS;
  }
}
