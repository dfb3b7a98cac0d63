//! HTTP: login, cross-origin rules, and the operator's API.

use serde_json::{Value, json};

use crate::world::{APP, REALM, TestServer, agent, login, post};

#[tokio::test(flavor = "multi_thread")]
async fn anybody_may_log_in_and_renew() {
    let server = TestServer::start().await;
    let (one, two) = (server.login().await, server.login().await);
    assert_ne!(one["user_id"], two["user_id"]);
    let url = format!("{}/api/app/{APP}/session", server.url);
    let refresh = one["refresh_token"].as_str().unwrap();
    let (status, body) = post(&url, &[("authorization", &format!("Bearer {refresh}"))], json!({})).await;
    assert_eq!((status, &body["user_id"]), (200, &one["user_id"]));
    let (status, body) = post(&url, &[], json!({ "refresh_token": refresh })).await;
    assert_eq!(status, 200);
    crate::world::Peer::connect(&server.url, body["access_token"].as_str().unwrap()).await;
    for bad in [json!({}), json!({"refresh_token": "x"}), json!({"refresh_token": one["access_token"]}), json!([1])] {
        let (status, body) = post(&url, &[], bad).await;
        assert_eq!((status, &body["error_code"]), (401, &json!("InvalidSession")));
    }
    let of_other_app = format!("{}/api/app/other/session", server.url);
    assert_eq!(post(&of_other_app, &[], json!({ "refresh_token": refresh })).await.0, 401);
    let url = format!("{}/api/app/{APP}/login", server.url);
    for (bad, wanted) in [(json!({}), 400), (json!("x"), 400), (json!({"provider": "local-userpass"}), 401)] {
        assert_eq!(post(&url, &[], bad).await.0, wanted);
    }
    assert_eq!(
        post(&format!("{}/api/app/a%20b/login", server.url), &[], json!({"provider": "anon-user"})).await.0,
        404
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_pages_of_allowed_origins_get_answers() {
    let server = TestServer::start().await;
    let url = format!("{}/api/app/{APP}/login", server.url);
    let answer = |method: &'static str, origin: &'static str| {
        let url = url.clone();
        tokio::task::spawn_blocking(move || {
            let request = ureq::http::Request::builder().method(method).uri(url).header("origin", origin);
            let request = request
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", "authorization, content-type");
            let answer = agent().run(request.body(r#"{"provider":"anon-user"}"#).unwrap()).unwrap();
            let header = |name: &str| answer.headers().get(name).map(|v| v.to_str().unwrap().to_string());
            (answer.status().as_u16(), header("access-control-allow-origin"), header("access-control-allow-headers"))
        })
    };
    let good = "http://localhost:5173";
    assert_eq!(answer("POST", good).await.unwrap(), (200, Some(good.to_string()), None));
    let (status, origin, headers) = answer("OPTIONS", good).await.unwrap();
    assert_eq!((status, origin.as_deref()), (204, Some(good)));
    assert!(headers.unwrap().contains("authorization"));
    for bad in ["null", "http://evil.example", "http://localhost.evil.example"] {
        assert_eq!(answer("POST", bad).await.unwrap(), (403, None, None), "{bad}");
        assert_eq!(answer("OPTIONS", bad).await.unwrap(), (403, None, None), "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_api_needs_the_admin_token() {
    let server = TestServer::start().await;
    let user = login(&server.url).await;
    let access = format!("Bearer {}", user["access_token"].as_str().unwrap());
    let almost = format!("Bearer {}", &server.admin_token()[..63]);
    let bare = server.admin_token();
    for path in ["backup", "restore", "terminate-sync", "trim-history", "schema", "forget-client"] {
        let url = format!("{}/admin/{path}", server.url);
        for given in [None, Some("Bearer "), Some(access.as_str()), Some(almost.as_str()), Some(bare.as_str())] {
            let headers: Vec<(&str, &str)> = given.iter().map(|given| ("authorization", *given)).collect();
            assert_eq!(post(&url, &headers, json!({})).await.0, 401, "{path} {given:?}");
        }
    }
    assert_eq!(server.get("/admin/state").await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_refused_with_a_reason_and_changes_nothing() {
    let server = TestServer::start().await;
    server.fresh().await;
    for (path, body) in [
        ("/admin/backup", json!({"name": "../../etc/passwd"})),
        ("/admin/backup", json!({"name": ""})),
        ("/admin/backup", json!({"nam": "x"})),
        ("/admin/restore", json!({})),
        ("/admin/restore", json!({"name": "never taken"})),
        ("/admin/restore", json!({"name": "absent"})),
        ("/admin/terminate-sync", json!({"realm": "s_nobody"})),
        ("/admin/trim-history", json!({"keep": -1})),
        ("/admin/schema", json!({})),
        ("/admin/forget-client", json!({"client": "zz"})),
        ("/admin/forget-client", json!({"client": "00000000000000000000000000000000"})),
    ] {
        let (status, answer) = server.post(path, body.clone()).await;
        assert_eq!(status, 400, "{path} {body}");
        assert!(answer["error"].as_str().is_some_and(|reason| !reason.is_empty()), "{path} {body}");
    }
    assert_eq!(server.get("/admin/objects?realm=s_list&class=Nobody").await.0, 400);
    assert_eq!(server.get("/admin/state?realm=s_nobody").await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_shows_realms_clients_and_objects() {
    let server = TestServer::start().await;
    let mut a = server.fresh().await;
    let mut peer = server.bound(&a).await;
    let changeset = a.task("1", "milk");
    peer.upload(vec![changeset]).await;
    peer.settle(&mut a).await;
    let (_, state) = server.get(&format!("/admin/state?realm={REALM}")).await;
    let realm = &state["realms"][0];
    assert_eq!(realm["realm"], json!(format!("{APP}/{REALM}")));
    assert_eq!((&realm["head"], &realm["floor"], &realm["sessions"]), (&json!(2), &json!(0), &json!(1)));
    assert_eq!(realm["clients"][0]["client"], json!(a.client.to_string()));
    assert_eq!(realm["clients"][0]["number"], json!(1));
    assert_eq!(realm["classes"][0]["name"], json!("Task"));
    assert_eq!(realm["classes"][0]["objects"], json!(1));
    let (_, objects) = server.get(&format!("/admin/objects?realm={APP}/{REALM}&class=Task")).await;
    assert_eq!(objects, json!({"class": "Task", "total": 1, "objects": [{"_id": "1", "title": "milk", "count": 0}]}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_brings_back_the_backup_and_keeps_what_it_replaced() {
    let server = TestServer::start().await;
    let mut a = server.fresh().await;
    let mut peer = server.bound(&a).await;
    let changeset = a.task("1", "before");
    peer.upload(vec![changeset]).await;
    peer.settle(&mut a).await;
    let at_backup = a.titles();
    let (status, taken) = server.post("/admin/backup", json!({ "name": "monday" })).await;
    assert_eq!((status, &taken["name"]), (200, &json!("monday")));
    assert_eq!(server.post("/admin/backup", json!({ "name": "monday" })).await.0, 400, "no backup is overwritten");
    let (_, listed) = server.get("/admin/backups").await;
    assert_eq!(listed["backups"][0]["name"], json!("monday"));
    let changeset = a.task("2", "after");
    peer.upload(vec![changeset]).await;
    peer.settle(&mut a).await;

    // A backup with one letter changed is refused before anything is touched.
    let path = std::path::PathBuf::from(taken["path"].as_str().unwrap());
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(6).rposition(|window| window == b"before").unwrap();
    bytes[at] = b'B';
    std::fs::write(path.with_file_name("damaged.sqlite3"), bytes).unwrap();
    let (status, refused) = server.post("/admin/restore", json!({ "name": "damaged" })).await;
    assert_eq!(status, 400, "{refused}");
    peer.settle(&mut a).await;
    assert_eq!(server.fresh().await.titles(), a.titles());

    let (status, restored) = server.post("/admin/restore", json!({ "name": "monday" })).await;
    assert_eq!(status, 200, "{restored}");
    assert_eq!(peer.expect_closed().await, 1012);
    assert_eq!(server.fresh().await.titles(), at_backup);
    let kept = ebbtide_server::storage::SqliteStorage::open_verified(restored["kept"].as_str().unwrap().as_ref());
    let loaded = ebbtide_server::hub::load_realm(&kept.unwrap(), &format!("{APP}/{REALM}")).unwrap().unwrap();
    assert_eq!(crate::world::titles(loaded.realm.state()), a.titles());

    let names: Vec<Value> = server.get("/admin/backups").await.1["backups"].as_array().unwrap().clone();
    assert_eq!(names.len(), 2, "the backup stays");
}
