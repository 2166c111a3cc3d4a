use super::*;
use crate::fixture::{Directory, leftovers};

#[test]
fn what_is_put_can_be_read_and_damage_is_seen() {
    let directory = Directory::new();
    let digest = {
        let store = Store::open(directory.path()).expect("opened");
        let digest = store.put_blob(b"content").expect("put");
        assert_eq!(store.put_blob(b"content").expect("put again"), digest);
        digest
    };
    let store = Store::open(directory.path()).expect("opened again");
    assert_eq!(store.read_blob(&digest, 7).expect("read"), b"content");
    assert!(matches!(
        store.read_blob(&digest, 6),
        Err(Error::TooLarge { size: 7, .. })
    ));
    let path = store.blob_path(&digest).expect("there");
    std::fs::write(&path, b"contend").expect("damaged");
    assert!(matches!(
        store.read_blob(&digest, 7),
        Err(Error::Digest { .. })
    ));
    store
        .put_blob(b"content")
        .expect("putting it again mends it");
    assert_eq!(store.read_blob(&digest, 7).expect("read"), b"content");
    let other = Digest::sha256_of(b"other");
    assert!(matches!(
        store.read_blob(&other, 7),
        Err(Error::NotFound { .. })
    ));
    assert!(matches!(
        store.blob_path(&other),
        Err(Error::NotFound { .. })
    ));
}

#[test]
fn only_what_was_announced_is_kept() {
    let directory = Directory::new();
    let store = Store::open(directory.path()).expect("opened");
    let expected = Descriptor::of("", b"expected");
    let cases: [(&[u8], bool); 4] = [
        (b"expected", true),
        (b"expecte", false),
        (b"expecteD", false),
        (b"", false),
    ];
    for (bytes, accepted) in cases {
        let mut writer = store.blob_writer(&expected).expect("begun");
        writer.write_all(bytes).expect("written");
        assert_eq!(writer.finish().is_ok(), accepted, "{bytes:?}");
    }
    let mut writer = store.blob_writer(&expected).expect("begun");
    assert!(writer.write_all(b"expected and more").is_err());
    drop(writer);
    assert_eq!(
        leftovers(directory.path()),
        [directory
            .path()
            .join("blobs/sha256")
            .join(expected.digest.hex())]
    );
}
