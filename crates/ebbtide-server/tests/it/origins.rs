//! Which pages are let in, as a table.

use ebbtide_server::auth::Origins;

fn check(allowed: &[&str], origin: &str, expected: bool) {
    let allowed: Vec<String> = allowed.iter().map(ToString::to_string).collect();
    assert_eq!(Origins::new(&allowed).unwrap().allows(origin), expected, "{origin} with {allowed:?}");
}

#[test]
fn loopback_pages_alone_are_let_in_by_default() {
    for good in [
        "http://localhost",
        "http://localhost:8080",
        "https://localhost:1",
        "http://127.0.0.1:5173",
        "http://127.9.8.7",
        "http://[::1]:3000",
        "HTTP://LocalHost:8080",
    ] {
        check(&[], good, true);
    }
    for bad in [
        "null",
        "",
        "file://",
        "localhost",
        "http://",
        "http://localhost.evil.example",
        "http://localhost:8080.evil.example",
        "http://evil.example",
        "http://evil.example/localhost",
        "http://localhost@evil.example",
        "http://user@localhost",
        "http://127.0.0.1.evil.example",
        "http://[::1].evil.example",
        "http://[::2]:3000",
        "http://0.0.0.0",
        "http://10.0.0.1",
        "http://localhost:",
        "http://localhost:99999",
        "http://localhost:80:80",
        "http://localhost/",
        "http://localhost?",
        "chrome-extension://localhost",
        "ws://localhost",
        "http://localhost http://evil.example",
        "http://local host",
    ] {
        check(&[], bad, false);
    }
}

#[test]
fn a_list_is_exact_and_replaces_the_default() {
    let list = ["https://app.example", "http://dev.example:8080"];
    for good in ["https://app.example", "https://app.example:443", "HTTPS://APP.example", "http://dev.example:8080"] {
        check(&list, good, true);
    }
    for bad in [
        "http://app.example",
        "https://app.example:8443",
        "https://app.example.evil.example",
        "https://evil-app.example",
        "https://sub.app.example",
        "http://dev.example",
        "http://localhost:8080",
        "null",
    ] {
        check(&list, bad, false);
    }
}

#[test]
fn a_list_with_something_else_is_refused() {
    for bad in ["*", "null", "app.example", "https://app.example/path", "https://*.example", ""] {
        assert!(Origins::new(&[bad.to_string()]).is_err(), "{bad}");
    }
}
