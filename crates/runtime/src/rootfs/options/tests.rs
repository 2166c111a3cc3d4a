use super::*;

#[test]
fn options_are_sorted_as_mount_8_means_them() {
    let parsed = MountOptions::parse(&[
        "rbind",
        "ro",
        "nosuid",
        "suid",
        "rro",
        "relatime",
        "rprivate",
        "size=64k",
        "newinstance",
    ])
    .expect("all supported");
    assert_eq!(parsed.bind, Some(true));
    assert_eq!(parsed.attributes.set, Attributes::RDONLY);
    assert_eq!(
        parsed.attributes.clear,
        Attributes::RDONLY | Attributes::NOSUID | Attributes::ATIME
    );
    assert_eq!(parsed.recursive.set, Attributes::RDONLY);
    assert_eq!(parsed.propagation, [(Attributes::PRIVATE, true)]);
    assert_eq!(
        parsed.data,
        [
            ("size".to_owned(), Some("64k".to_owned())),
            ("newinstance".to_owned(), None)
        ]
    );
}

#[test]
fn words_that_merely_begin_with_r_are_not_recursive() {
    let cases: [(&str, Attributes, Attributes); 4] = [
        (
            "relatime",
            Attributes {
                set: 0,
                clear: Attributes::ATIME,
                propagation: 0,
            },
            Attributes::default(),
        ),
        (
            "rrelatime",
            Attributes::default(),
            Attributes {
                set: 0,
                clear: Attributes::ATIME,
                propagation: 0,
            },
        ),
        (
            "ro",
            Attributes {
                set: Attributes::RDONLY,
                clear: Attributes::RDONLY,
                propagation: 0,
            },
            Attributes::default(),
        ),
        (
            "rnoexec",
            Attributes::default(),
            Attributes {
                set: Attributes::NOEXEC,
                clear: Attributes::NOEXEC,
                propagation: 0,
            },
        ),
    ];
    for (option, attributes, recursive) in cases {
        let parsed = MountOptions::parse(&[option]).expect("supported");
        assert_eq!(
            (parsed.attributes, parsed.recursive),
            (attributes, recursive),
            "{option}"
        );
    }
}

#[test]
fn what_is_known_but_not_done_is_refused() {
    assert_eq!(
        MountOptions::parse(&["ro", "idmap"]),
        Err("idmap".to_owned())
    );
}
