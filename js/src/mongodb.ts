// A MongoDB database behind a server: the names exist, and say that this server has none.
import type { Long, Timestamp } from "bson";
import { NotAvailableError, notAvailable } from "./errors.js";

const MONGODB = "Access to MongoDB";

export type MongoDBService = { serviceName: string; db(databaseName: string): MongoDBDatabase };
export type MongoDBDatabase = {
  name: string;
  collection<T extends Document>(collectionName: string): MongoDBCollection<T>;
};

export type Document<IdType = unknown> = { _id: IdType };
export type NewDocument<T extends Document> = Omit<T, "_id"> & Partial<Pick<T, "_id">>;
export type Filter = Record<string, unknown>;
export type Update = Record<string, unknown>;
export type AggregatePipelineStage = Record<string, unknown>;

export type FindOneOptions = {
  readonly projection?: Record<string, unknown>;
  readonly sort?: Record<string, unknown>;
};
export type FindOptions = FindOneOptions & { readonly limit?: number };
export type FindOneAndModifyOptions = FindOneOptions & {
  readonly upsert?: boolean;
  readonly returnNewDocument?: boolean;
};
export type CountOptions = { readonly limit?: number };
export type UpdateOptions = { readonly upsert?: boolean; readonly arrayFilters?: Filter[] };

export type InsertOneResult<IdType> = { readonly insertedId: IdType };
export type InsertManyResult<IdType> = { readonly insertedIds: IdType[] };
export type DeleteResult = { readonly deletedCount: number };
export type UpdateResult<IdType> = {
  readonly matchedCount: number;
  readonly modifiedCount: number;
  readonly upsertedId?: IdType;
};

export type OperationType =
  | "insert"
  | "delete"
  | "replace"
  | "update"
  | "drop"
  | "rename"
  | "dropDatabase"
  | "invalidate";
export type DocumentNamespace = { db: string; coll: string };
export type UpdateDescription = { updatedFields: Record<string, unknown>; removedFields: string[] };
export type ChangeEventId = unknown;
export type DocumentKey<IdType> = { _id: IdType } & Record<string, unknown>;

export type BaseChangeEvent<T extends OperationType> = {
  _id: ChangeEventId;
  operationType: T;
  clusterTime: Timestamp;
  txnNumber?: Long;
  lsid?: Record<string, unknown>;
};
type DocumentEvent<T extends Document, Operation extends OperationType> = {
  ns: DocumentNamespace;
  documentKey: DocumentKey<T["_id"]>;
} & BaseChangeEvent<Operation>;
export type InsertEvent<T extends Document> = { fullDocument: T } & DocumentEvent<T, "insert">;
export type UpdateEvent<T extends Document> = {
  updateDescription: UpdateDescription;
  fullDocument?: T;
} & DocumentEvent<T, "update">;
export type ReplaceEvent<T extends Document> = { fullDocument: T } & DocumentEvent<T, "replace">;
export type DeleteEvent<T extends Document> = DocumentEvent<T, "delete">;
export type DropEvent = { ns: DocumentNamespace } & BaseChangeEvent<"drop">;
export type RenameEvent = { ns: DocumentNamespace; to: DocumentNamespace } & BaseChangeEvent<"rename">;
export type DropDatabaseEvent = { ns: Omit<DocumentNamespace, "coll"> } & BaseChangeEvent<"dropDatabase">;
export type InvalidateEvent = BaseChangeEvent<"invalidate">;
export type ChangeEvent<T extends Document> =
  | InsertEvent<T>
  | UpdateEvent<T>
  | ReplaceEvent<T>
  | DeleteEvent<T>
  | DropEvent
  | RenameEvent
  | DropDatabaseEvent
  | InvalidateEvent;

export type WatchOptionsIds<T extends Document> = { ids: T["_id"][]; filter?: never };
export type WatchOptionsFilter = { ids?: never; filter: Filter };

/** A collection of documents in MongoDB: every operation rejects. */
export class MongoDBCollection<T extends Document> {
  /** @internal */
  constructor(
    /** The name of the service. */
    readonly serviceName: string,
    /** The name of the database. */
    readonly databaseName: string,
    private readonly collectionName: string,
  ) {}

  /** The name of the collection. */
  get name(): string {
    return this.collectionName;
  }

  /** Rejects. */
  find(_filter?: Filter, _options?: FindOptions): Promise<T[]> {
    return notAvailable(MONGODB);
  }

  /** Rejects. */
  findOne(_filter?: Filter, _options?: FindOneOptions): Promise<T | null> {
    return notAvailable(MONGODB);
  }

  /** Rejects. */
  findOneAndUpdate(_filter: Filter, _update: Update, _options?: FindOneAndModifyOptions): Promise<T | null> {
    return notAvailable(MONGODB);
  }

  /** Rejects. */
  findOneAndReplace(_filter: Filter, _replacement: unknown, _options?: FindOneAndModifyOptions): Promise<T | null> {
    return notAvailable(MONGODB);
  }

  /** Rejects. */
  findOneAndDelete(_filter?: Filter, _options?: FindOneOptions): Promise<T | null> {
    return notAvailable(MONGODB);
  }

  /** Rejects. */
  aggregate(_pipeline: AggregatePipelineStage[]): Promise<unknown> {
    return notAvailable(MONGODB);
  }

  /** Rejects. */
  count(_filter?: Filter, _options?: CountOptions): Promise<number> {
    return notAvailable(MONGODB);
  }

  /** Rejects. */
  insertOne(_document: NewDocument<T>): Promise<InsertOneResult<T["_id"]>> {
    return notAvailable(MONGODB);
  }

  /** Rejects. */
  insertMany(_documents: NewDocument<T>[]): Promise<InsertManyResult<T["_id"]>> {
    return notAvailable(MONGODB);
  }

  /** Rejects. */
  deleteOne(_filter?: Filter): Promise<DeleteResult> {
    return notAvailable(MONGODB);
  }

  /** Rejects. */
  deleteMany(_filter?: Filter): Promise<DeleteResult> {
    return notAvailable(MONGODB);
  }

  /** Rejects. */
  updateOne(_filter: Filter, _update: Update, _options?: UpdateOptions): Promise<UpdateResult<T["_id"]>> {
    return notAvailable(MONGODB);
  }

  /** Rejects. */
  updateMany(_filter: Filter, _update: Update, _options?: UpdateOptions): Promise<UpdateResult<T["_id"]>> {
    return notAvailable(MONGODB);
  }

  /** Throws. */
  watch(_options?: WatchOptionsIds<T> | WatchOptionsFilter): AsyncGenerator<ChangeEvent<T>> {
    throw new NotAvailableError(MONGODB);
  }
}

/** A database service, by its name: nothing in it answers. */
export function mongoDBService(serviceName: string): MongoDBService {
  return {
    serviceName,
    db: (name) => ({
      name,
      collection: <T extends Document>(collectionName: string) =>
        new MongoDBCollection<T>(serviceName, name, collectionName),
    }),
  };
}
