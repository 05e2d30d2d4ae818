// How a person is told of alerts, as /api/v1/home/telling says it; every change answers with the whole of it.

import { ask, Refused, send } from "./ask.ts";

export interface Target {
  id: string;
  created: string;
  trouble: string | null;
}

export interface Telling {
  can: { mail: boolean; push: boolean; webhook: boolean };
  push_key: string;
  mail: (Target & { address: string; state: "waiting" | "confirmed" })[];
  push: (Target & { label: string; host: string })[];
  webhook: (Target & { url: string; secret: string | null })[];
  quiet: { from: string; until: string } | null;
  timezone: string;
  kinds: { kind: string; name_en: string; name_ko: string; on: boolean; urgent: boolean }[];
  away_until: string | null;
  recent: { at: string; channel: string; title: string; state: string; reason: string }[];
  waiting: number;
  welfare: Welfare;
}

export interface Welfare {
  hours: number;
  offered: boolean;
  alarms: { false_per_home_year: number; households: number; days: number; measured: string } | null;
  contacts: Contact[];
}

export interface Contact {
  id: string;
  consent: string;
  place: string;
  contact: string;
  channel: string;
  address: string;
  state: "waiting" | "confirmed";
  since: string;
  until: string;
  trouble: string | null;
}

const PATH = "/api/v1/home/telling";

export async function telling(): Promise<Telling> {
  return (await ask<Telling>(PATH)).answer;
}

/** Change something below the address; gives all of it anew. Raises Refused. */
export async function change(method: "POST" | "PUT" | "DELETE", below: string, body?: unknown): Promise<Telling> {
  const told = await send<Telling>(method, `${PATH}${below}`, body);
  return told ?? (await telling());
}

/** The subscription of this browser to messages, where it has one. */
export async function subscribed(): Promise<PushSubscription | null> {
  if (!("serviceWorker" in navigator) || !("PushManager" in window)) return null;
  const registration = await navigator.serviceWorker.getRegistration("/home");
  return (await registration?.pushManager.getSubscription()) ?? null;
}

/** Ask for leave to show messages and tell the server where to send them; raises Refused("not_allowed") without it. */
export async function subscribe(key: string): Promise<Telling> {
  if (!("serviceWorker" in navigator) || !("PushManager" in window)) throw new Refused(0, "no_push", "", "");
  if ((await Notification.requestPermission()) !== "granted") throw new Refused(0, "not_allowed", "", "");
  await navigator.serviceWorker.register("/home/sw.js", { scope: "/home" });
  const { pushManager } = await navigator.serviceWorker.ready;
  const made = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  return change("POST", "/push", { ...made.toJSON(), label: navigator.platform });
}

/** End this browser's messages. */
export async function unsubscribe(one: PushSubscription): Promise<Telling> {
  await one.unsubscribe();
  return change("POST", "/push:leave", { endpoint: one.endpoint });
}
