use serde_json::json;
use tare_tests::{Engine, image_layout};

fn layout_as_tar(engine: &Engine, image: &str) -> Vec<u8> {
    let file = engine.sandbox().directory().join("layout.tar");
    let directory = image_layout(image);
    engine.sandbox().output(
        "tar",
        &[
            "-cf",
            &file.to_string_lossy(),
            "-C",
            &directory.to_string_lossy(),
            ".",
        ],
    );
    std::fs::read(&file).expect("the archive")
}

#[test]
fn an_oci_layout_is_loaded_too() {
    let engine = Engine::start_with_images(&["layers"]);
    let digest = engine.get("/images/layers/json")["Id"].clone();
    engine.delete("/images/layers").expect(200);
    let archive = layout_as_tar(&engine, "layers");
    let answer = engine.request("POST", "/images/load", &archive).expect(200);
    assert!(!answer.text().contains("errorDetail"), "{}", answer.text());
    // The same image, whichever way it came.
    let list = engine.get("/images/json");
    assert_eq!(list[0]["Id"], digest, "{list}");
}

#[test]
fn of_several_platforms_ours_is_loaded() {
    let engine = Engine::start_with_images(&[]);
    let archive = layout_as_tar(&engine, "platforms");
    let output = engine.client_with_input(&["load"], &archive).expect(0);
    assert!(output.stdout.contains("Loaded image"), "{}", output.stdout);
    let list = engine.get("/images/json");
    let id = list[0]["Id"].as_str().expect("an ID").to_owned();
    assert_eq!(
        engine.client(&["run", "--rm", &id]).line(),
        "hello from amd64"
    );
}

#[test]
fn one_layer_of_several_images_is_stored_once() {
    let engine = Engine::start();
    let count = || {
        std::fs::read_dir(engine.data_root().join("layers/sha256"))
            .expect("layers")
            .count()
    };
    let before = count();
    engine.load("user-by-name");
    engine.load("user-by-number");
    assert_eq!(count(), before + 2);
    for image in ["user-by-name", "user-by-number", "busybox"] {
        engine.delete(&format!("/images/{image}")).expect(200);
    }
    assert_eq!(engine.get("/images/json"), json!([]));
    // Removal goes on after the answer.
    tare_tests::eventually("no layer is left", || (count() == 0).then_some(()));
}
