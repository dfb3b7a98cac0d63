// Ebbtide, as an application uses it.
import Realm from "ebbtide";
import { throughRealmApi } from "./realm-api.js";

export default throughRealmApi(Realm);
