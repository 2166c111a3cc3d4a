//! The image that needs no registry.

use std::process::Command;

use tare_engine::images::PullRequest;

use crate::proxy::Fault;
use crate::stage::{Stage, all, two_layers};

#[tokio::test(flavor = "multi_thread")]
async fn hello_is_there_without_a_registry_and_greets() {
    let stage = Stage::new(|_| Fault::Pass).await;
    let pull = || async {
        let request = PullRequest {
            image: "hello".to_owned(),
            ..PullRequest::default()
        };
        let messages = all(stage.images.pull(request).await.expect("a pull")).await;
        messages
            .last()
            .and_then(|message| message.status.clone())
            .expect("a status")
    };
    assert_eq!(
        pull().await,
        "Status: Downloaded newer image for hello:latest"
    );
    assert_eq!(pull().await, "Status: Image is up to date for hello:latest");
    let inspected = stage.images.inspect("hello").await.expect("an image");
    assert_eq!(inspected.repo_tags, ["hello:latest"]);
    assert_eq!(
        inspected
            .config
            .expect("a configuration")
            .cmd
            .expect("a command"),
        ["/hello"]
    );

    let upper = &inspected.graph_driver.data.expect("directories")["UpperDir"];
    let output = Command::new(format!("{upper}/hello"))
        .env_clear()
        .output()
        .expect("a greeting");
    assert!(output.status.success());
    let greeting = String::from_utf8(output.stdout).expect("text");
    assert!(greeting.contains("Hello from Tare!"), "{greeting}");
    let hostname = std::fs::read_to_string("/proc/sys/kernel/hostname").expect("a name");
    assert!(
        greeting.contains(&format!("named {}.", hostname.trim())),
        "{greeting}"
    );

    // Removed like any other, and back when it is asked for.
    stage
        .images
        .remove("hello", false, |_| Vec::new())
        .await
        .expect("removed");
    assert_eq!(
        pull().await,
        "Status: Downloaded newer image for hello:latest"
    );
    assert!(stage.proxy.seen().is_empty());

    // A name that was given to another image goes back.
    stage
        .registry
        .push_tagged("some/image", "latest", &two_layers())
        .await;
    stage.pull().await.expect("a pull");
    stage
        .images
        .tag(&stage.name(), "hello", "latest")
        .await
        .expect("a tag");
    assert_eq!(
        pull().await,
        "Status: Downloaded newer image for hello:latest"
    );
    assert_eq!(
        stage.images.inspect("hello").await.expect("an image").id,
        inspected.id
    );
}
