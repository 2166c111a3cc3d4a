//! Lists with their filters, further names, history, removal.

use tare_engine::Kind;
use tare_engine_api::Filters;
use tare_oci::Digest;
use tare_storage::image::ImageUser;

use crate::image::Image;
use crate::proxy::Fault;
use crate::stage::{Stage, layer, two_layers};

async fn staged() -> (Stage, Image, String) {
    let stage = Stage::new(|_| Fault::Pass).await;
    let image = two_layers();
    stage
        .registry
        .push_tagged("some/image", "latest", &image)
        .await;
    stage.pull().await.expect("a pull");
    let id = Digest::sha256_of(&image.config).to_string();
    (stage, image, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_narrow_the_list() {
    let (stage, _, id) = staged().await;
    stage
        .images
        .tag(&id, "other/name", "1.0")
        .await
        .expect("a tag");
    let filtered = async |pairs: &[(&str, &str)]| {
        let mut filters = Filters::default();
        for (name, value) in pairs {
            filters.add(*name, *value);
        }
        let listed = stage.images.list(filters).await;
        listed.map(|images| images.into_iter().flat_map(|image| image.repo_tags).count())
    };
    for (filters, expected) in [
        (&[][..], 2),
        (&[("reference", "other/*")][..], 1),
        (&[("reference", "other/name:2*")][..], 0),
        (&[("reference", "*/some/image")][..], 1),
        (&[("label", "purpose")][..], 2),
        (&[("label", "purpose=test")][..], 2),
        (&[("label", "purpose=other")][..], 0),
        (&[("label!", "purpose")][..], 0),
        (&[("dangling", "true")][..], 0),
        (&[("dangling", "false")][..], 2),
        (&[("before", "other/name:1.0")][..], 0),
        (&[("until", "2024-05-01T10:00:01Z")][..], 2),
        (&[("until", "2024-05-01T09:59:59Z")][..], 0),
    ] {
        assert_eq!(
            filtered(filters).await.expect("a list"),
            expected,
            "{filters:?}"
        );
    }
    for (filters, kind, expected) in [
        (
            &[("color", "red")][..],
            Kind::InvalidParameter,
            "invalid filter 'color'",
        ),
        (
            &[("dangling", "maybe")][..],
            Kind::InvalidParameter,
            "invalid filter 'dangling=maybe'",
        ),
        (
            &[("since", "absent")][..],
            Kind::NotFound,
            "No such image: absent:latest",
        ),
    ] {
        let error = filtered(filters).await.expect_err("a bad filter");
        assert_eq!((error.kind(), error.to_string().as_str()), (kind, expected));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn history_has_the_last_step_first() {
    let (stage, _, id) = staged().await;
    let history = stage
        .images
        .history(&stage.name())
        .await
        .expect("a history");
    assert_eq!(history.len(), 2);
    assert_eq!(history[0].id, id);
    assert_eq!(history[0].size, 300_001);
    assert_eq!(
        history[0].tags.as_deref(),
        Some(&[format!("{}:latest", stage.name())][..])
    );
    assert_eq!((history[1].id.as_str(), history[1].size), ("<missing>", 6));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_goes_and_with_the_last_one_the_image() {
    let (stage, image, id) = staged().await;
    stage
        .images
        .tag(&stage.name(), "second", "")
        .await
        .expect("a tag");
    let removed = stage
        .images
        .remove("second", false, |_| Vec::new())
        .await
        .expect("removed");
    let removed: Vec<&str> = removed.iter().map(|item| item.untagged.as_str()).collect();
    assert_eq!(removed, ["second:latest"]);

    let using = |running| {
        move |_: &Digest| {
            vec![ImageUser {
                container: "0123456789abcdef".to_owned(),
                running,
            }]
        }
    };
    let error = stage
        .images
        .remove(&stage.name(), false, using(false))
        .await
        .expect_err("in use");
    assert_eq!(error.kind(), Kind::Conflict);
    assert_eq!(
        error.to_string(),
        format!(
            "conflict: unable to remove repository reference \"{}\" (must force) - container \
             0123456789ab is using its referenced image {}",
            stage.name(),
            &id[7..19]
        )
    );

    let removed = stage
        .images
        .remove(&stage.name(), false, |_| Vec::new())
        .await
        .expect("removed");
    let untagged: Vec<&str> = removed
        .iter()
        .map(|item| item.untagged.as_str())
        .filter(|name| !name.is_empty())
        .collect();
    assert_eq!(
        untagged,
        [
            format!("{}:latest", stage.name()),
            format!("{}@{}", stage.name(), image.digest())
        ]
    );
    let deleted: Vec<&str> = removed
        .iter()
        .map(|item| item.deleted.as_str())
        .filter(|name| !name.is_empty())
        .collect();
    assert_eq!(deleted.len(), 3, "the image and two layers");
    assert_eq!(deleted[0], id);
    let (diff_id, _) = layer(&[("etc/small", b"small\n")]);
    assert!(!stage.store.layer_path(&diff_id).exists());
    let error = stage
        .images
        .remove(&stage.name(), false, |_| Vec::new())
        .await
        .expect_err("gone");
    assert_eq!(error.kind(), Kind::NotFound);
    assert_eq!(
        error.to_string(),
        format!("No such image: {}:latest", stage.name())
    );
}
