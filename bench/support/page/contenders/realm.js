// Realm's own WebAssembly build for browsers: in memory only, so nothing of it outlives the page.
import Realm from "realm";
import { throughRealmApi } from "./realm-api.js";

export default throughRealmApi(Realm);
