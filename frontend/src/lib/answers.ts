// What the server answers: the fields of /openapi.json that the page reads.

export type Mark = "measured" | "estimated" | "edited" | "questionable" | "missing" | "";

export interface Tile {
  commodity: string;
  name_en: string;
  name_ko: string;
  unit: string;
  state: "fine" | "late" | "silent" | "stopped" | "new" | "none";
  as_of: string | null;
  last_heard: string | null;
  zero_since: string | null;
  use: number | null;
  coverage: number | null;
  estimated_share: number | null;
  usual: number | null;
  usual_days: number;
  usual_reason: string | null;
  won: number | null;
  won_usual: number | null;
  won_reason: string | null;
  values: (number | null)[];
  marks: Mark[];
  usual_values: (number | null)[];
}

export interface HomeNow {
  place: string;
  name_en: string;
  name_ko: string;
  timezone: string;
  simulated: boolean;
  known_at: string;
  day: string;
  from: string;
  to: string;
  since: string | null;
  day_kind: "working_day" | "day_of_rest";
  as_of: string | null;
  stale: boolean;
  won: number | null;
  won_usual: number | null;
  unpriced: string[];
  tiles: Tile[];
}

export interface TierGauge {
  name_en: string;
  name_ko: string;
  unit: string;
  number: number;
  count: number;
  limits: number[];
  prices: number[];
  use: number;
  left: number | null;
  day: string | null;
}

export interface BillAhead {
  use: number;
  use_low: number | null;
  use_high: number | null;
  won: number | null;
  won_low: number | null;
  won_high: number | null;
  trials: number;
}

export interface BillItem {
  item: string;
  name_en: string;
  name_ko: string;
  won: number | null;
}

export interface BillAdjustment {
  month: string;
  start: string;
  end: string;
  was_won: number;
  now_won: number;
  won: number;
  was_use: string;
  now_use: string;
  unit: string;
  why: string[];
  why_en: string[];
  why_ko: string[];
}

export interface IssuedLine {
  issued_at: string;
  first: string;
  last: string;
  use: number | null;
  total_won: number | null;
  due_won: number | null;
  sound: boolean;
  items: BillItem[];
  adjustments: BillAdjustment[];
}

export interface LessStep {
  share: number;
  use: number;
  won: number;
  saved: number;
}

export interface LessRow {
  commodity: string;
  name_en: string;
  name_ko: string;
  unit: string;
  steps: LessStep[];
}

export interface HomeLess {
  place: string;
  name_en: string;
  name_ko: string;
  timezone: string;
  month: string;
  last: string;
  rows: LessRow[];
}

export interface BillLine {
  commodity: string;
  name_en: string;
  name_ko: string;
  unit: string;
  use: number | null;
  gaps: boolean;
  days_known: number;
  known: number | null;
  estimated: boolean;
  won: number | null;
  why: string[];
  card_name_en: string;
  card_name_ko: string;
  source: string;
  source_ko: string;
  certainty: string;
  stated: boolean;
  items: BillItem[];
  ahead: BillAhead | null;
  tier: TierGauge | null;
  tier_reason: string | null;
  issued: IssuedLine[] | null;
}

export interface HomeBill {
  place: string;
  name_en: string;
  name_ko: string;
  timezone: string;
  month: string;
  first: string;
  last: string;
  days: number;
  days_over: number;
  as_of: string | null;
  since: string | null;
  moved: string | null;
  won: number | null;
  won_ahead: number | null;
  won_low: number | null;
  won_high: number | null;
  unpriced: string[];
  lines: BillLine[];
}

export interface HistoryRow {
  start: string;
  value: number | null;
  mark: Mark;
  coverage: number | null;
  estimated_share: number | null;
  before: number | null;
  before_mark: Mark;
  temperature_c: number | null;
}

export interface Offered {
  commodity: string;
  name_en: string;
  name_ko: string;
}

export interface HomeHistory {
  place: string;
  name_en: string;
  name_ko: string;
  timezone: string;
  commodity: string;
  unit: string;
  length: "day" | "week" | "month" | "year";
  step: string;
  first: string;
  last: string;
  earlier: string | null;
  later: string | null;
  since: string | null;
  known_at: string;
  total: number | null;
  known: number | null;
  total_alike: number | null;
  before_alike: number | null;
  utilities: Offered[];
  rows: HistoryRow[];
}

export interface Beside {
  commodity: string;
  name_en: string;
  name_ko: string;
  unit: string;
  own: number | null;
  own_whole: boolean;
  own_reason: string | null;
  mean: number | null;
  reason: string | null;
}

export interface HomeCompare {
  place: string;
  name_en: string;
  name_ko: string;
  timezone: string;
  month: string | null;
  reason: string | null;
  area_low_m2: number | null;
  area_high_m2: number | null;
  area_known: boolean;
  occupants: number | null;
  heated_by: Offered[];
  homes: number;
  homes_needed: number;
  rows: Beside[];
}
