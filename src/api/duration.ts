// ISO 8601 durations, as far as they have one length: weeks, days, hours, minutes and seconds.
// https://www.iso.org/iso-8601-date-and-time-format.html

const DURATION = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,3})?)S)?)?$/;
const UNIT_SECONDS = [604_800, 86_400, 3600, 60, 1];

/** The duration in milliseconds, or null for anything else; years and months have no one length. */
export function durationMs(text: string): number | null {
  const parts = DURATION.exec(text)?.slice(1);
  if (!parts?.some((part) => part !== undefined) || text.endsWith("T")) return null;
  const seconds = parts.reduce(
    (sum, part, unit) => sum + Number(part ?? 0) * (UNIT_SECONDS[unit] ?? 0),
    0,
  );
  return Math.round(seconds * 1000);
}
