//! What is served besides the API.

use axum::body::Body;
use axum::http::header;

use crate::support::http_office::{HttpOffice, ask};

#[tokio::test]
async fn pages_come_with_the_right_types_and_lifetimes() {
    let http = HttpOffice::open().await;
    let forever = "public, max-age=31536000, immutable";
    for (path, media, caching) in [
        ("/", "text/html; charset=utf-8", "no-cache"),
        ("/office/", "text/html; charset=utf-8", "no-cache"),
        ("/sw.js", "text/javascript; charset=utf-8", "no-cache"),
        ("/manifest.webmanifest", "application/manifest+json", "no-cache"),
        ("/assets/field-1a2b3c.js", "text/javascript; charset=utf-8", forever),
        ("/assets/core-4d5e6f.wasm", "application/wasm", forever),
    ] {
        let answer = http.get(path, None).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("content-type"), media, "{path}");
        assert_eq!(answer.header("cache-control"), caching, "{path}");
    }
}

#[tokio::test]
async fn paths_below_an_app_show_the_app_and_lost_files_stay_lost() {
    let http = HttpOffice::open().await;
    let text = async |path: &str| http.get(path, None).await.text();
    assert_eq!(text("/visits/01a20aaf").await, "<title>field</title>");
    assert_eq!(text("/office/visits/01a20aaf").await, "<title>console</title>");
    let redirect = http.get("/office", None).await;
    assert_eq!((redirect.status.as_u16(), redirect.header("location")), (308, "/office/"));
    for gone in ["/assets/field-old.js", "/../Cargo.toml", "/.env"] {
        assert_eq!(http.get(gone, None).await.code(), (404, "not_found".into()), "{gone}");
    }
}

#[tokio::test]
async fn a_file_that_is_known_is_not_sent_again() {
    let http = HttpOffice::open().await;
    let first = http.get("/", None).await;
    let tag = first.header("etag").to_owned();
    let known = ask("GET", "/", None).header(header::IF_NONE_MATCH, &tag);
    let answer = http.ask(known.body(Body::empty()).unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (304, 0));
    let head = ask("HEAD", "/", None).body(Body::empty()).unwrap();
    let answer = http.ask(head).await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 0));
}

#[tokio::test]
async fn files_that_were_compressed_before_are_sent_so() {
    let http = HttpOffice::open().await;
    let fetch = async |accepted: &str| {
        let request = ask("GET", "/assets/field-1a2b3c.js", None)
            .header(header::ACCEPT_ENCODING, accepted)
            .body(Body::empty());
        let answer = http.ask(request.unwrap()).await;
        (answer.header("content-encoding").to_owned(), answer.text())
    };
    assert_eq!(fetch("gzip, br").await, ("br".into(), "brotli script".into()));
    assert_eq!(fetch("br;q=0").await, (String::new(), "plain script".into()));
}

#[tokio::test]
async fn files_are_never_compressed_while_they_are_sent() {
    let http = HttpOffice::open().await;
    let request = ask("GET", "/assets/words-2b3c4d.js", None)
        .header(header::ACCEPT_ENCODING, "gzip, br")
        .body(Body::empty());
    let answer = http.ask(request.unwrap()).await;
    assert_eq!((answer.header("content-encoding"), answer.body.len()), ("", 4096));
}

#[tokio::test]
async fn built_pages_are_sent_as_small_as_they_were_compressed() {
    let http = HttpOffice::open().await.with_built_pages();
    let dist = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("www/dist");
    let assets = std::fs::read_dir(dist.join("assets")).expect("the pages are built: make www");
    let mut sent = 0;
    for name in assets.map(|entry| entry.unwrap().file_name().into_string().unwrap()) {
        if name.ends_with(".br") || name.ends_with(".gz") {
            continue;
        }
        for (accepted, encoding, suffix) in
            [("gzip, deflate, br, zstd", "br", ".br"), ("gzip, deflate", "gzip", ".gz")]
        {
            let request = ask("GET", &format!("/assets/{name}"), None)
                .header(header::ACCEPT_ENCODING, accepted)
                .body(Body::empty());
            let answer = http.ask(request.unwrap()).await;
            let stored = std::fs::metadata(dist.join(format!("assets/{name}{suffix}"))).unwrap();
            assert_eq!(answer.header("content-encoding"), encoding, "{name}");
            assert_eq!(answer.header("vary"), "accept-encoding", "{name}");
            assert_eq!(answer.body.len() as u64, stored.len(), "{name}");
            sent += 1;
        }
    }
    assert!(sent >= 2 * 4, "{sent} files");
}

/// The policy allows no inline script, no inline style and no `eval`: the pages as they are built
/// must need none.
#[test]
fn built_pages_keep_to_the_content_security_policy() {
    let dist = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("www/dist");
    let mut pages = 0;
    let mut scripts = 0;
    let mut folders = vec![dist];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).expect("the pages are built: make www");
        for path in entries.map(|entry| entry.unwrap().path()) {
            let read = || std::fs::read_to_string(&path).unwrap();
            match path.extension().and_then(|extension| extension.to_str()) {
                _ if path.is_dir() => folders.push(path),
                Some("html") => {
                    pages += 1;
                    check_page(&path.display().to_string(), &read());
                }
                Some("js") => {
                    scripts += 1;
                    for word in ["new Function(", "eval("] {
                        let found = read().match_indices(word).any(|(at, _)| {
                            !read()[..at]
                                .ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.')
                        });
                        assert!(!found, "{} has {word}", path.display());
                    }
                }
                _ => {}
            }
        }
    }
    assert!(pages >= 2 && scripts >= 3, "{pages} pages and {scripts} scripts");
}

fn check_page(name: &str, text: &str) {
    let text = text.to_lowercase();
    for word in ["<style", " style=", "javascript:", "<iframe", "<object", "<embed", "<base"] {
        assert!(!text.contains(word), "{name} has {word}");
    }
    for tag in text.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
        for attribute in tag.split_whitespace().skip(1) {
            assert!(!attribute.starts_with("on"), "{name}: <{tag}>");
            for reference in ["src=\"", "href=\""] {
                let target = attribute.strip_prefix(reference);
                assert!(
                    target.is_none_or(|to| to.starts_with('/') && !to.starts_with("//")),
                    "<{tag}>"
                );
            }
        }
    }
    for script in text.split("<script").skip(1) {
        let (tag, rest) = script.split_once('>').unwrap();
        assert!(tag.contains(" src=\"/"), "{name}: <script{tag}>");
        assert!(rest.trim_start().starts_with("</script>"), "{name} has a script inline");
    }
}
