// The types of a schema, as an application writes it and as Realm.schema gives it back.
import type { BSON } from "./bson.js";
import type { RealmObject } from "./object.js";

/** An object without a type of its own. */
export type DefaultObject = Record<string, unknown>;

/** Any class that makes `T`. */
export type Constructor<T = unknown> = { new (...args: never[]): T };

/** What may be the primary key of an object. */
export type PrimaryKey = null | number | string | BSON.ObjectId | BSON.UUID;

export type PrimitivePropertyTypeName =
  | "bool"
  | "int"
  | "float"
  | "double"
  | "decimal128"
  | "objectId"
  | "string"
  | "data"
  | "date"
  | "mixed"
  | "uuid";
export type CollectionPropertyTypeName = "list" | "dictionary" | "set";
export type RelationshipPropertyTypeName = "object" | "linkingObjects";
export type PresentationPropertyTypeName = "counter";
export type PropertyTypeName = PrimitivePropertyTypeName | CollectionPropertyTypeName | RelationshipPropertyTypeName;
export type ShorthandPrimitivePropertyTypeName = PrimitivePropertyTypeName | PresentationPropertyTypeName;
export type UserTypeName = string;
export type IndexedType = boolean | "full-text";

/** A property in one string: a type, then `?` for optional, then `[]` for a list. */
export type PropertySchemaShorthand = string;

/** A property as an application writes it. */
export type PropertySchema = {
  type: PropertyTypeName;
  objectType?: PrimitivePropertyTypeName | UserTypeName;
  presentation?: PresentationPropertyTypeName;
  property?: string;
  optional?: boolean;
  indexed?: IndexedType;
  mapTo?: string;
  /** The value, or a function that makes it, for objects created without one. */
  default?: unknown;
};

/** What a property of any type may have. */
export type PropertySchemaCommon = {
  presentation?: never;
  indexed?: IndexedType;
  mapTo?: string;
  default?: unknown;
};

/** A property as an application writes it, with only what its type allows. */
export type PropertySchemaStrict =
  | (PropertySchemaCommon & { type: Exclude<PrimitivePropertyTypeName, "mixed" | "int">; optional?: boolean })
  | (Omit<PropertySchemaCommon, "presentation"> & { type: "int"; optional?: boolean; presentation?: "counter" })
  | (PropertySchemaCommon & { type: "mixed"; optional?: true })
  | (PropertySchemaCommon & {
      type: CollectionPropertyTypeName;
      objectType: Exclude<PrimitivePropertyTypeName, "mixed">;
      optional?: boolean;
    })
  | (PropertySchemaCommon & { type: CollectionPropertyTypeName; objectType: "mixed"; optional?: true })
  | (PropertySchemaCommon & { type: "list" | "set"; objectType: UserTypeName; optional?: false })
  | (PropertySchemaCommon & { type: "dictionary"; objectType: UserTypeName; optional?: true })
  | (PropertySchemaCommon & { type: "object"; objectType: UserTypeName; optional?: true })
  | (PropertySchemaCommon & { type: "linkingObjects"; objectType: UserTypeName; property: string; optional?: false });

export type PropertiesTypes = { [key: string]: PropertySchema | PropertySchemaShorthand };

export type BaseObjectSchema = {
  name: string;
  primaryKey?: string;
  embedded?: boolean;
  asymmetric?: boolean;
  properties: unknown;
};

/** A class as an application writes it. */
export type ObjectSchema = BaseObjectSchema & { properties: PropertiesTypes };

/** A property in full, as `Realm.schema` gives it. */
export type CanonicalPropertySchema = {
  name: string;
  type: PropertyTypeName;
  objectType?: string;
  presentation?: PresentationPropertyTypeName;
  optional: boolean;
  indexed: IndexedType;
  mapTo: string;
  property?: string;
  default?: unknown;
};

export type CanonicalPropertiesTypes<K extends symbol | number | string = string> = Record<K, CanonicalPropertySchema>;

/** A class in full, as `Realm.schema` gives it. */
export type CanonicalObjectSchema<T = DefaultObject> = BaseObjectSchema & {
  properties: CanonicalPropertiesTypes<keyof T>;
  ctor?: RealmObjectConstructor;
};

/** A class that extends Realm.Object and describes itself in `static schema`. */
export type RealmObjectConstructor<T = unknown> = {
  new (...args: never[]): T;
  schema?: ObjectSchema;
};

/** A class by its name or by its constructor. */
export type ObjectType = string | RealmObjectConstructor;

/** @internal A constructor that makes managed objects, whatever their type. */
export type AnyConstructor = Constructor<RealmObject<unknown>>;
