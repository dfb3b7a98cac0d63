// What opens a realm, and what sync, logging and places take.
import Realm, { BSON, flags, type User } from "ebbtide";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function same<A, B>(_: Equal<A, B>): void;

class Dog extends Realm.Object<Dog> {
  name!: string;
  static schema: Realm.ObjectSchema = { name: "Dog", properties: { name: "string" } };
}

export async function opening() {
  const local: Realm.ConfigurationWithoutSync = {
    path: "dogs",
    schema: [Dog, { name: "Cat", properties: { name: { type: "string", optional: true } } }],
    schemaVersion: 2,
    inMemory: false,
    readOnly: false,
    encryptionKey: new Int8Array(64),
    shouldCompact: (total, used) => total > 2 * used,
    onMigration: (before, after) => same<[typeof before, typeof after], [Realm, Realm]>(true),
    migrationOptions: { resolveEmbeddedConstraints: true },
    onFirstOpen: (realm) => realm.create(Dog, { name: "Rex" }),
  };
  const opened = Realm.open(local);
  same<typeof opened, Realm.ProgressRealmPromise>(true);
  opened.progress((transferred, transferable) => transferred / transferable).cancel();
  const realm = await opened;
  same<typeof realm, Realm>(true);
  same<typeof realm.schema, Realm.CanonicalObjectSchema[]>(true);
  const rex = realm._objectForObjectKey(Dog, "1");
  same<typeof rex, Dog | undefined>(true);
  const template = Realm.createTemplateObject<{ name: string }>(Dog.schema);
  same<typeof template.name, string>(true);
  const facts: [boolean, boolean, number, string] = [
    Realm.exists("dogs"),
    Realm.exists(local),
    Realm.schemaVersion("dogs", new Uint8Array(64)),
    Realm.defaultPath,
  ];
  // @ts-expect-error a version is a number
  new Realm({ schemaVersion: "2" });
  // @ts-expect-error a class is a schema or a model
  new Realm({ schema: [{ title: "Dog" }] });
  return facts;
}

export function syncing(user: User, session: Realm.App.Sync.Session): Realm.SyncConfiguration[] {
  const behavior: Realm.OpenRealmBehaviorConfiguration = {
    type: Realm.OpenRealmBehaviorType.DownloadBeforeOpen,
    timeOut: 1000,
    timeOutBehavior: Realm.OpenRealmTimeOutBehavior.OpenLocalRealm,
  };
  const partition: Realm.PartitionSyncConfiguration = {
    user,
    partitionValue: new BSON.ObjectId(),
    newRealmFileBehavior: behavior,
    existingRealmFileBehavior: Realm.App.Sync.openLocalRealmBehavior,
    onError: (at, error) =>
      same<[typeof at, typeof error], [typeof session, Realm.SyncError | Realm.ClientResetError]>(true),
    customHttpHeaders: { "x-name": "value" },
    clientReset: {
      mode: Realm.ClientResetMode.RecoverOrDiscardUnsyncedChanges,
      onBefore: (before) => before.path,
      onAfter: (before, after) => [before.path, after.path],
      onFallback: (at, path) => [at.state, path.length],
    },
  };
  const manual: Realm.ClientResetConfig = {
    mode: Realm.ClientResetMode.Manual,
    onManual: (at, path) => [at.url, path.length],
  };
  const flexible: Realm.FlexibleSyncConfiguration = {
    user,
    flexible: true,
    clientReset: manual,
    initialSubscriptions: {
      rerunOnOpen: true,
      update: (subscriptions, realm) => {
        subscriptions.add(realm.objects(Dog), { name: "all", behavior: Realm.WaitForSync.Never });
      },
    },
  };
  session.addConnectionNotification((now, before) => {
    same<[typeof now, typeof before], [Realm.ConnectionState, Realm.ConnectionState]>(true);
  });
  // @ts-expect-error the manual mode has no realm before
  const wrong: Realm.ClientResetConfig = { mode: Realm.ClientResetMode.Manual, onBefore: () => undefined };
  // @ts-expect-error flexible sync has no partition
  const both: Realm.SyncConfiguration = { user, flexible: true, partitionValue: "a" };
  // @ts-expect-error a partition is no boolean
  const partitionValue: Realm.SyncConfiguration = { user, partitionValue: true };
  return [partition, flexible, both, partitionValue, { ...partition, clientReset: wrong }];
}

export async function services(user: User) {
  const app = new Realm.App<Realm.DefaultFunctionsFactory, { color: string }>({ id: "x", timeout: 5 });
  const jo = await app.logIn(Realm.Credentials.emailPassword({ email: "a@example.org", password: "b" }));
  same<typeof jo.customData.color, string>(true);
  const anybody: Realm.AnyUser[] = [user, jo];
  app.switchUser(jo);
  const result = await jo.functions.anything?.("with", 1);
  same<typeof result, unknown>(true);
  const tasks = jo.mongoClient("atlas").db("todo").collection<{ _id: BSON.ObjectId; title: string }>("tasks");
  const task = await tasks.findOne({ title: "Read" });
  same<typeof task, { _id: BSON.ObjectId; title: string } | null>(true);
  await tasks.insertOne({ title: "Read" });
  await app.emailPasswordAuth.registerUser({ email: "a@example.org", password: "b" });
  const key: Realm.Auth.ApiKey = await jo.apiKeys.create("mine");
  // @ts-expect-error a title is a string
  await tasks.insertOne({ title: 5 });
  // @ts-expect-error credentials take an address
  Realm.Credentials.emailPassword({ password: "b" });
  return [anybody, key];
}

export function logging(app: Realm.App) {
  const level: Realm.App.Sync.LogLevel = "detail";
  Realm.setLogLevel(level, "Realm.Storage.Transaction");
  Realm.setLogger(({ category, level: of, message }) => {
    same<[typeof category, typeof of, typeof message], [Realm.LogCategory, Realm.App.Sync.LogLevel, string]>(true);
  });
  const pair: Realm.LoggerCallback1 = (of, message) => `${of} ${message}`;
  Realm.setLogger(pair);
  Realm.App.Sync.setLogger(app, (of, message) => of === Realm.NumericLogLevel.Warn && message);
  flags.ALLOW_VALUES_ARRAYS = Realm.flags.THROW_ON_GLOBAL_REALM;
  // @ts-expect-error there is no such level
  Realm.setLogLevel("loud");
  // @ts-expect-error there is no such category
  Realm.setLogLevel("info", "Ebbtide");
}

export function places(dogs: Realm.Results<Dog>) {
  const points: Realm.GeoPoint[] = [{ latitude: 1, longitude: 2 }, { type: "Point", coordinates: [2, 1] }, [2, 1, 100]];
  const circle: Realm.GeoCircle = { center: [2, 1], distance: Realm.kmToRadians(5) + Realm.miToRadians(5) };
  const box: Realm.GeoBox = { bottomLeft: [0, 0], topRight: { latitude: 1, longitude: 1 } };
  const polygon: Realm.GeoPolygon = { outerRing: points, holes: [] };
  // @ts-expect-error a circle has a distance
  const wrong: Realm.GeoCircle = { center: [2, 1] };
  return [circle, box, polygon, wrong].map((area) => dogs.filtered("place GEOWITHIN $0", area));
}
