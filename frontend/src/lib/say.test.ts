import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { amount, clock, dayName, localDay, moment, monthName, onClock, percent, quantity, speak, t, won } from "./say.ts";
import { beside } from "./usual.ts";

function words(language: "ko" | "en"): void {
  const path = new URL(`../../../src/quintet/web/strings/home/${language}.json`, import.meta.url);
  speak(language, JSON.parse(readFileSync(path, "utf-8")));
  onClock("Asia/Seoul");
}

test("won, amounts and shares in Korean", () => {
  words("ko");
  assert.equal(won(12340.4), "12,340원");
  assert.equal(amount(99.94, "kWh"), "99.9");
  assert.equal(amount(99.96, "kWh"), "100");
  assert.equal(amount(1234.5, "kWh"), "1,235");
  assert.equal(amount(1234567.89, "kWh"), "1,234,568");
  assert.equal(amount(-0.04, "kWh"), "0.0");
  assert.equal(won(-1200), "−1,200원");
  assert.equal(quantity(3.1, "m3"), "3.10 m³");
  assert.equal(quantity(null, "m3"), "알 수 없음");
  assert.equal(percent(-0.123), "12 %");
});

test("days and times on the city's clock", () => {
  words("ko");
  assert.equal(clock("2026-11-03T15:20:00Z"), "00:20");
  assert.equal(clock("2026-11-04T00:20:00+09:00"), "00:20");
  assert.equal(localDay("2026-11-04T00:20:00+09:00"), "2026-11-04");
  assert.equal(localDay("2026-11-03T15:20:00Z"), "2026-11-04");
  assert.equal(dayName("2026-11-03"), "11월 3일");
  assert.equal(monthName("2026-11"), "2026년 11월");
  assert.equal(moment("2026-11-03T05:20:00Z", "2026-11-03"), "오늘 14:20");
  words("en");
  assert.equal(dayName("2026-11-03"), "3 Nov");
  assert.equal(moment("2026-11-02T05:20:00Z", "2026-11-03"), "2 Nov, 14:20");
  assert.equal(won(12340), "₩12,340");
});

test("a difference says against what, and nothing is compared with nothing", () => {
  words("en");
  assert.equal(beside(1.12, 1, "1.0 kWh"), "usual +12 % (by this hour 1.0 kWh)");
  assert.equal(beside(0.8, 1, "1.0 kWh"), "usual −20 % (by this hour 1.0 kWh)");
  assert.equal(beside(1.01, 1, "1.0 kWh"), "as usual by this hour (1.0 kWh)");
  assert.equal(beside(4, 1, "1.0 kWh"), "4 times the usual (by this hour 1.0 kWh)");
  assert.equal(beside(2, 0, "0.0 kWh"), "usually nothing by this hour");
});

test("what is not there stays empty, never undefined", () => {
  words("en");
  assert.equal(t("asof", {}), "as of ");
});
