// How much more or less than usual, in one sentence.

import { percent, t } from "./say.ts";

const ALIKE = 0.05;

/** Say a figure beside the usual one (as written in `said`); a difference always says against what. */
export function beside(value: number | null, usual: number, said: string, shown: (value: number) => string = String): string {
  if (value === null) return t("usual.is", { usual: said });
  if (usual === 0) return value === 0 ? t("usual.alike", { usual: said }) : t("usual.zero", { usual: said });
  // what is written alike is not told apart
  if (shown(value) === shown(usual)) return t("usual.alike", { usual: said });
  if (shown(value) === shown(0)) return t("usual.notyet", { usual: said });
  if (shown(usual) === shown(0)) return t("usual.is", { usual: said });
  const change = value / usual - 1;
  if (Math.abs(change) < ALIKE) return t("usual.alike", { usual: said });
  if (change >= 2) return t("usual.times", { times: Math.round(change + 1), usual: said });
  return t(change > 0 ? "usual.more" : "usual.less", { share: percent(change), usual: said });
}
