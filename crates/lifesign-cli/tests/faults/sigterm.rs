//! SIGTERM under load.

use std::io::Write as _;
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use crate::support::{
    Answer, LIVENESS, Service, ask, assert_nothing_lost, free_address, judge, photograph, serve,
    token, until,
};

#[test]
fn asked_to_end_under_load_it_answers_what_is_under_way_refuses_the_rest_and_ends_well() {
    const UNDER_WAY: usize = 16;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let address = free_address();
    let start = || Service::start(serve(&[], &data, &address));
    let mut server = start();
    let token = token(&data);
    assert_eq!(judge(&address, &token).status, 200);

    let body = photograph("live_portrait.jpg");
    let clients: Vec<_> = (0..UNDER_WAY)
        .map(|_| {
            let (address, token, body) = (address.clone(), token.clone(), body.clone());
            thread::spawn(move || ask(&address, LIVENESS, &token, &body))
        })
        .collect();
    // All were accepted long before the first is answered, as they wait for each other.
    until("the first is answered", || {
        let answered = clients.iter().any(|client| client.is_finished());
        if answered { Ok(()) } else { Err(server.log()) }
    });
    server.signal("TERM");
    until("new connections are refused", || {
        match TcpStream::connect(&address) {
            Err(_) => Ok(()),
            Ok(_) => Err("it was accepted".to_owned()),
        }
    });
    let answers: Vec<Answer> = clients
        .into_iter()
        .map(|client| client.join().unwrap().expect("answered"))
        .collect();
    for answer in &answers {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let status = server.ended();
    assert_eq!(status.code(), Some(0));
    println!("log: {}", server.says("asked to end"));

    let _server = start();
    let told = assert_nothing_lost(&address, &token, &answers);
    println!("{told} under way, all answered and recorded");
}

#[test]
fn asked_to_end_twice_it_waits_for_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let address = free_address();
    let mut command = serve(&[], &data, &address);
    command.args(["--request-timeout", "10m"]);
    let mut server = Service::start(command);
    let token = token(&data);
    // A request whose body never comes.
    let mut stream = TcpStream::connect(&address).unwrap();
    write!(
        stream,
        "{LIVENESS} HTTP/1.1\r\nhost: lifesign\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: 1000\r\n\r\n{{"
    )
    .unwrap();
    thread::sleep(Duration::from_millis(500));
    server.signal("TERM");
    server.says("asked to end");
    thread::sleep(Duration::from_millis(500));
    assert!(!server.has_ended(), "it waits for the request");
    server.signal("TERM");
    assert_eq!(server.ended().code(), Some(130));
}
