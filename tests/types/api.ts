// What the declarations promise, checked by the compiler: every line with @ts-expect-error must be an error.
import Realm, {
  App,
  BSON,
  type CollectionChangeSet,
  type Configuration,
  type List,
  type ObjectSchema,
  type Results,
  UpdateMode,
  type User,
} from "ebbtide";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function same<A, B>(_: Equal<A, B>): void;

class Person extends Realm.Object<Person, "name"> {
  declare _id: BSON.ObjectId;
  declare name: string;
  declare dogs: Realm.List<Dog>;
  static schema: ObjectSchema = {
    name: "Person",
    primaryKey: "_id",
    properties: { _id: "objectId", name: "string", dogs: { type: "list", objectType: "Dog" } },
  };
}

class Dog extends Realm.Object<Dog> {
  declare name: string;
  declare age: number;
  declare owner: Person | null;
  declare tags: List<string>;
  static schema = { name: "Dog", properties: { name: "string", age: "int", owner: "Person", tags: "string[]" } };

  bark(): string {
    return this.name;
  }
}

interface Cat {
  name: string;
  lives: number;
}

async function realms(user: Realm.User) {
  const config: Configuration = { path: "x", schema: [Dog, Person], schemaVersion: 1 };
  const realm: Realm = await Realm.open(config);
  same<typeof realm.path, string>(true);
  same<ReturnType<typeof realm.write<number>>, number>(true);
  const synced: Realm.Configuration = {
    schema: [Dog],
    sync: {
      user,
      partitionValue: new BSON.UUID(),
      clientReset: {
        mode: "discardLocal",
        clientResetBefore: (before) => console.log(before.path),
        clientResetAfter: (before, after) => console.log(before.path, after.path),
      },
      error: (session, error) => {
        if (error.name === "ClientReset") console.log(session.state, error.message);
        if (error instanceof Realm.ClientResetError) console.log(error.config.path);
      },
    },
  };
  await Realm.open(synced).progress((estimate) => estimate.toFixed());
  await Realm.open(synced).progress((transferred, transferable) => transferred / transferable);
  // @ts-expect-error a path is a string
  await Realm.open({ path: 5 });
  // @ts-expect-error there is no such mode
  await Realm.open({ sync: { user, partitionValue: "", clientReset: { mode: "sometimes" } } });
  // @ts-expect-error a synced realm has a user
  await Realm.open({ sync: { partitionValue: "" } });
}

function objects(realm: Realm) {
  const dogs = realm.objects(Dog);
  same<typeof dogs, Realm.Results<Dog>>(true);
  same<(typeof dogs)[number], Dog>(true);
  same<ReturnType<(typeof dogs)["filtered"]>, Results<Dog>>(true);
  const cats = realm.objects<Cat>("Cat");
  const cat = cats[0];
  if (cat) same<typeof cat.lives, number>(true);
  cat?.isValid();
  const found = realm.objectForPrimaryKey(Person, new BSON.ObjectId());
  same<typeof found, Person | null>(true);
  const untyped = realm.objects("Anything")[0];
  same<typeof untyped.whatever, unknown>(true);

  const dog = realm.create(Dog, { name: "Rex", tags: ["a"], owner: null }, UpdateMode.Modified);
  same<typeof dog, Dog>(true);
  dog.bark();
  realm.create<Cat>("Cat", { name: "Tom", lives: 9 }, true).lives.toFixed();
  realm.create("Cat", { name: "Tom" }, "all");
  // @ts-expect-error an age is a number
  realm.create(Dog, { age: "old" });
  // @ts-expect-error there is no such mode
  realm.create(Dog, {}, "sometimes");
  new Person(realm, { name: "Jo", dogs: [{ name: "Rex" }] });
  // @ts-expect-error a person's name is required
  new Person(realm, {});
  realm.delete(dog);
  realm.delete(dogs);
  realm.delete([dog]);
  realm.delete(dog.tags);
}

function collections(dogs: Realm.Results<Dog>, dog: Dog) {
  same<ReturnType<typeof dog.tags.push>, number>(true);
  const names: string[] = dogs.map(({ name }) => name);
  for (const each of dogs) each.bark();
  const [first] = [...dogs];
  first?.bark();
  dogs
    .sorted("name")
    .sorted([["age", true], "name"])
    .snapshot();
  dogs.addListener((collection, changes) => {
    same<typeof changes, CollectionChangeSet>(true);
    collection[0]?.bark();
  });
  dog.addListener((subject, changes) => {
    subject.bark();
    for (const name of changes.changedProperties) same<typeof name, keyof Dog>(true);
  });
  dogs.update("age", 5);
  // @ts-expect-error tags are strings
  dog.tags.push(5);
  // @ts-expect-error results are read-only
  dogs.push(dog);
  return names;
}

async function apps() {
  const app = new Realm.App({ id: "x", baseUrl: "http://localhost" });
  const user = await app.logIn(Realm.Credentials.anonymous());
  same<typeof user, User>(true);
  same<typeof app.currentUser, User | null>(true);
  const backup: string = await Realm.App.Sync.initiateClientReset(app, "/path");
  for (const { path } of await Realm.App.Sync.listBackups()) await Realm.App.Sync.deleteBackup(path);
  App.get("x").currentUser?.logOut();
  Realm.App.Sync.getAllSyncSessions(user)[0]?.addProgressNotification("upload", "reportIndefinitely", (estimate) => {
    estimate.toFixed();
  });
  Realm.flags.ALLOW_CLEAR_TEST_STATE = true;
  Realm.clearTestState();
  // @ts-expect-error credentials are made by Credentials
  await app.logIn({});
  return backup;
}

function subscriptions(realm: Realm, error: Realm.SyncError) {
  const set = realm.subscriptions;
  same<typeof set.state, Realm.SubscriptionSetState>(true);
  same<[typeof set.version, typeof set.isEmpty, typeof set.error], [number, boolean, string | null]>(true);
  const [first] = set;
  if (first) {
    same<[typeof first.createdAt, typeof first.updatedAt, typeof first.id], [Date, Date, BSON.ObjectId]>(true);
    same<[typeof first.name, typeof first.objectType, typeof first.queryString], [string | null, string, string]>(true);
  }
  if (error instanceof Realm.CompensatingWriteError) {
    for (const { objectName, reason, primaryKey } of error.writes) console.log(objectName, reason, primaryKey);
  }
}

export { apps, collections, objects, realms, subscriptions };
