import type { Configuration } from "./configuration.js";
import type { PrimaryKey } from "./schema.js";

/** A broken expectation: wrong use of the API, or a realm, object or collection that is no longer valid. */
export class AssertionError extends Error {
  /** @internal */
  constructor(message = "Assertion failed!") {
    super(message);
  }
}

/** A value of the wrong type. */
export class TypeAssertionError extends AssertionError {
  /** @internal */
  constructor(
    private expected: string,
    private value: unknown,
    name?: string,
  ) {
    super(TypeAssertionError.text(expected, value, name));
  }

  /** @internal Names the property or argument that the value was meant for. */
  rename(name: string): this {
    this.message = TypeAssertionError.text(this.expected, this.value, name);
    return this;
  }

  /** @internal */
  static text(expected: string, value: unknown, name?: string): string {
    const target = name === undefined ? "value" : name.includes("'") ? name : `'${name}'`;
    return `Expected ${target} to be ${expected}, got ${describe(value)}`;
  }
}

/** Says what a value is, for error messages: "a number", "an array", "an instance of Dog". */
export function describe(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "undefined";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "number") {
    return Number.isNaN(value) ? "NaN" : Number.isInteger(value) ? "a number" : "a decimal number";
  }
  if (typeof value === "function") return value.name ? `a function or class named ${value.name}` : "a function";
  if (typeof value === "object") {
    const name = value.constructor?.name;
    return name && name !== "Object" ? `an instance of ${name}` : "an object";
  }
  return `a ${typeof value}`;
}

/** A constructor that is not for applications to call. */
export class IllegalConstructorError extends Error {
  constructor(type: string) {
    super(`Illegal constructor: ${type} objects are read from managed objects only.`);
  }
}

/** @internal A collection whose owner is gone. */
export class InvalidCollectionError extends Error {
  constructor(collection: "List" | "Set" | "Dictionary") {
    const cause = "Either the parent object was deleted or the containing Realm has been invalidated or closed.";
    super(`${collection} is no longer valid. ${cause}`);
  }
}

/** Something took longer than the given time. */
export class TimeoutError extends Error {
  /** Always `"TimeoutError"`. */
  override name = "TimeoutError";
}

/** A part of Realm's API that this version of Ebbtide does not have yet. */
export class NotAvailableError extends Error {
  /** Always `"NotAvailableError"`. */
  override name = "NotAvailableError";
  /** Always `"NotAvailable"`. */
  readonly code = "NotAvailable";
  /** @internal */
  constructor(what: string) {
    super(`${what} is not available in this version of Ebbtide.`);
  }
}

/** @internal */
export function notAvailable(what: string): Promise<never> {
  return Promise.reject(new NotAvailableError(what));
}

/** A schema that cannot be understood. */
export class SchemaParseError extends Error {}

/** A class of a schema that cannot be understood. */
export class ObjectSchemaParseError extends SchemaParseError {
  /** The class whose schema it is. */
  objectName: string;
  /** @internal */
  constructor(message: string, objectName: string) {
    super(`Invalid schema for ${objectName ? `object '${objectName}'` : "unnamed object"}: ${message}`);
    this.objectName = objectName;
  }
}

/** A property of a schema that cannot be understood. */
export class PropertySchemaParseError extends SchemaParseError {
  /** The class whose schema it is. */
  objectName: string;
  /** The property. */
  propertyName: string;
  /** @internal */
  constructor(message: string, objectName: string, propertyName: string) {
    super(`Invalid type declaration for property '${propertyName}' on '${objectName}': ${message}`);
    this.objectName = objectName;
    this.propertyName = propertyName;
  }
}

/** What the wasm side says of a sync error. @internal */
export interface SyncErrorReport {
  name: string;
  message: string;
  code: number;
  wireCode?: number;
  isFatal?: boolean;
  userInfo?: Record<string, string>;
  cause?: string;
}

/** An error of a sync session. */
export class SyncError extends Error {
  /** `"SyncError"`, or `"ClientReset"`. */
  override name = "SyncError";
  /** Always false; kept for code written for Realm. */
  isOk = false;
  /** Realm's number of the error, for example 1032 for a required client reset. */
  code?: number;
  /** The number that the server sent, for example 211 for diverging histories. */
  wireCode?: number;
  /** @deprecated Always `"UNKNOWN"`. */
  category = "UNKNOWN";
  /** The server's own words. */
  reason?: string;
  /** Always empty: this server keeps no log pages. */
  logUrl = "";
  /** More about the error; for a client reset, where the backup will be. */
  userInfo: Record<string, string>;
  /** @deprecated Whether the session stopped. */
  isFatal: boolean;

  /** @internal */
  constructor(report: SyncErrorReport) {
    super(report.message);
    this.code = report.code;
    this.wireCode = report.wireCode;
    this.reason = report.message;
    this.userInfo = report.userInfo ?? {};
    this.isFatal = report.isFatal ?? false;
    if (report.cause !== undefined) this.cause = report.cause;
  }
}

/** A client reset that the app has to finish with `Realm.App.Sync.initiateClientReset`. */
export class ClientResetError extends SyncError {
  /** Always `"ClientReset"`. */
  override name = "ClientReset";
  /** Opens the backup, once there is one. */
  config: Configuration;

  /** @internal */
  constructor(report: SyncErrorReport) {
    super(report);
    this.config = { path: this.userInfo.RECOVERY_FILE_PATH, readOnly: true };
  }
}

/** One write that the server undid. */
export type CompensatingWriteInfo = {
  /** The class whose schema it is. */
  objectName: string;
  reason: string;
  primaryKey: PrimaryKey;
};

/** Writes that the server did not accept and undid. */
export class CompensatingWriteError extends SyncError {
  /** What was undone, and why. */
  writes: CompensatingWriteInfo[];

  /** @internal */
  constructor(report: SyncErrorReport, writes: CompensatingWriteInfo[] = []) {
    super(report);
    this.writes = writes;
  }
}

/** @internal */
export function syncErrorFrom(report: SyncErrorReport): SyncError {
  if (report.name === "ClientReset") return new ClientResetError(report);
  if (report.code === 1033) return new CompensatingWriteError(report);
  return new SyncError(report);
}

/** The app's data could not be written to, or read from, the browser's storage. */
export class StorageError extends Error {
  /** Always `"StorageError"`. */
  override name = "StorageError";
  /** What went wrong, for example `"QuotaExceeded"`. */
  code: string;

  /** @internal */
  constructor(report: { message?: string; code?: string }) {
    super(report.message ?? "The browser's storage failed");
    this.code = report.code ?? "Unknown";
  }
}
