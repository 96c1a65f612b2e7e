//! Starts, restarts and the end; and many at once.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use lifesign_server::fetch::Network;
use lifesign_server::{Admin, AdminError, FIRST_CLIENT, Service};

use crate::harness::{Server, config, constant, gated, request, with};

#[tokio::test]
async fn only_the_first_start_makes_a_client_and_its_token_works() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path(), &[]);
    let open = || Service::open_with(&config, constant(0.9), Network::public());
    let (_, first) = open().await.unwrap();
    let first = first.unwrap();
    assert_eq!(first.client, FIRST_CLIENT);
    assert!(!format!("{first:?}").contains(&first.token));
    assert!(open().await.unwrap().1.is_none());

    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(config.data_dir.clone()), 0o700);
        assert_eq!(mode(config.data_dir.join("secret.key")), 0o600);
    }
}

#[tokio::test]
async fn a_restart_keeps_tokens_revocations_and_attempts() {
    let dir = tempfile::tempdir().unwrap();
    let start = || Server::start(dir.path(), constant(0.9), &[], Network::public());
    let server = start().await;
    let kept = server.token.clone();
    let revoked = server.admin.issue_token(FIRST_CLIENT, None).await.unwrap();
    server.admin.revoke_token(&revoked.jti).await.unwrap();
    let id = server.ask(&request()).await.body["id"]
        .as_str()
        .unwrap()
        .to_owned();
    server.stop().await.unwrap();

    let mut server = start().await;
    let attempts = server.admin.attempts(FIRST_CLIENT).await.unwrap();
    assert_eq!(
        attempts
            .iter()
            .map(|attempt| attempt.id.as_str())
            .collect::<Vec<_>>(),
        [id]
    );
    assert_eq!((attempts[0].score, attempts[0].passed), (Some(0.9), true));
    server.token = kept;
    assert_eq!(server.ask(&request()).await.status, 200);
    server.token = revoked.token;
    server
        .ask(&request())
        .await
        .assert_error(403, "FORBIDDEN", "token_revoked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attempts_in_parallel_have_unique_ids_and_are_all_recorded() {
    let (_dir, server) = Server::fresh(constant(0.9), &[("queue", "200")]).await;
    let server = Arc::new(server);
    let asked: Vec<_> = (0..200)
        .map(|_| {
            let server = Arc::clone(&server);
            tokio::spawn(async move { server.ask(&request()).await })
        })
        .collect();
    let mut ids = HashSet::new();
    for answer in asked {
        let answer = answer.await.unwrap();
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        ids.insert(answer.body["id"].as_str().unwrap().to_owned());
    }
    assert_eq!(ids.len(), 200);
    let recorded = server.admin.attempts(FIRST_CLIENT).await.unwrap();
    assert_eq!(
        recorded
            .into_iter()
            .map(|attempt| attempt.id)
            .collect::<HashSet<_>>(),
        ids
    );
}

#[tokio::test]
async fn a_shutdown_finishes_the_request_in_flight() {
    let (engine, entered, open) = gated();
    let (_dir, server) = Server::fresh(engine, &[]).await;
    let post = server
        .post(crate::harness::LIVENESS)
        .bearer_auth(&server.token)
        .json(&request());
    let in_flight = tokio::spawn(async move { post.send().await.unwrap().status() });
    while !entered.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let stopping = server.stop();
    tokio::task::yield_now().await;
    open.send(()).unwrap();
    assert_eq!(in_flight.await.unwrap(), 200);
    stopping.await.unwrap();
}

#[tokio::test]
async fn a_removed_collection_is_refused_and_its_attempts_stay() {
    let (_dir, server) = Server::fresh(constant(0.9), &[]).await;
    let collection = server
        .admin
        .add_collection(FIRST_CLIENT, "gate", "the front gate")
        .await
        .unwrap();
    let asked = with("collection_id", collection.id.as_str());
    assert_eq!(server.ask(&asked).await.status, 200);
    server
        .admin
        .remove_collection(FIRST_CLIENT, "gate")
        .await
        .unwrap();
    server
        .ask(&asked)
        .await
        .assert_error(404, "NotFound", "Record not found.");
    let attempts = server.admin.attempts(FIRST_CLIENT).await.unwrap();
    assert_eq!(attempts.len(), 1);
    assert_eq!(attempts[0].collection_id, None);
}

#[tokio::test]
async fn management_refuses_what_does_not_exist_or_cannot_be_named() {
    let dir = tempfile::tempdir().unwrap();
    let admin = Admin::open(&config(dir.path(), &[])).await.unwrap();
    assert!(matches!(
        admin.issue_token("nobody", None).await,
        Err(AdminError::NoSuchClient(_))
    ));
    assert!(matches!(
        admin.disable_client("nobody").await,
        Err(AdminError::NoSuchClient(_))
    ));
    assert!(matches!(
        admin.revoke_token("nothing").await,
        Err(AdminError::NoSuchToken)
    ));
    assert!(matches!(
        admin.add_client(" \n").await,
        Err(AdminError::BadName)
    ));
    admin.add_client("acme").await.unwrap();
    assert!(matches!(
        admin.add_client(" acme ").await,
        Err(AdminError::NameTaken(_))
    ));
    assert!(matches!(
        admin.remove_collection("acme", "gate").await,
        Err(AdminError::NoSuchCollection { .. })
    ));
    admin.disable_client("acme").await.unwrap();
    assert!(matches!(
        admin.issue_token("acme", None).await,
        Err(AdminError::ClientDisabled(_))
    ));
}

#[tokio::test]
async fn a_secret_that_others_may_read_stops_the_start_wherever_it_lies() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("signing.key");
    let settings = [("secret_file", file.to_str().unwrap())];
    let config = config(dir.path(), &settings);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    Admin::open(&config).await.unwrap();
    assert_eq!(mode(&file), 0o600);
    if config.database.is_none() {
        assert_eq!(mode(&config.data_dir), 0o700);
        for name in ["lifesign.db", "lifesign.db-wal", "lifesign.db-shm"] {
            let path = config.data_dir.join(name);
            if path.exists() {
                assert_eq!(mode(&path), 0o600, "{name}");
            }
        }
    }
    for exposed in [0o640, 0o604, 0o620, 0o601] {
        std::fs::set_permissions(&file, PermissionsExt::from_mode(exposed)).unwrap();
        let refused = Admin::open(&config).await.err().unwrap();
        assert!(refused.to_string().contains("chmod 600"), "{refused}");
    }
}
