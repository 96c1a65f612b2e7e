//! Clients that go away: in the middle of a request, or before they have their answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use lifesign::AssessOptions;
use lifesign_server::FIRST_CLIENT;
use tokio::time::{sleep, timeout};

use crate::harness::{Answer, Fake, Server, constant, request, with};
use crate::wire::{IN_VAIN, connect, head};

/// Asks until the answer is no refusal for being too many at the same time.
async fn admitted(server: &Server) -> Answer {
    let asking = async {
        loop {
            let answer = server.ask(&request()).await;
            if answer.status != 429 {
                return answer;
            }
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(IN_VAIN, asking)
        .await
        .expect("the places are free again")
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing_behind_wherever_it_does() {
    let settings = [("client_concurrent", "1"), ("max_connections", "8")];
    let (_dir, server) = Server::fresh(constant(0.9), &settings).await;
    let body = with("image", "A".repeat(3000)).to_string();
    let length = head(&server, &format!("content-length: {}\r\n", body.len()));
    let chunked = head(&server, "transfer-encoding: chunked\r\n");
    for whole in [
        format!("{length}{body}"),
        format!("{chunked}{:x}\r\n{body}\r\n0\r\n\r\n", body.len()),
    ] {
        // From the first byte to the last but one.
        for cut in (0..whole.len() - 1).step_by(whole.len() / 100) {
            drop(connect(&server, &whole.as_bytes()[..cut]).await);
        }
    }
    assert_eq!(admitted(&server).await.status, 200);
    let attempts = server.admin.attempts(FIRST_CLIENT).await.unwrap();
    assert_eq!(
        attempts.len(),
        1,
        "of those that broke off none is recorded"
    );
}

#[tokio::test]
async fn a_client_that_goes_while_it_waits_or_is_judged_is_not_recorded_and_gives_its_place_back() {
    let (open, gate) = mpsc::channel::<()>();
    let (gate, seen) = (Mutex::new(gate), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&seen);
    let engine = move |_: &[u8], _: &AssessOptions| {
        count.fetch_add(1, Ordering::SeqCst);
        let _ = gate.lock().unwrap().recv();
        Ok(0.9)
    };
    let settings = [
        ("client_concurrent", "4"),
        ("workers", "1"),
        ("queue", "100"),
    ];
    let (_dir, server) = Server::fresh(Arc::new(Fake(engine)), &settings).await;
    let body = request().to_string();
    let whole = format!(
        "{}{body}",
        head(&server, &format!("content-length: {}\r\n", body.len()))
    );
    let judged = connect(&server, whole.as_bytes()).await;
    while seen.load(Ordering::SeqCst) == 0 {
        sleep(Duration::from_millis(1)).await;
    }
    let mut waiting = Vec::new();
    for _ in 0..3 {
        waiting.push(connect(&server, whole.as_bytes()).await);
    }
    // All places are taken when another call finds none; until then it waits, and may have had the
    // place of one of those above, for which another comes.
    let full = async {
        while !matches!(timeout(Duration::from_secs(1), server.ask(&request())).await, Ok(it) if it.status == 429)
        {
            waiting.push(connect(&server, whole.as_bytes()).await);
        }
    };
    timeout(IN_VAIN, full).await.expect("four are under way");

    drop((judged, waiting));
    let asking = tokio::spawn(async move {
        let answer = admitted(&server).await;
        (answer, server)
    });
    sleep(Duration::from_millis(300)).await;
    drop(open);
    let (answer, server) = asking.await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(
        seen.load(Ordering::SeqCst),
        2,
        "those that only waited were never judged"
    );
    let attempts = server.admin.attempts(FIRST_CLIENT).await.unwrap();
    assert_eq!(attempts.len(), 1);
}
