use super::*;

#[test]
fn hashes_as_published() {
    // The test vectors of FIPS 180-4 for "abc".
    assert_eq!(
        Digest::sha256_of(b"abc").as_str(),
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    let mut hasher = Hasher::new(Algorithm::Sha512);
    hasher.update(b"a");
    hasher.update(b"bc");
    assert!(
        hasher
            .finish()
            .as_str()
            .starts_with("sha512:ddaf35a193617abacc417349ae204131")
    );
}

#[test]
fn refuses_what_could_name_another_file() {
    let hex = "a".repeat(64);
    let cases = [
        ("", Error::Format),
        ("sha256", Error::Format),
        (&format!(":{hex}"), Error::Format),
        (&format!("sha256:{}", "a".repeat(63)), Error::Length),
        (&format!("sha512:{hex}"), Error::Length),
        (&format!("sha256:{}", "A".repeat(64)), Error::Format),
        (&format!("sha256:../{}", "a".repeat(61)), Error::Format),
        (&format!("md5:{hex}"), Error::Unsupported),
        (&format!("sha 256:{hex}"), Error::Format),
    ];
    for (text, error) in cases {
        assert_eq!(text.parse::<Digest>(), Err(error), "{text}");
    }
    assert!(serde_json::from_str::<Digest>("\"sha256:zz\"").is_err());
}
