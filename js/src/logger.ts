// What Ebbtide says of what it does: levels by category, and whoever listens.
import { assert, assertFunction } from "./assert.js";
import { callSafely } from "./listeners.js";

/** How much is said: everything from this level upwards. */
export type LogLevel = "all" | "trace" | "debug" | "detail" | "info" | "warn" | "error" | "fatal" | "off";

/** The levels as numbers. */
export enum NumericLogLevel {
  All = 0,
  Trace = 1,
  Debug = 2,
  Detail = 3,
  Info = 4,
  Warn = 5,
  Error = 6,
  Fatal = 7,
  Off = 8,
}

export const LOG_CATEGORIES = [
  "Realm",
  "Realm.Storage",
  "Realm.Storage.Transaction",
  "Realm.Storage.Query",
  "Realm.Storage.Object",
  "Realm.Storage.Notification",
  "Realm.Sync",
  "Realm.Sync.Client",
  "Realm.Sync.Client.Session",
  "Realm.Sync.Client.Changeset",
  "Realm.Sync.Client.Network",
  "Realm.Sync.Client.Reset",
  "Realm.Sync.Server",
  "Realm.App",
  "Realm.SDK",
] as const;

/** What a message is about. A category includes those whose names continue its own. */
export type LogCategory = (typeof LOG_CATEGORIES)[number];

export type LogEntry = { category: LogCategory; level: LogLevel; message: string };

/** Takes a level as a number: the form that `Realm.App.Sync.setLogger` takes. */
export type Logger = (level: NumericLogLevel, message: string) => void;
export type LoggerCallback1 = (level: LogLevel, message: string) => void;
export type LoggerCallback2 = (entry: LogEntry) => void;
/** Either of these: the number of its parameters says which. */
export type LoggerCallback = LoggerCallback1 | LoggerCallback2;

const NUMBERS: Record<LogLevel, NumericLogLevel> = {
  all: NumericLogLevel.All,
  trace: NumericLogLevel.Trace,
  debug: NumericLogLevel.Debug,
  detail: NumericLogLevel.Detail,
  info: NumericLogLevel.Info,
  warn: NumericLogLevel.Warn,
  error: NumericLogLevel.Error,
  fatal: NumericLogLevel.Fatal,
  off: NumericLogLevel.Off,
};

/** The lowest level that is said, by category. */
const thresholds = new Map<LogCategory, number>();
let logger: LoggerCallback2 = toConsole;
/** Takes what is said of sync in place of `logger`. */
let syncLogger: Logger | undefined;

/** Says something, if anybody wants to know: `message` is made only then. */
export function log(category: LogCategory, level: Exclude<LogLevel, "all" | "off">, message: () => string): void {
  if (NUMBERS[level] < (thresholds.get(category) ?? NumericLogLevel.Warn)) return;
  const text = message();
  const ofSync = syncLogger;
  if (ofSync && includes("Realm.Sync", category)) callSafely(() => ofSync(NUMBERS[level], text));
  else callSafely(() => logger({ category, level, message: text }));
}

/** Sets how much is said of a category and of those within it. */
export function setLogLevel(level: LogLevel, category: LogCategory = "Realm"): void {
  assert(LOG_CATEGORIES.includes(category), `Unexpected log category: '${String(category)}'`);
  assert(Object.hasOwn(NUMBERS, level), `Unexpected log level: ${String(level)}`);
  for (const each of LOG_CATEGORIES) if (includes(category, each)) thresholds.set(each, NUMBERS[level]);
}

export function setLogger(callback: LoggerCallback): void {
  assertFunction(callback);
  if (takesLevel(callback)) logger = ({ level, message }) => callback(level, message);
  else logger = callback;
}

export function setSyncLogger(callback: Logger): void {
  assertFunction(callback, "logger");
  syncLogger = callback;
}

/** Back to the console. */
export function resetLogger(): void {
  logger = toConsole;
  syncLogger = undefined;
}

function takesLevel(callback: LoggerCallback): callback is LoggerCallback1 {
  return callback.length === 2;
}

function includes(category: LogCategory, other: LogCategory): boolean {
  return other === category || other.startsWith(`${category}.`);
}

function toConsole({ category, level, message }: LogEntry): void {
  const line = `[${category} - ${level}] ${message}`;
  if (level === "error" || level === "fatal") console.error(line);
  else if (level === "warn") console.warn(line);
  else console.log(line);
}
