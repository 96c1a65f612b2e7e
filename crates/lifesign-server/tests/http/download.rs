//! Which addresses a photograph is downloaded from: over real TLS, with every check in force. The
//! test has its own internet and its own certificate authority, and nothing in the service can be
//! told to reach loopback.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use lifesign::AssessOptions;
use lifesign_server::fetch::Rules;

use crate::harness::{Fake, Server, with};
use crate::photo_host::{
    FAILED, HOST, OTHER, PHOTOGRAPH, PhotoHost, Step, limits, photograph, redirect, sentence, text,
    url,
};

fn redirects(path: &str) -> Vec<Step> {
    match path {
        "/photo" => photograph(),
        "/once" => redirect("/photo"),
        "/twice" => redirect("once"),
        "/three-times" => redirect("https://other.test/twice"),
        "/four-times" => redirect("/three-times"),
        "/permanently" => {
            text("HTTP/1.1 308 Moved\r\nlocation: /photo\r\ncontent-length: 0\r\n\r\n")
        }
        "/loop" => redirect("/loop"),
        "/there" => redirect("/back"),
        "/back" => redirect("/there"),
        "/nowhere" => text("HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n"),
        "/to-nonsense" => redirect("https://[/"),
        "/to-latin1" => vec![Step::Send(
            b"HTTP/1.1 302 Found\r\nlocation: /\xe9\r\ncontent-length: 0\r\n\r\n".to_vec(),
        )],
        "/to-http" => redirect("http://photos.test/photo"),
        "/to-ftp" => redirect("ftp://photos.test/photo"),
        "/to-data" => redirect("data:image/png;base64,AAAA"),
        "/to-file" => redirect("file:///etc/passwd"),
        "/to-user" => redirect("https://user:word@photos.test/photo"),
        "/to-port" => redirect("https://photos.test:22/photo"),
        "/to-metadata" => redirect("https://169.254.169.254/latest"),
        "/to-decimal" => redirect("//2130706433/"),
        "/to-loopback" => redirect("https://[::1]/"),
        "/to-inside" => redirect("https://inside.test/photo"),
        "/to-other" => redirect("https://other.test/photo"),
        _ => text("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"),
    }
}

#[tokio::test]
async fn up_to_three_redirects_are_followed_each_looked_up_and_checked_anew() {
    let host = PhotoHost::start(redirects).await;
    let internet = host.internet().with("inside.test", &["10.0.0.7"]);
    let lookups = Arc::clone(&internet.lookups);
    let fetcher = host.fetcher(limits(), internet);
    for (path, hops) in [
        ("/photo", 0),
        ("/once", 1),
        ("/permanently", 1),
        ("/twice", 2),
        ("/three-times", 3),
    ] {
        let before = lookups.load(Ordering::SeqCst);
        let fetched = fetcher.fetch(url(HOST, path)).await;
        assert_eq!(fetched.unwrap(), PHOTOGRAPH, "{path}");
        assert_eq!(lookups.load(Ordering::SeqCst) - before, hops + 1, "{path}");
    }
    for path in [
        "/four-times",
        "/loop",
        "/there",
        "/nowhere",
        "/to-nonsense",
        "/to-latin1",
        "/to-http",
        "/to-ftp",
        "/to-data",
        "/to-file",
        "/to-user",
        "/to-port",
        "/to-metadata",
        "/to-decimal",
        "/to-loopback",
        "/to-inside",
    ] {
        let fetched = fetcher.fetch(url(HOST, path)).await;
        assert_eq!(sentence(path, fetched), FAILED, "{path}");
    }
}

#[tokio::test]
async fn a_name_is_refused_for_any_address_that_is_not_public() {
    let host = PhotoHost::start(redirects).await;
    let internet = host
        .internet()
        .with("loopback.test", &["127.0.0.1"])
        .with("metadata.google.internal", &["169.254.169.254"])
        .with("localhost", &["127.0.0.1", "::1"])
        .with("v6.test", &["fd00:ec2::254"])
        .with("mapped.test", &["::ffff:10.0.0.1"])
        .with("mixed.test", &["8.8.8.8", "10.0.0.1"])
        .with("nowhere.test", &[]);
    let fetcher = host.fetcher(limits(), internet);
    for name in [
        "loopback.test",
        "LOOPBACK.test",
        "metadata.google.internal",
        "localhost",
        "v6.test",
        "mapped.test",
        "mixed.test",
        "nowhere.test",
        "unknown-to-the-certificate.test",
    ] {
        let fetched = fetcher.fetch(url(name, "/photo")).await;
        assert_eq!(sentence(name, fetched), FAILED, "{name}");
    }
    assert!(host.heads.lock().unwrap().is_empty(), "none was asked");
    let fetched = fetcher.fetch(url("PHOTOS.test.", "/photo")).await;
    assert_eq!(fetched.unwrap(), PHOTOGRAPH, "another spelling of the host");
}

#[tokio::test]
async fn the_address_that_was_checked_is_the_one_connected_to() {
    let host = PhotoHost::start(redirects).await;
    let internet = host
        .internet()
        .changing(HOST, &[&["8.8.8.8"], &["127.0.0.1"]]);
    let lookups = Arc::clone(&internet.lookups);
    let fetcher = host.fetcher(limits(), internet);
    let fetched = fetcher.fetch(url(HOST, "/photo")).await;
    assert_eq!(fetched.unwrap(), PHOTOGRAPH);
    assert_eq!(lookups.load(Ordering::SeqCst), 1, "no second look-up");
    // Neither the connection nor the address is kept: the next download sees what the name is now.
    let fetched = fetcher.fetch(url(HOST, "/photo")).await;
    assert_eq!(sentence("rebound", fetched), FAILED);
}

#[tokio::test]
async fn only_listed_hosts_are_asked_also_after_a_redirect() {
    let host = PhotoHost::start(redirects).await;
    let rules = Rules {
        hosts: "photos.test".parse().unwrap(),
        ..Rules::default()
    };
    let fetcher = host.fetcher_with(limits(), rules, host.internet());
    let fetched = fetcher.fetch(url(HOST, "/once")).await;
    assert_eq!(fetched.unwrap(), PHOTOGRAPH);
    for (name, path) in [(OTHER, "/photo"), (HOST, "/to-other")] {
        let fetched = fetcher.fetch(url(name, path)).await;
        assert_eq!(sentence(path, fetched), FAILED, "{name}{path}");
    }
}

#[tokio::test]
async fn a_host_whose_certificate_nobody_signed_is_not_believed() {
    let (host, stranger) = (
        PhotoHost::start(redirects).await,
        PhotoHost::start(redirects).await,
    );
    let fetcher = stranger.fetcher(limits(), host.internet());
    let fetched = fetcher.fetch(url(HOST, "/photo")).await;
    assert_eq!(sentence("stranger", fetched), FAILED);
    assert!(host.heads.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_request_says_nothing_of_the_caller_and_takes_nothing_from_host_to_host() {
    let host = PhotoHost::start(redirects).await;
    let fetcher = host.fetcher(limits(), host.internet());
    let fetched = fetcher.fetch(url(HOST, "/three-times?key=a#b")).await;
    assert_eq!(fetched.unwrap(), PHOTOGRAPH);
    let heads = host.heads.lock().unwrap().clone();
    assert_eq!(heads.len(), 4);
    assert!(heads[0].starts_with("GET /three-times?key=a HTTP/1.1\r\n"));
    for head in &heads {
        let mut lines = head.trim_end().split("\r\n").skip(1);
        for line in &mut lines {
            let (name, value) = line.split_once(": ").unwrap();
            match name {
                "host" => assert!([HOST, OTHER].contains(&value), "{head}"),
                "user-agent" => assert!(value.starts_with("lifesign/"), "{head}"),
                "accept" => assert_eq!(value, "*/*"),
                "accept-encoding" => assert_eq!(value, "identity"),
                _ => panic!("{line} in {head}"),
            }
        }
    }
    let protocols = host.protocols.lock().unwrap().clone();
    assert_eq!(
        protocols,
        vec![Some(b"http/1.1".to_vec()); 4],
        "never HTTP/2"
    );
}

#[tokio::test]
async fn an_image_url_is_judged_like_the_image_itself() {
    let host = PhotoHost::start(redirects).await;
    let dir = tempfile::tempdir().unwrap();
    let engine = |bytes: &[u8], _: &AssessOptions| Ok(if bytes == PHOTOGRAPH { 0.75 } else { 0.0 });
    let network = host.network(host.internet().with("inside.test", &["10.0.0.7"]));
    let server = Server::start(dir.path(), Arc::new(Fake(engine)), &[], network).await;
    let ask = async |host, path| server.ask(&with("image", url(host, path).as_str())).await;
    let answer = ask(HOST, "/once").await;
    assert_eq!(answer.body["data"]["liveness_score"], 0.75);
    for (host, path) in [(HOST, "/missing"), ("inside.test", "/photo")] {
        let answer = ask(host, path).await;
        answer.assert_quality("ERR_INVALID_IMAGE", "invalid_image");
        assert_eq!(answer.body["message"], FAILED, "{path}");
    }
}

#[tokio::test]
async fn a_service_that_downloads_nothing_says_so() {
    let (_dir, server) = Server::fresh(crate::harness::constant(0.9), &[("fetch", "off")]).await;
    let answer = server
        .ask(&with("image", "https://photos.test/photo"))
        .await;
    answer.assert_quality("ERR_INVALID_IMAGE", "invalid_image");
    let message = answer.body["message"].as_str().unwrap();
    assert!(message.contains("does not download"), "{message}");
}
