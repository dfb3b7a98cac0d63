// Every name and member of Realm JS 12.15, and what those do that stand for something that a browser or this server lacks.
import * as names from "/dist/index.js";
import { Dog, memoryRealm, Person } from "/tests/suite/models.js";
import { equal, freshPath, isTrue, rejects, throws } from "/tests/suite/support.js";

const Realm = names.default;
const exported = new Map(Object.entries(names));
const { NotAvailableError } = Realm;

/** The values under `Realm.`. */
const VALUES = `App AssertionError Auth BSON ClientResetError ClientResetMode Collection CompensatingWriteError
  ConnectionState Counter Credentials Dictionary List MetadataMode MongoDB NumericLogLevel Object OpenRealmBehaviorType
  OpenRealmTimeOutBehavior OrderedCollection ProgressDirection ProgressMode ProgressRealmPromise PropertySchemaParseError
  ProviderType ProxyType PushClient Realm RealmEvent Results SchemaParseError Services SessionState SessionStopPolicy Set
  SubscriptionSetState SyncError TypeAssertionError Types UpdateMode User UserState WaitForSync flags index kmToRadians
  mapTo miToRadians`;

/** What the class Realm has of itself. */
const STATICS = `clearTestState copyBundledRealmFiles createTemplateObject defaultPath deleteFile exists open schemaVersion
  setLogLevel setLogger shutdown`;

const ARRAY = `at concat entries every filter find findIndex flat flatMap forEach includes indexOf join keys lastIndexOf
  length map reduce reduceRight slice some toLocaleString toString values`;

const ORDERED = `${ARRAY} addListener avg description filtered isEmpty isValid max min optional removeAllListeners
  removeListener snapshot sorted sum toJSON type`;

/** The members of instances, by the name of their class under `Realm.`. */
const MEMBERS = {
  Realm: `_objectForObjectKey addListener beginTransaction cancelTransaction close commitTransaction compact create delete
    deleteAll deleteModel isClosed isEmpty isInMemory isInMigration isInTransaction isReadOnly objectForPrimaryKey objects
    path removeAllListeners removeListener schema schemaVersion subscriptions write writeCopyTo`,
  Object: `_objectId _objectKey addListener entries getPropertyType isValid keys linkingObjects linkingObjectsCount
    objectSchema removeAllListeners removeListener toJSON`,
  OrderedCollection: ORDERED,
  Results: `${ORDERED} subscribe unsubscribe update`,
  List: `${ORDERED} move pop push remove shift splice swap unshift`,
  Set: `${ORDERED} add clear delete has size`,
  Dictionary: `addListener entries isValid keys remove removeAllListeners removeListener set toJSON values`,
  Counter: "decrement increment set value",
  ProgressRealmPromise: "cancel catch finally progress then",
  App: `addListener allUsers currentUser deleteUser emailPasswordAuth id logIn removeAllListeners removeListener removeUser
    switchUser`,
  User: `accessToken addListener apiKeys callFunction customData deviceId functions identities isLoggedIn linkCredentials
    logOut mongoClient profile providerType push refreshCustomData refreshToken removeAllListeners removeListener state`,
  PushClient: "deregister register",
  "App.Sync.Session": `addConnectionNotification addProgressNotification config connectionState downloadAllServerChanges
    isConnected pause reconnect removeConnectionNotification removeProgressNotification resume state
    uploadAllLocalChanges url user`,
  "App.Sync.BaseSubscriptionSet": "findByName findByQuery",
  "App.Sync.SubscriptionSet": "findByName findByQuery update waitForSynchronization",
  "App.Sync.MutableSubscriptionSet": `add findByName findByQuery remove removeAll removeByName removeByObjectType
    removeSubscription removeUnnamed`,
  "Auth.ApiKeyAuth": "create delete disable enable fetch fetchAll",
  "Auth.EmailPasswordAuth": `callResetPasswordFunction confirmUser registerUser resendConfirmationEmail resetPassword
    retryCustomConfirmation sendResetPasswordEmail`,
  "MongoDB.MongoDBCollection": `aggregate count deleteMany deleteOne find findOne findOneAndDelete findOneAndReplace
    findOneAndUpdate insertMany insertOne name updateMany updateOne watch`,
};

/** Statics of other classes, and what is found under names that are only namespaces. */
const NESTED = {
  App: "Credentials Sync get getApp",
  "App.Sync": `BaseSubscriptionSet ConnectionState MutableSubscriptionSet NumericLogLevel Session Subscription
    SubscriptionSet SubscriptionSetState SubscriptionsState downloadBeforeOpenBehavior enableSessionMultiplexing
    getAllSyncSessions getSyncSession initiateClientReset openLocalRealmBehavior reconnect setLogLevel setLogger
    setUserAgent`,
  Auth: "ApiKeyAuth EmailPasswordAuth",
  BSON: "Binary Decimal128 EJSON ObjectID ObjectId UUID",
  Credentials: "anonymous apiKey apple emailPassword facebook function google jwt",
  MongoDB: "MongoDBCollection",
  Object: "allowValuesArrays",
  Services: "MongoDB",
  Types: "Counter Data Date Decimal128 Dictionary LinkingObjects List ObjectId Set UUID",
  flags: "ALLOW_CLEAR_TEST_STATE ALLOW_VALUES_ARRAYS THROW_ON_GLOBAL_REALM",
};

const ENUMERATIONS = {
  ClientResetMode: {
    Manual: "manual",
    DiscardUnsyncedChanges: "discardUnsyncedChanges",
    RecoverUnsyncedChanges: "recoverUnsyncedChanges",
    RecoverOrDiscardUnsyncedChanges: "recoverOrDiscardUnsyncedChanges",
  },
  ConnectionState: { Disconnected: "disconnected", Connecting: "connecting", Connected: "connected" },
  MetadataMode: {
    NoEncryption: "noEncryption",
    Encryption: "encryption",
    NoMetadata: "noMetadata",
    InMemory: "inMemory",
  },
  OpenRealmBehaviorType: { DownloadBeforeOpen: "downloadBeforeOpen", OpenImmediately: "openImmediately" },
  OpenRealmTimeOutBehavior: { OpenLocalRealm: "openLocalRealm", ThrowException: "throwException" },
  ProgressDirection: { Download: "download", Upload: "upload" },
  ProgressMode: {
    ReportIndefinitely: "reportIndefinitely",
    ForCurrentlyOutstandingWork: "forCurrentlyOutstandingWork",
  },
  ProxyType: { HTTP: "http", HTTPS: "https" },
  RealmEvent: { Change: "change", Schema: "schema", BeforeNotify: "beforenotify" },
  SessionState: { Invalid: "invalid", Active: "active", Inactive: "inactive" },
  SessionStopPolicy: { AfterUpload: "after-upload", Immediately: "immediately", Never: "never" },
  SubscriptionSetState: { Pending: "pending", Complete: "complete", Error: "error", Superseded: "superseded" },
  UpdateMode: { Never: "never", Modified: "modified", All: "all" },
  UserState: { Active: "active", LoggedIn: "LoggedIn", LoggedOut: "LoggedOut", Removed: "Removed" },
  WaitForSync: { FirstTime: "first-time", Always: "always", Never: "never" },
};

const words = (text) => text.trim().split(/\s+/);
const at = (path) => path.split(".").reduce((found, name) => found[name], Realm);

function missing(subject, text) {
  return words(text).filter((name) => !(name in subject));
}

export async function every_name_is_there() {
  isTrue(Realm.Realm === Realm && names.Realm === Realm, "Realm under its own name");
  equal(missing(Realm, `${VALUES} ${STATICS}`), []);
  equal(
    words(VALUES).filter((name) => exported.get(name) !== Realm[name]),
    [],
    "names that are not exported",
  );
  for (const [path, text] of Object.entries(NESTED)) equal(missing(at(path), text), [], `missing from ${path}`);
  isTrue(Realm.Types.Set === Realm.Set && Realm.Types.ObjectId === Realm.BSON.ObjectId, "types under their names");
  isTrue(Realm.BSON.ObjectID === Realm.BSON.ObjectId, "the old name of ObjectId");
}

export async function every_member_is_there() {
  for (const [path, text] of Object.entries(MEMBERS)) {
    equal(missing(at(path).prototype, text), [], `missing from ${path}`);
  }
  const realm = memoryRealm(freshPath("surface"));
  equal(missing(realm, "syncSession"), []);
  const jo = realm.write(() => realm.create("Person", { name: "Jo" }));
  equal(missing(jo, MEMBERS.Object), [], "missing from an object");
  equal(missing(jo.dogs, MEMBERS.List), [], "missing from a list");
  equal(missing(realm.objects("Person"), MEMBERS.Results), [], "missing from results");
  realm.close();
}

export async function enumerations_have_realms_values() {
  for (const [name, expected] of Object.entries(ENUMERATIONS)) equal({ ...Realm[name] }, expected, name);
  equal([Realm.NumericLogLevel.All, Realm.NumericLogLevel.Warn, Realm.NumericLogLevel.Off], [0, 5, 8]);
  equal(Realm.NumericLogLevel[4], "Info");
}

export async function collections_are_not_constructed() {
  const classes = ["Collection", "OrderedCollection", "Results", "List", "Set", "Dictionary", "Counter"];
  for (const name of classes) {
    const error = throws(
      () => new Realm[name](),
      `Illegal constructor: ${name} objects are read from managed objects only.`,
    );
    isTrue(error instanceof Realm.IllegalConstructorError, "an IllegalConstructorError");
  }
}

export async function decorators_ask_for_their_plugin() {
  throws(() => Realm.index({}, "name"), "The @index decorator cannot be used without the `@realm/babel-plugin`");
  throws(() => names.mapTo("name"), "The @mapTo decorator cannot be used without the `@realm/babel-plugin`");
}

export async function distances_become_angles() {
  equal([Realm.kmToRadians(6378.1), Realm.kmToRadians(0), Realm.miToRadians(3963.16760121)], [1, 0, 1]);
  isTrue(Math.abs(Realm.kmToRadians(1.609344) - Realm.miToRadians(1)) < 1e-12, "a mile in kilometres");
}

function isNotAvailable(error) {
  equal([error instanceof NotAvailableError, error.name, error.code], [true, "NotAvailableError", "NotAvailable"]);
}

export async function what_a_browser_or_the_server_lacks_says_so() {
  const realm = memoryRealm(freshPath("surface"));
  isNotAvailable(throws(() => Realm.copyBundledRealmFiles(), "'copyBundledRealmFiles' is not available"));
  const flexible = "`subscriptions` can only be accessed if flexible sync is enabled, but sync is currently disabled";
  throws(() => realm.subscriptions, flexible);
  await rejects(realm.objects("Dog").subscribe(), flexible);
  throws(() => realm.objects("Dog").unsubscribe(), flexible);
  realm.close();
  throws(() => new Realm.App.Sync.SubscriptionSet(), "Illegal constructor: SubscriptionSet");

  const app = new Realm.App({ id: freshPath("app"), baseUrl: "http://localhost" });
  const auth = app.emailPasswordAuth;
  isTrue(auth instanceof Realm.Auth.EmailPasswordAuth, "an EmailPasswordAuth");
  for (const name of words(MEMBERS["Auth.EmailPasswordAuth"])) {
    isNotAvailable(await rejects(auth[name]({}), "Email and password authentication is not available"));
  }
  isNotAvailable(await rejects(app.logIn(Realm.Credentials.jwt("token")), "Logging in with 'custom-token'"));

  const user = new Realm.User(app, "nobody");
  for (const name of words(MEMBERS["Auth.ApiKeyAuth"]))
    isNotAvailable(await rejects(user.apiKeys[name]("key"), "API keys"));
  for (const name of words(MEMBERS.PushClient)) isNotAvailable(await rejects(user.push("gcm")[name]("token"), "Push"));
  const tasks = user.mongoClient("atlas").db("todo").collection("tasks");
  equal([tasks.serviceName, tasks.databaseName, tasks.name], ["atlas", "todo", "tasks"]);
  for (const name of words(MEMBERS["MongoDB.MongoDBCollection"])) {
    if (name === "name") continue;
    if (name === "watch") isNotAvailable(throws(() => tasks.watch(), "Access to MongoDB"));
    else isNotAvailable(await rejects(tasks[name]({}), "Access to MongoDB is not available"));
  }
  isNotAvailable(await rejects(user.functions.sum(1, 2), "Calling functions is not available"));
  isNotAvailable(await rejects(user.callFunction("sum", 1, 2), "Calling functions is not available"));
  isNotAvailable(await rejects(user.refreshCustomData(), "Custom user data is not available"));
  isNotAvailable(await rejects(user.linkCredentials(Realm.Credentials.anonymous()), "Linking credentials"));
  isNotAvailable(await rejects(app.deleteUser(user), "Deleting a user is not available"));
  equal([user.customData, user.profile], [{}, {}]);
}

export async function what_has_not_come_yet_is_named_by_every_way_to_it() {
  const { SubscriptionSet, MutableSubscriptionSet } = Realm.App.Sync;
  const [set, mutable] = [SubscriptionSet, MutableSubscriptionSet].map(({ prototype }) => Object.create(prototype));
  const flexible = "Flexible sync is not available";
  for (const subject of [set, mutable]) {
    isNotAvailable(throws(() => subject.findByName("all"), flexible));
    isNotAvailable(throws(() => subject.findByQuery(undefined), flexible));
    isNotAvailable(throws(() => [...subject], flexible));
  }
  isNotAvailable(await rejects(set.waitForSynchronization(), flexible));
  isNotAvailable(
    await rejects(
      set.update(() => {}),
      flexible,
    ),
  );
  isNotAvailable(throws(() => mutable.add(undefined), flexible));
  isNotAvailable(throws(() => mutable.remove(undefined), flexible));
  isNotAvailable(throws(() => mutable.removeByName("all"), flexible));
  isNotAvailable(throws(() => mutable.removeSubscription(undefined), flexible));
  isNotAvailable(throws(() => mutable.removeByObjectType("Dog"), flexible));
  isNotAvailable(throws(() => mutable.removeAll(), flexible));
  isNotAvailable(throws(() => mutable.removeUnnamed(), flexible));

  const { Credentials } = Realm;
  equal(Credentials.anonymous(false).payload, { provider: "anon-user", reuse: false });
  equal(
    Credentials.emailPassword("a@b.c", "x").payload,
    Credentials.emailPassword({ email: "a@b.c", password: "x" }).payload,
  );
  equal(Credentials.apiKey("k").payload, { provider: "api-key", key: "k" });
  equal(Credentials.jwt("t").payload, { provider: "custom-token", token: "t" });
  equal(Credentials.function({ name: "Jo" }).payload, { provider: "custom-function", name: "Jo" });
  throws(() => Credentials.apiKey(5), "Expected 'key' to be a string, got a number");
  const app = new Realm.App({ id: freshPath("app"), baseUrl: "http://localhost" });
  for (const [provider, credentials] of [
    ["oauth2-apple", Credentials.apple("token")],
    ["oauth2-facebook", Credentials.facebook("token")],
    ["oauth2-google", Credentials.google({ idToken: "token" })],
    ["oauth2-google", Credentials.google({ authCode: "code" })],
  ]) {
    isNotAvailable(await rejects(app.logIn(credentials), `Logging in with '${provider}' is not available`));
  }
  throws(() => Credentials.google({}), "Must supply either an authCode or idToken field");
  throws(
    () => Credentials.google({ idToken: "a", authCode: "b" }),
    "Must not supply both an authCode or idToken field",
  );
}

export async function what_is_accepted_for_code_written_for_realm_does_nothing() {
  const { Sync } = Realm.App;
  const app = new Realm.App({ id: freshPath("app"), baseUrl: "http://localhost" });
  isTrue(Realm.App.getApp(app.id) === app && Realm.App.get(app.id) === app, "the app by its id");
  equal([Sync.enableSessionMultiplexing(app), Sync.setUserAgent(app, "tests")], [undefined, undefined]);
  equal(Sync.downloadBeforeOpenBehavior, {
    type: "downloadBeforeOpen",
    timeOut: 30000,
    timeOutBehavior: "throwException",
  });
  equal(Sync.openLocalRealmBehavior, { type: "openImmediately" });
  equal(Realm.Object.allowValuesArrays, false);
  const realm = memoryRealm(freshPath("surface"));
  const rex = realm.write(() => realm.create("Dog", { _id: 1, name: "Rex" }));
  equal(rex._objectId(), rex._objectKey());
  realm.close();
}

export async function errors_of_schemas_name_class_and_property() {
  const open = (properties) => () => new Realm({ path: "x", inMemory: true, schema: [{ name: "Dog", properties }] });
  let error = throws(open({ name: "strin[][]" }), "Invalid type declaration for property 'name' on 'Dog'");
  isTrue(error instanceof Realm.PropertySchemaParseError && error instanceof Realm.SchemaParseError, "its class");
  equal([error.objectName, error.propertyName], ["Dog", "name"]);
  error = throws(open(5), "Invalid schema for object 'Dog'");
  isTrue(error instanceof Realm.ObjectSchemaParseError, "an ObjectSchemaParseError");
  equal(error.objectName, "Dog");
}

export async function a_template_object_has_defaults_and_empty_values() {
  const noise = () => "woof";
  const template = Realm.createTemplateObject({
    name: "Template",
    properties: {
      bool: "bool",
      int: "int",
      double: "double",
      string: "string",
      data: "data",
      date: "date",
      objectId: "objectId",
      optional: "int?",
      optionalWithDefault: { type: "int", optional: true, default: 5 },
      none: { type: "int", optional: true, default: null },
      made: { type: "string", default: noise },
      list: "int[]",
      listWithDefault: { type: "list", objectType: "int", default: [1] },
      link: "Template",
      renamed: { type: "string", mapTo: "stored" },
    },
  });
  isTrue(template.made === noise, "a function as it is");
  delete template.made;
  equal(template, {
    bool: false,
    int: 0,
    double: 0,
    string: "",
    data: new ArrayBuffer(0),
    date: new Date(0),
    optionalWithDefault: 5,
    none: null,
    listWithDefault: [1],
    renamed: "",
  });
  equal(Realm.createTemplateObject(Dog.schema), { _id: 0, name: "", age: 3 });
  throws(() => Realm.createTemplateObject({ name: "X" }), "Expected 'properties' on 'X' to be an object");
  throws(() => Realm.createTemplateObject({ name: "X", properties: { a: "nothing[][]" } }), "'a' on 'X'");
}

export async function values_may_be_an_array_where_a_flag_says_so() {
  const realm = memoryRealm(freshPath("surface"));
  const create = () => realm.write(() => realm.create("Person", ["Jo", [[1, "Rex", undefined]]]));
  throws(create, "Array values on object creation is no longer supported");
  Realm.flags.ALLOW_VALUES_ARRAYS = true;
  try {
    const jo = create();
    equal([jo.name, jo.dogs[0].name, jo.dogs[0].age], ["Jo", "Rex", 3]);
    throws(() => realm.write(() => realm.create("Person", ["Al", [], 3])), "'Person'");
    equal(realm.objects("Person").length, 1);
  } finally {
    Realm.flags.ALLOW_VALUES_ARRAYS = false;
  }
  realm.close();
}

export async function an_object_is_found_by_its_key_in_the_store() {
  const realm = memoryRealm(freshPath("surface"));
  const rex = realm.write(() => realm.create(Dog, { _id: 1, name: "Rex" }));
  const key = rex._objectKey();
  equal(realm._objectForObjectKey(Dog, key).name, "Rex");
  realm.write(() => realm.delete(rex));
  equal([realm._objectForObjectKey(Dog, key), realm._objectForObjectKey(Dog, "999")], [undefined, undefined]);
  throws(() => realm._objectForObjectKey(Dog, "nothing"), "Expected value to be a numeric string, got a string");
  realm.close();
}

export async function realms_without_a_path_have_the_default_one() {
  const before = Realm.defaultPath;
  equal(before.endsWith("default.realm"), true);
  Realm.defaultPath = `/${freshPath("surface")}`;
  try {
    const realm = new Realm({ inMemory: true, schema: [Dog, Person] });
    equal(realm.path, Realm.defaultPath);
    realm.close();
    throws(() => new Realm({ path: "" }), "The path cannot be empty. Provide a path or remove the field.");
  } finally {
    Realm.defaultPath = before;
  }
}

export async function the_global_realm_is_there_unless_a_flag_forbids_it() {
  isTrue(globalThis.Realm === Realm, "the class");
  Realm.flags.THROW_ON_GLOBAL_REALM = true;
  try {
    throws(() => globalThis.Realm, "Accessed global Realm, please update your code to ensure you import Realm");
  } finally {
    Realm.flags.THROW_ON_GLOBAL_REALM = false;
  }
}
