// The bars of a history on a uPlot canvas: each drawn by what it is worth, last year as a grey step, the weather as a line.

import type uPlot from "uplot";
import type { HistoryRow, Mark } from "./answers.ts";

export interface Ink {
  fill: string;
  text: string;
  quiet: string;
  ink: string;
}

/** Make the pattern of an estimate: strokes at 45 degrees in the utility's colour. */
function hatch(ctx: CanvasRenderingContext2D, colour: string, ratio: number): CanvasPattern | string {
  const size = Math.round(6 * ratio);
  const tile = document.createElement("canvas");
  tile.width = tile.height = size;
  const pen = tile.getContext("2d");
  if (pen === null) return colour;
  pen.strokeStyle = colour;
  pen.lineWidth = 1.6 * ratio;
  pen.beginPath();
  for (const at of [-size, 0, size]) {
    pen.moveTo(at, size);
    pen.lineTo(at + size, 0);
  }
  pen.stroke();
  return ctx.createPattern(tile, "repeat") ?? colour;
}

function bar(ctx: CanvasRenderingContext2D, mark: Mark, box: [number, number, number, number], ink: Ink, ratio: number): void {
  const [x, y, width, height] = box;
  ctx.setLineDash([]);
  ctx.lineWidth = ratio;
  ctx.strokeStyle = ink.text;
  if (mark === "estimated") {
    ctx.fillStyle = hatch(ctx, ink.fill, ratio);
    ctx.fillRect(x, y, width, height);
    ctx.setLineDash([3 * ratio, 2 * ratio]);
    ctx.strokeRect(x + ratio / 2, y + ratio / 2, Math.max(width - ratio, 1), Math.max(height - ratio, 1));
  } else if (mark === "questionable") {
    ctx.strokeRect(x + ratio / 2, y + ratio / 2, Math.max(width - ratio, 1), Math.max(height - ratio, 1));
  } else {
    ctx.fillStyle = ink.fill;
    ctx.fillRect(x, y, width, height);
    if (mark === "edited") {
      ctx.fillStyle = ink.text;
      ctx.beginPath();
      ctx.arc(x + width / 2, y - 5 * ratio, 2 * ratio, 0, 2 * Math.PI);
      ctx.fill();
    }
  }
  ctx.setLineDash([]);
}

/** Draw all bars of a plot whose x values are the numbers of the rows. */
export function drawBars(plot: uPlot, rows: readonly HistoryRow[], ink: Ink): void {
  const { ctx } = plot;
  const ratio = devicePixelRatio;
  const base = plot.valToPos(0, "y", true);
  ctx.save();
  for (const [at, row] of rows.entries()) {
    const left = plot.valToPos(at - 0.5, "x", true);
    const right = plot.valToPos(at + 0.5, "x", true);
    const gap = Math.min((right - left) * 0.16, 3 * ratio);
    if (row.before !== null) {
      ctx.strokeStyle = ink.quiet;
      ctx.lineWidth = 2 * ratio;
      ctx.beginPath();
      ctx.moveTo(left, plot.valToPos(row.before, "y", true));
      ctx.lineTo(right, plot.valToPos(row.before, "y", true));
      ctx.stroke();
    }
    const width = Math.max(right - left - 2 * gap, 1);
    if (row.value !== null && row.value !== 0) {
      const top = plot.valToPos(row.value, "y", true);
      bar(ctx, row.mark, [left + gap, Math.min(top, base), width, Math.abs(base - top)], ink, ratio);
    } else if (row.mark === "missing") {
      ctx.strokeStyle = ink.ink;
      ctx.lineWidth = 2 * ratio;
      ctx.beginPath();
      ctx.moveTo(left + gap, base - ratio);
      ctx.lineTo(right - gap, base - ratio);
      ctx.stroke();
    }
  }
  ctx.restore();
}
