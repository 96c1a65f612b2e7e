//! A proxy in the environment, which would resolve names itself and connect where it likes.

mod common;

use std::net::TcpListener;

use common::{Server, lifesign};
use tempfile::TempDir;

#[test]
fn images_are_not_downloaded_through_a_proxy_of_the_environment() {
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    proxy.set_nonblocking(true).unwrap();
    let address = format!("http://{}", proxy.local_addr().unwrap());
    let mut command = lifesign();
    for name in [
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
        "HTTP_PROXY",
    ] {
        command.env(name, &address);
    }
    command.env_remove("NO_PROXY").env_remove("no_proxy");
    let server = Server::start_as(command, TempDir::new().unwrap(), &[]);
    // A name that nobody has (RFC 6761): only a proxy would be asked for it.
    let body = r#"{"os":"DESKTOP","image":"https://photos.invalid/a.jpg"}"#;
    let token = common::bearer(&server.token());
    let call = "POST /v2/face-recognition/liveness";
    let (status, answer) = common::call(server.address(), call, &[&token], body).unwrap();
    assert_eq!(status, 422, "{answer}");
    assert!(answer.contains("could not be downloaded"), "{answer}");
    let asked = proxy.accept().map(|(_, from)| from);
    assert!(asked.is_err(), "the proxy was asked by {asked:?}");
}
